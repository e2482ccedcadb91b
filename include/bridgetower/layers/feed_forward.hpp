#pragma once

#include <bridgetower/layers/linear.hpp>
#include <bridgetower/ops/activations.hpp>
#include <bridgetower/ops/rows.hpp>
#include <cstdint>
#include <string_view>

namespace bridgetower {

/// Linear, activation, Linear. HF: BridgeTowerIntermediate with the dense layer of
/// BridgeTowerOutput, and the mlp of BridgeTowerResidualAttention.
template <class Scalar>
class FeedForward {
 public:
  FeedForward(const WeightView<Scalar>& up, const WeightView<Scalar>& down, std::int64_t size,
              std::int64_t inner_size, ops::Activation activation)
      : activation_(activation), up_(up, inner_size, size), down_(down, size, inner_size) {}

  /// x [N, D] -> [N, D], without a residual
  Tensor<Scalar> forward(const Tensor<Scalar>& x) const;

 private:
  ops::Activation activation_;
  Linear<Scalar> up_;    // [F, D]
  Linear<Scalar> down_;  // [D, F]
};

template <class Scalar>
Tensor<Scalar> FeedForward<Scalar>::forward(const Tensor<Scalar>& x) const {
  Tensor<Scalar> inner = up_.forward(x);
  const std::int64_t width = inner.dim(1);
  ops::for_row_blocks(inner.dim(0), width, [&](std::int64_t begin, std::int64_t end) {
    ops::activate(activation_, inner.data() + begin * width, (end - begin) * width);
  });
  return down_.forward(inner);
}

BRIDGETOWER_EXTERN_TEMPLATE(FeedForward);

}  // namespace bridgetower

#pragma once

#include <bridgetower/layers/linear.hpp>
#include <bridgetower/ops/activations.hpp>
#include <cstdint>

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
  Tensor<Scalar> forward(const Tensor<Scalar>& x) const {
    return down_.forward(up_.forward(x, activation_));
  }

  /// forward(x) + residual [N, D]
  Tensor<Scalar> forward_add(const Tensor<Scalar>& x, const Tensor<Scalar>& residual) const {
    return down_.forward_add(up_.forward(x, activation_), residual);
  }

 private:
  ops::Activation activation_;
  Linear<Scalar> up_;    // [F, D]
  Linear<Scalar> down_;  // [D, F]
};

BRIDGETOWER_EXTERN_TEMPLATE(FeedForward);

}  // namespace bridgetower

#pragma once

#include <bridgetower/layers/linear.hpp>
#include <bridgetower/ops/activations.hpp>
#include <cstdint>

namespace bridgetower {

/// tanh(dense(first row)). HF: BridgeTowerPooler.
template <class Scalar>
class BridgeTowerPooler {
 public:
  BridgeTowerPooler(const WeightView<Scalar>& weights, std::int64_t size)
      : dense_(weights / "dense", size, size) {}

  /// First rows of several items [B, D] -> [B, D]
  Tensor<Scalar> forward(const Tensor<Scalar>& first_rows) const {
    return dense_.forward(first_rows, ops::Activation::kTanh);
  }

 private:
  Linear<Scalar> dense_;
};

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerPooler);

}  // namespace bridgetower

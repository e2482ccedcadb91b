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

  /// hidden_states [N, D] -> [1, D]
  Tensor<Scalar> forward(const Tensor<Scalar>& hidden_states) const {
    Tensor<Scalar> pooled = dense_.forward(hidden_states, 1);
    ops::activate(ops::Activation::kTanh, pooled.data(), pooled.dim(1));
    return pooled;
  }

 private:
  Linear<Scalar> dense_;
};

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerPooler);

}  // namespace bridgetower

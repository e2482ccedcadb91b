#pragma once

#include <bridgetower/config/text_config.hpp>
#include <bridgetower/layers/layer_norm.hpp>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/layers/multihead_attention.hpp>
#include <vector>

namespace bridgetower {

/// Multi-head attention with its output projection, residual and norm: from one sequence to itself
/// or to another. HF: BridgeTowerAttention (BridgeTowerSelfAttention and BridgeTowerSelfOutput).
template <class Scalar>
class BridgeTowerAttention {
 public:
  BridgeTowerAttention(const TextConfig& config, const WeightView<Scalar>& weights);

  /// LayerNorm(dense(attention from x to `other`) + x) -> [Σ M, D]; item by item. Probabilities
  /// [H, M, N] of each item where wanted.
  Tensor<Scalar> forward(const Sequences<Scalar>& x, const Sequences<Scalar>& other,
                         std::vector<Tensor<Scalar>>* probabilities = nullptr) const {
    return layer_norm_.forward(attention_.forward(x, other, dense_, probabilities), x.rows);
  }

 private:
  MultiheadAttention<Scalar> attention_;  // "self.query", "self.key", "self.value"
  Linear<Scalar> dense_;                  // "output.dense"
  LayerNorm<Scalar> layer_norm_;          // "output.LayerNorm"
};

template <class Scalar>
BridgeTowerAttention<Scalar>::BridgeTowerAttention(const TextConfig& config,
                                                   const WeightView<Scalar>& weights)
    : attention_(
          {weights / "self", {"query", "key", "value"}, config.hidden_size, config.hidden_size},
          config.num_attention_heads, weights.backend()),
      dense_(weights / "output" / "dense", config.hidden_size, config.hidden_size),
      layer_norm_(weights / "output" / "LayerNorm", config.hidden_size, config.layer_norm_eps) {}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerAttention);

}  // namespace bridgetower

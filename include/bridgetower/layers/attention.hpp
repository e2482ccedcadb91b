#pragma once

#include <bridgetower/config/text_config.hpp>
#include <bridgetower/layers/layer_norm.hpp>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/ops/attention.hpp>
#include <cstdint>

namespace bridgetower {

/// Multi-head attention with its output projection, residual and norm: from one sequence to itself
/// or to another. HF: BridgeTowerAttention (BridgeTowerSelfAttention and BridgeTowerSelfOutput).
template <class Scalar>
class BridgeTowerAttention {
 public:
  BridgeTowerAttention(const TextConfig& config, const WeightView<Scalar>& weights);

  /// LayerNorm(dense(attention from the first `rows` rows of x to `other`) + x)
  /// x [N, D], other [M, D] -> [rows, D]; probabilities [H, rows, M] where wanted.
  Tensor<Scalar> forward(const Tensor<Scalar>& x, std::int64_t rows, const Tensor<Scalar>& other,
                         const ops::KeyList* attended,
                         Tensor<Scalar>* probabilities = nullptr) const;

 private:
  std::int64_t heads_;
  Backend backend_;
  Linear<Scalar> query_;          // "self.query"
  Linear<Scalar> key_value_;      // "self.key" and "self.value"
  Linear<Scalar> dense_;          // "output.dense"
  LayerNorm<Scalar> layer_norm_;  // "output.LayerNorm"
};

template <class Scalar>
BridgeTowerAttention<Scalar>::BridgeTowerAttention(const TextConfig& config,
                                                   const WeightView<Scalar>& weights)
    : heads_(config.num_attention_heads),
      backend_(weights.backend()),
      query_(weights / "self" / "query", config.hidden_size, config.hidden_size),
      key_value_(weights / "self", {"key", "value"}, config.hidden_size, config.hidden_size),
      dense_(weights / "output" / "dense", config.hidden_size, config.hidden_size),
      layer_norm_(weights / "output" / "LayerNorm", config.hidden_size, config.layer_norm_eps) {}

template <class Scalar>
Tensor<Scalar> BridgeTowerAttention<Scalar>::forward(const Tensor<Scalar>& x, std::int64_t rows,
                                                     const Tensor<Scalar>& other,
                                                     const ops::KeyList* attended,
                                                     Tensor<Scalar>* probabilities) const {
  const std::int64_t size = query_.out();
  const Tensor<Scalar> query = query_.forward(x, rows);
  const Tensor<Scalar> key_value = key_value_.forward(other);
  ops::AttentionInputs<Scalar> in{{query.data(), rows, size},
                                  {key_value.data(), other.dim(0), 2 * size},
                                  {key_value.data() + size, other.dim(0), 2 * size},
                                  heads_,
                                  size / heads_};
  in.attended = attended;
  in.backend = backend_;
  return layer_norm_.forward(dense_.forward(ops::attention(in, probabilities)), x);
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerAttention);

}  // namespace bridgetower

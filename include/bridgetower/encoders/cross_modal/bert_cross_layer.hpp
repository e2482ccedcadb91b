#pragma once

#include <bridgetower/config/text_config.hpp>
#include <bridgetower/layers/attention.hpp>
#include <bridgetower/layers/feed_forward.hpp>
#include <cstdint>

namespace bridgetower {

/// Attention within one modality, then to the other, then feed-forward. Heads, widths, activation
/// and eps are the text tower's. HF: BridgeTowerBertCrossLayer.
template <class Scalar>
class BridgeTowerBertCrossLayer {
 public:
  /// One modality's rows and which of them may be attended to (null: all).
  struct Stream {
    const Tensor<Scalar>& states;  // [N, D]
    const ops::KeyList* attended;
  };

  BridgeTowerBertCrossLayer(const TextConfig& config, const WeightView<Scalar>& weights);

  /// The first `rows` rows of the layer's output -> [rows, D]; the self-attention's probabilities
  /// [H, rows, N] where wanted.
  Tensor<Scalar> forward(const Stream& own, const Stream& other, std::int64_t rows,
                         Tensor<Scalar>* probabilities = nullptr) const;

 private:
  BridgeTowerAttention<Scalar> attention_;        // "attention"
  BridgeTowerAttention<Scalar> cross_attention_;  // "crossattention"
  FeedForward<Scalar> feed_forward_;              // "intermediate.dense", "output.dense"
  LayerNorm<Scalar> layer_norm_;                  // "output.LayerNorm"
};

template <class Scalar>
BridgeTowerBertCrossLayer<Scalar>::BridgeTowerBertCrossLayer(const TextConfig& config,
                                                             const WeightView<Scalar>& weights)
    : attention_(config, weights / "attention"),
      cross_attention_(config, weights / "crossattention"),
      feed_forward_(weights / "intermediate" / "dense", weights / "output" / "dense",
                    config.hidden_size, config.intermediate_size,
                    ops::activation_from_name(config.hidden_act)),
      layer_norm_(weights / "output" / "LayerNorm", config.hidden_size, config.layer_norm_eps) {}

template <class Scalar>
Tensor<Scalar> BridgeTowerBertCrossLayer<Scalar>::forward(const Stream& own, const Stream& other,
                                                          std::int64_t rows,
                                                          Tensor<Scalar>* probabilities) const {
  const Tensor<Scalar> s =
      attention_.forward(own.states, rows, own.states, own.attended, probabilities);
  const Tensor<Scalar> z = cross_attention_.forward(s, rows, other.states, other.attended);
  return layer_norm_.forward(feed_forward_.forward(z), z);
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerBertCrossLayer);

}  // namespace bridgetower

#pragma once

#include <bridgetower/config/text_config.hpp>
#include <bridgetower/layers/attention.hpp>
#include <bridgetower/layers/feed_forward.hpp>
#include <vector>

namespace bridgetower {

/// Attention within one modality, then to the other, then feed-forward. Heads, widths, activation
/// and eps are the text tower's. HF: BridgeTowerBertCrossLayer.
template <class Scalar>
class BridgeTowerBertCrossLayer {
 public:
  BridgeTowerBertCrossLayer(const TextConfig& config, const WeightView<Scalar>& weights);

  /// The first part, which sees one modality alone: `rows`, some or all of `own`, attend to all of
  /// it -> [Σ rows, D]. Probabilities [H, rows, N] of each item where wanted.
  Tensor<Scalar> attend_own(const Sequences<Scalar>& rows, const Sequences<Scalar>& own,
                            std::vector<Tensor<Scalar>>* probabilities = nullptr) const {
    return attention_.forward(rows, own, probabilities);
  }

  /// The rest: what attend_own() gave attends to the other modality -> [Σ rows, D]. Probabilities
  /// [H, rows, N of the other] of each item where wanted.
  Tensor<Scalar> attend_other(const Sequences<Scalar>& rows, const Sequences<Scalar>& other,
                              std::vector<Tensor<Scalar>>* probabilities = nullptr) const {
    const Tensor<Scalar> z = cross_attention_.forward(rows, other, probabilities);
    return layer_norm_.forward(feed_forward_.forward(z), z);
  }

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

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerBertCrossLayer);

}  // namespace bridgetower

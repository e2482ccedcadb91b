#pragma once

#include <bridgetower/config/text_config.hpp>
#include <bridgetower/layers/attention.hpp>
#include <bridgetower/layers/feed_forward.hpp>

namespace bridgetower {

/// Self-attention and feed-forward, each followed by residual and norm. HF: BridgeTowerTextLayer.
template <class Scalar>
class BridgeTowerTextLayer {
 public:
  BridgeTowerTextLayer(const TextConfig& config, const WeightView<Scalar>& weights);

  /// x [L, D] -> [L, D]; only the keys in `attended` (null: all) take part.
  Tensor<Scalar> forward(const Tensor<Scalar>& x, const ops::KeyList* attended) const {
    const Tensor<Scalar> y = attention_.forward(x, x.dim(0), x, attended);
    return layer_norm_.forward(feed_forward_.forward(y), y);
  }

 private:
  BridgeTowerAttention<Scalar> attention_;  // "attention"
  FeedForward<Scalar> feed_forward_;        // "intermediate.dense", "output.dense"
  LayerNorm<Scalar> layer_norm_;            // "output.LayerNorm"
};

template <class Scalar>
BridgeTowerTextLayer<Scalar>::BridgeTowerTextLayer(const TextConfig& config,
                                                   const WeightView<Scalar>& weights)
    : attention_(config, weights / "attention"),
      feed_forward_(weights / "intermediate" / "dense", weights / "output" / "dense",
                    config.hidden_size, config.intermediate_size,
                    ops::activation_from_name(config.hidden_act)),
      layer_norm_(weights / "output" / "LayerNorm", config.hidden_size, config.layer_norm_eps) {}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerTextLayer);

}  // namespace bridgetower

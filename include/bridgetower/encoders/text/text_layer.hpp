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

  /// x [Σ L, D] -> [Σ L, D]
  Tensor<Scalar> forward(const Sequences<Scalar>& x) const { return forward(x, x); }

  /// Some rows of x only, which attend to all.
  Tensor<Scalar> forward(const Sequences<Scalar>& rows, const Sequences<Scalar>& x) const {
    const Tensor<Scalar> y = attention_.forward(rows, x);
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

#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/layers/layer_norm.hpp>
#include <string>
#include <utility>

namespace bridgetower {

/// Folds one uni-modal state into the cross-modal stream.
/// HF: BridgeTowerLinkTower. HF passes a mask as well and never reads it.
template <class Scalar>
class BridgeTowerLinkTower {
 public:
  BridgeTowerLinkTower(const BridgeTowerConfig& config, const WeightView<Scalar>& weights);

  /// hidden_states [N, D], cross_modal_hidden_states [N, D] -> [N, D]
  Tensor<Scalar> forward(Tensor<Scalar> hidden_states,
                         const Tensor<Scalar>& cross_modal_hidden_states) const {
    return layer_norm_.forward(std::move(hidden_states), hidden_scale_, cross_modal_hidden_states,
                               cross_modal_scale_);
  }

 private:
  Scalar hidden_scale_ = 1;       // scaled_add: "scaled_factor" []; interpolate: 1 - "beta" []
  Scalar cross_modal_scale_ = 1;  // interpolate: "beta" []
  LayerNorm<Scalar> layer_norm_;  // "LayerNorm"
};

template <class Scalar>
BridgeTowerLinkTower<Scalar>::BridgeTowerLinkTower(const BridgeTowerConfig& config,
                                                   const WeightView<Scalar>& weights)
    : layer_norm_(weights / "LayerNorm", config.hidden_size, config.layer_norm_eps) {
  if (config.link_tower_type == "scaled_add") {
    hidden_scale_ = weights.scalar("scaled_factor");
  } else if (config.link_tower_type == "interpolate") {
    cross_modal_scale_ = weights.scalar("beta");
    hidden_scale_ = Scalar(1) - cross_modal_scale_;
  }
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerLinkTower);

}  // namespace bridgetower

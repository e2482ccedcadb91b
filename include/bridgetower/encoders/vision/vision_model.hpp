#pragma once

#include <algorithm>
#include <bridgetower/encoders/vision/residual_attention.hpp>
#include <bridgetower/encoders/vision/vision_embeddings.hpp>
#include <cstdint>
#include <vector>

namespace bridgetower {

/// The vision tower: a ViT whose every late state goes through `ln_post` on its way to the fusion,
/// while the running state stays as it is. HF: BridgeTowerVisionModel
/// (BridgeTowerVisionTransformer).
template <class Scalar>
class BridgeTowerVisionModel {
 public:
  /// Builds as many blocks as run: no more than there are text layers.
  BridgeTowerVisionModel(const VisionConfig& config, std::int64_t text_layers,
                         const WeightView<Scalar>& weights)
      : embeddings_(config, weights / "visual" / "embeddings"),
        ln_pre_(weights / "visual" / "ln_pre", config.hidden_size, config.layer_norm_eps),
        ln_post_(weights / "visual" / "ln_post", config.hidden_size, config.layer_norm_eps) {
    const std::int64_t stored = config.num_hidden_layers - (config.remove_last_layer ? 1 : 0);
    for (std::int64_t i = 0; i < std::min(stored, text_layers); ++i) {
      blocks_.emplace_back(config, weights / "visual" / "transformer" / "resblocks" / i);
    }
  }

  /// Pixels [C, height, width] -> the first block's input [P, D].
  Tensor<Scalar> forward_pre(const Scalar* pixels, std::int64_t height, std::int64_t width,
                             bool interpolate_pos_encoding) const {
    return ln_pre_.forward(embeddings_.forward(pixels, height, width, interpolate_pos_encoding));
  }
  const std::vector<BridgeTowerResidualAttention<Scalar>>& blocks() const noexcept {
    return blocks_;
  }
  Tensor<Scalar> forward_post(const Tensor<Scalar>& x) const { return ln_post_.forward(x); }

 private:
  BridgeTowerVisionEmbeddings<Scalar> embeddings_;
  LayerNorm<Scalar> ln_pre_;
  std::vector<BridgeTowerResidualAttention<Scalar>> blocks_;
  LayerNorm<Scalar> ln_post_;
};

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerVisionModel);

}  // namespace bridgetower

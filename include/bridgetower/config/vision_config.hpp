#pragma once

#include <cstdint>

namespace bridgetower {

/// The vision tower: a ViT with hidden_size / 64 heads, MLP ratio 4 and QuickGELU.
/// HF: BridgeTowerVisionConfig.
struct VisionConfig {
  std::int64_t hidden_size = 768;
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_channels = 3;
  std::int64_t patch_size = 16;     ///< pixels, height and width of a patch
  std::int64_t image_size = 288;    ///< pixels, height and width the position table is made for
  double initializer_factor = 1.0;  ///< training only
  double layer_norm_eps = 1e-5;
  bool stop_gradient = false;      ///< training only
  bool share_layernorm = true;     ///< false: `ln_separate.*` exist in the checkpoint; never used
  bool remove_last_layer = false;  ///< true: one block fewer than num_hidden_layers
};

}  // namespace bridgetower

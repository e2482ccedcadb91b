#pragma once

#include <algorithm>
#include <bridgetower/config/bridgetower_config.hpp>
#include <cstdint>

namespace bridgetower {

/// The most bytes that one image and one text of `text_tokens` tokens take in float32 beside the
/// weights, from the pixels to the scores: both states and what the widest layer works with.
inline std::int64_t workspace_bytes(const BridgeTowerConfig& config, std::int64_t text_tokens,
                                    std::int64_t threads) {
  const VisionConfig& vision = config.vision_config;
  const std::int64_t side = vision.image_size / vision.patch_size;
  const std::int64_t image_tokens = side * side + 1;
  const std::int64_t rows = image_tokens + text_tokens;
  const std::int64_t width = std::max(config.hidden_size, vision.hidden_size);
  const std::int64_t inner = std::max(config.text_config.intermediate_size, 4 * vision.hidden_size);
  const std::int64_t states = (config.num_hidden_layers + 2) * rows * config.hidden_size;
  // A layer's input, its norm, the residual and two results; inside the feed-forward part the wide
  // rows, and these once more in tiles.
  const std::int64_t layer = rows * (5 * width + 2 * inner);
  // One head's keys and values, and a block of scores twice, for every thread.
  const std::int64_t head = threads * std::max(image_tokens, text_tokens) * (2 * 64 + 2 * 84);
  const std::int64_t elements = states + layer + head;
  return elements * 4 / 8 * 9;  // sizes are rounded up by an eighth at most
}

}  // namespace bridgetower

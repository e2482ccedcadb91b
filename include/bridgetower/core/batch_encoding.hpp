#pragma once

#include <bridgetower/core/tensor.hpp>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace bridgetower {

/// What a BridgeTowerProcessor returns and every model's forward takes: one text and one image an
/// item. HF: BatchEncoding / BatchFeature.
struct BatchEncoding {
  Tensor<std::int64_t> input_ids;       ///< [B, L]
  Tensor<std::int64_t> attention_mask;  ///< [B, L], 0 at padding
  Tensor<float> pixel_values;           ///< [B, C, height, width]
  Tensor<std::int64_t> pixel_mask;      ///< [B, height, width], 1 where the image lies

  /// Per item and token, [begin, end) in code points; only where offsets were asked for.
  std::vector<std::vector<std::pair<std::int64_t, std::int64_t>>> offset_mapping;
};

}  // namespace bridgetower

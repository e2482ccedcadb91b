#pragma once

#include <algorithm>
#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/load_options.hpp>
#include <bridgetower/core/weight_source.hpp>
#include <cstdint>
#include <limits>
#include <string>

namespace bridgetower {

namespace detail {

/// A sum of products that stays the largest number where it is too large.
class Saturated {
 public:
  Saturated(std::int64_t value) : value_(value) {}  // NOLINT
  std::int64_t value() const { return value_; }

  friend Saturated operator+(Saturated a, Saturated b) {
    return a.value_ > kMost - b.value_ ? kMost : a.value_ + b.value_;
  }
  friend Saturated operator*(Saturated a, Saturated b) {
    return b.value_ != 0 && a.value_ > kMost / b.value_ ? kMost : a.value_ * b.value_;
  }

 private:
  static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

  std::int64_t value_;
};

}  // namespace detail

/// The most bytes that one image and one text of `text_tokens` tokens take in float32 beside the
/// weights, from the pixels to the scores: both states and what the widest layer works with.
inline std::int64_t workspace_bytes(const BridgeTowerConfig& config, std::int64_t text_tokens,
                                    std::int64_t threads) {
  const VisionConfig& vision = config.vision_config;
  using detail::Saturated;
  const std::int64_t side = vision.image_size / vision.patch_size;
  const std::int64_t image_tokens = side * side + 1;
  const Saturated rows = image_tokens + text_tokens;
  const Saturated width = std::max(config.hidden_size, vision.hidden_size);
  const Saturated inner = std::max(config.text_config.intermediate_size, 4 * vision.hidden_size);
  const Saturated states = rows * (config.num_hidden_layers + 2) * config.hidden_size;
  // A layer's input, its norm, the residual and two results; inside the feed-forward part the wide
  // rows, and these once more in tiles.
  const Saturated layer = rows * (width * 5 + inner * 2);
  // One head's keys and values, and a block of scores twice, for every thread.
  const Saturated head =
      Saturated(threads) * std::max(image_tokens, text_tokens) * (2 * 64 + 2 * 84);
  const std::int64_t eighths = (states + layer + head).value() / 2;
  return (Saturated(eighths) * 9).value();  // sizes are rounded up by an eighth at most
}

/// All that a model keeps and works with: its weights, and one image with the longest text. Throws
/// LimitError where that is more than Limits::model_memory.
template <class Scalar>
void check_model_memory(const BridgeTowerConfig& config, const WeightSource& source,
                        const LoadOptions& options, std::int64_t threads) {
  const std::uint64_t weights =
      kept_bytes(source, sizeof(Scalar) == sizeof(double) ? DType::kF64 : options.dtype);
  const auto beside = static_cast<std::uint64_t>(
      workspace_bytes(config, config.text_config.max_position_embeddings, threads));
  const std::uint64_t most = options.limits.model_memory;
  if (weights <= most && beside <= most - weights) return;
  throw LimitError(
      source.place(), "memory of the model", "at most " + std::to_string(most) + " bytes",
      std::to_string(weights) + " of weights and " + std::to_string(beside) + " beside them");
}

}  // namespace bridgetower

#pragma once

#include <bridgetower/config/image_processor_config.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/preprocessing/image/image.hpp>
#include <cstdint>
#include <vector>

namespace bridgetower {

/// What a batch of pictures becomes.
struct ImageFeatures {
  Tensor<float> pixel_values;        ///< [B, C, height, width]
  Tensor<std::uint8_t> pixel_bytes;  ///< instead of them where neither rescaled nor normalised
  Tensor<std::int64_t> pixel_mask;   ///< [B, height, width], 1 where the picture lies; with do_pad
};

/// Resize, crop, rescale, normalise, pad: float32 bits as Hugging Face's PIL processor gives them.
/// HF: BridgeTowerImageProcessorPil. Safe for concurrent use.
class BridgeTowerImageProcessor {
 public:
  /// Throws ConfigError for a configuration that cannot be run.
  explicit BridgeTowerImageProcessor(ImageProcessorConfig config = {}, const Limits& limits = {})
      : config_(std::move(config)), max_pixels_(limits.pixels), max_batch_(limits.batch) {
    config_.validate();
  }

  const ImageProcessorConfig& config() const noexcept { return config_; }

  /// The picture as the model sees it: resized and cropped, its values as they were. Throws
  /// InputError for one too narrow for the size divisor, LimitError beyond Limits::pixels.
  Image prepare(const Image& image) const;

  /// Throws InputError for an empty batch, pictures of different channels, a picture too narrow for
  /// the size divisor, or different sizes without do_pad; LimitError beyond Limits::batch.
  ImageFeatures operator()(const std::vector<Image>& images) const;
  ImageFeatures operator()(const Image& image) const { return (*this)(std::vector<Image>{image}); }

 private:
  ImageProcessorConfig config_;
  std::int64_t max_pixels_;
  std::int64_t max_batch_;
};

}  // namespace bridgetower

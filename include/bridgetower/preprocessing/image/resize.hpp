#pragma once

#include <bridgetower/preprocessing/image/image.hpp>
#include <cstdint>

namespace bridgetower {

/// Pillow's resampling filters, by its codes.
enum class Resample {
  kNearest = 0,
  kLanczos = 1,
  kBilinear = 2,
  kBicubic = 3,
  kBox = 4,
  kHamming = 5
};

/// Pillow's Image.resize on 8-bit channels, bit for bit. Sizes of at least 1; an unchanged size
/// copies.
Image resize(const Image& image, std::int64_t height, std::int64_t width, Resample filter);

}  // namespace bridgetower

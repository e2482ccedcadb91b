#pragma once

#include <bridgetower/preprocessing/image/image.hpp>
#include <string>

namespace bridgetower::cli {

/// The bytes of a PNG or JPEG file. `quality` 1 to 100.
std::string png_bytes(const Image& image);
std::string jpeg_bytes(const Image& image, int quality);

}  // namespace bridgetower::cli

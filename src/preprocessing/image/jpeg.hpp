#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "preprocessing/image/stb.hpp"

/// JPEG files by libjpeg-turbo (jpeg_turbo.cpp) or, where that was not found, by stb_image
/// (jpeg_stb.cpp).
namespace bridgetower::detail {

/// The size in the header; nothing where it cannot be read.
std::optional<ImageSize> jpeg_size(std::string_view bytes);

/// The picture as RGB; nothing where it is broken. `reason` says why.
std::optional<Decoded<std::uint8_t>> jpeg_decode(std::string_view bytes, std::string& reason);

}  // namespace bridgetower::detail

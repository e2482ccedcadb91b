#include <bridgetower/preprocessing/image/image.hpp>

#include "preprocessing/image/jpeg.hpp"

namespace bridgetower {
namespace detail {

std::optional<ImageSize> jpeg_size(std::string_view bytes) { return stb_size(bytes); }

std::optional<Decoded<std::uint8_t>> jpeg_decode(std::string_view bytes, std::string& reason) {
  const char* why = nullptr;
  auto rgb = stb_decode(bytes, 3, why);
  if (!rgb && why != nullptr) reason = why;
  return rgb;
}

}  // namespace detail

std::string_view jpeg_decoder() { return "stb_image"; }

}  // namespace bridgetower

#include "cli/write_image.hpp"

#include <new>

#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace bridgetower::cli {
namespace {

void append(void* bytes, void* data, int size) {
  static_cast<std::string*>(bytes)->append(static_cast<const char*>(data),
                                           static_cast<std::size_t>(size));
}

int as_int(std::int64_t value) { return static_cast<int>(value); }

}  // namespace

// stb_image_write fails only where memory does.
std::string png_bytes(const Image& image) {
  std::string bytes;
  if (stbi_write_png_to_func(append, &bytes, as_int(image.width()), as_int(image.height()),
                             as_int(image.channels()), image.data(),
                             as_int(image.width() * image.channels())) == 0) {
    throw std::bad_alloc();
  }
  return bytes;
}

std::string jpeg_bytes(const Image& image, int quality) {
  std::string bytes;
  if (stbi_write_jpg_to_func(append, &bytes, as_int(image.width()), as_int(image.height()),
                             as_int(image.channels()), image.data(), quality) == 0) {
    throw std::bad_alloc();
  }
  return bytes;
}

}  // namespace bridgetower::cli

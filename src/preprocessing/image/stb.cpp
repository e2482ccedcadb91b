#include "preprocessing/image/stb.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace {

/// What one picture may ask for at once: inflated data may be far larger than the header says.
thread_local std::size_t largest_block = 0;
thread_local bool is_out_of_memory = false;

void* given(void* block) {
  if (block == nullptr) is_out_of_memory = true;
  return block;
}

void* bounded_malloc(std::size_t size) {
  return size > largest_block ? nullptr : given(std::malloc(size));
}

void* bounded_realloc(void* block, std::size_t size) {
  return size > largest_block ? nullptr : given(std::realloc(block, size));
}

/// Before a picture is looked at.
void begin(std::size_t bytes_of_a_block) {
  largest_block = bytes_of_a_block;
  is_out_of_memory = false;
}

/// After it could not be read: the system's want of memory is not the picture's fault.
void check_memory() {
  if (is_out_of_memory) throw std::bad_alloc();
}

/// stb_image copies nothing to nowhere when a PNG begins with an empty IDAT.
void* copy(void* to, const void* from, std::size_t size) {
  return size == 0 ? to : std::memcpy(to, from, size);
}

}  // namespace

#define memcpy(to, from, size) copy(to, from, size)
#define STBI_MALLOC(size) bounded_malloc(size)
#define STBI_REALLOC(block, size) bounded_realloc(block, size)
#define STBI_FREE(block) std::free(block)
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <stb_image.h>
#pragma GCC diagnostic pop
#undef memcpy

namespace bridgetower::detail {
namespace {

constexpr std::size_t kAnyHeader = 1 << 20;

const stbi_uc* data_of(std::string_view bytes) {
  return reinterpret_cast<const stbi_uc*>(bytes.data());
}

/// Twice the largest raw picture, as stb_image grows its buffers by doubling; a JPEG's sides are
/// filled up to whole blocks of at most 32 pixels.
std::size_t block_limit(const ImageSize& size) {
  return 2 * (static_cast<std::size_t>(size.height + 32) *
              static_cast<std::size_t>(size.width + 32) * 8) +
         kAnyHeader;
}

template <class Sample, class Load>
std::optional<Decoded<Sample>> decode(std::string_view bytes, int channels, const Load& load,
                                      const char*& reason) {
  const std::optional<ImageSize> size = stb_size(bytes);
  if (size) {
    begin(block_limit(*size));
    int width = 0;
    int height = 0;
    int stored = 0;
    const std::unique_ptr<Sample, decltype(&std::free)> samples(
        load(data_of(bytes), static_cast<int>(bytes.size()), &width, &height, &stored, channels),
        &std::free);
    if (samples) {
      const std::size_t count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                                static_cast<std::size_t>(channels);
      return Decoded<Sample>{height, width, {samples.get(), samples.get() + count}};
    }
  }
  check_memory();
  reason = stbi_failure_reason();
  return std::nullopt;
}

}  // namespace

std::optional<ImageSize> stb_size(std::string_view bytes) {
  begin(kAnyHeader);
  int width = 0;
  int height = 0;
  int channels = 0;
  if (stbi_info_from_memory(data_of(bytes), static_cast<int>(bytes.size()), &width, &height,
                            &channels) == 0) {
    check_memory();
    return std::nullopt;
  }
  return ImageSize{height, width};
}

std::optional<Decoded<std::uint8_t>> stb_decode(std::string_view bytes, int channels,
                                                const char*& reason) {
  return decode<std::uint8_t>(bytes, channels, stbi_load_from_memory, reason);
}

std::optional<Decoded<std::uint16_t>> stb_decode_grey16(std::string_view bytes,
                                                        const char*& reason) {
  return decode<std::uint16_t>(bytes, 1, stbi_load_16_from_memory, reason);
}

}  // namespace bridgetower::detail

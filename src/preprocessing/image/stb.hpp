#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace bridgetower::detail {

/// Decoded samples: [height, width, channels].
template <class Sample>
struct Decoded {
  std::int64_t height;
  std::int64_t width;
  std::vector<Sample> samples;
};

struct ImageSize {
  std::int64_t height;
  std::int64_t width;
};

/// The size in a PNG's or JPEG's header; nothing where stb_image cannot read it.
std::optional<ImageSize> stb_size(std::string_view bytes);

/// The picture in 8 bits with this many channels; nothing where it is broken. `reason` says why.
std::optional<Decoded<std::uint8_t>> stb_decode(std::string_view bytes, int channels,
                                                const char*& reason);

/// A 16-bit grey PNG.
std::optional<Decoded<std::uint16_t>> stb_decode_grey16(std::string_view bytes,
                                                        const char*& reason);

}  // namespace bridgetower::detail

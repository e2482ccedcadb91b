#pragma once

#include <bridgetower/core/limits.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// What decodes JPEG files: "libjpeg-turbo VERSION", whose pixels are Pillow's, or "stb_image".
std::string_view jpeg_decoder();

/// An 8-bit picture, [height, width, channels] row by row; RGB (3) or grey (1).
class Image {
 public:
  /// Reads a PNG or JPEG file as RGB, turned upright as its EXIF orientation says.
  /// Transparency is laid onto white, 16-bit grey is cut off at 255, as the reference does.
  /// Throws IoError, FormatError (another format, a broken file) or LimitError.
  static Image load(const std::filesystem::path& path, const ImageLimits& limits = {});

  /// The same for a file's bytes; `place` names them in errors.
  static Image decode(std::string_view bytes, const std::string& place,
                      const ImageLimits& limits = {});

  /// Black. Throws InputError for a size below 1 or channels other than 1 and 3.
  Image(std::int64_t height, std::int64_t width, std::int64_t channels);

  /// Throws InputError when the number of values does not fit the size.
  Image(std::int64_t height, std::int64_t width, std::int64_t channels,
        std::vector<std::uint8_t> pixels);

  std::int64_t height() const noexcept { return height_; }
  std::int64_t width() const noexcept { return width_; }
  std::int64_t channels() const noexcept { return channels_; }
  std::uint8_t* data() noexcept { return pixels_.data(); }
  const std::uint8_t* data() const noexcept { return pixels_.data(); }

 private:
  std::int64_t height_;
  std::int64_t width_;
  std::int64_t channels_;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace bridgetower

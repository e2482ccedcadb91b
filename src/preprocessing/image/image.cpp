#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/preprocessing/image/image.hpp>
#include <limits>
#include <optional>
#include <utility>

#include "core/file.hpp"
#include "preprocessing/image/container.hpp"
#include "preprocessing/image/jpeg.hpp"
#include "preprocessing/image/stb.hpp"

namespace bridgetower {
namespace {

constexpr std::string_view kPngSignature("\x89PNG\r\n\x1a\n", 8);
constexpr std::string_view kJpegSignature("\xFF\xD8\xFF", 3);

bool has_at(std::string_view bytes, std::size_t position, std::string_view part) {
  return bytes.size() >= position && bytes.substr(position, part.size()) == part;
}

bool starts_with(std::string_view bytes, std::string_view start) { return has_at(bytes, 0, start); }

/// What a file is, by its first bytes, for the message that refuses it.
std::string kind_of(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  if (starts_with(bytes, "GIF8")) return "GIF";
  if (starts_with(bytes, "BM")) return "BMP";
  if (starts_with(bytes, "RIFF") && has_at(bytes, 8, "WEBP")) return "WebP";
  if (starts_with(bytes, "II*") || starts_with(bytes, "MM")) return "TIFF";
  if (has_at(bytes, 4, "ftypavif") || has_at(bytes, 4, "ftypheic")) return "AVIF or HEIC";
  return "something else";
}

void check_size(std::string_view bytes, const std::string& place, const ImageLimits& limits,
                std::optional<detail::ImageSize> (*size_of)(std::string_view)) {
  if (bytes.size() > limits.max_bytes ||
      bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw LimitError(place, "file size", "at most " + std::to_string(limits.max_bytes) + " bytes",
                     std::to_string(bytes.size()));
  }
  const auto size = size_of(bytes);
  if (!size) throw FormatError(place, "header", "the size of a picture", "none that can be read");
  if (size->width == 0 || size->height == 0 || size->height > limits.max_pixels / size->width) {
    throw LimitError(place, "picture size", "1 to " + std::to_string(limits.max_pixels) + " pixels",
                     std::to_string(size->width) + " x " + std::to_string(size->height));
  }
}

[[noreturn]] void refuse(const std::string& place, const char* reason) {
  throw FormatError(place, std::string("the picture is broken: ") +
                               (reason == nullptr ? "no reason known" : reason));
}

/// Pillow's alpha_composite of one channel onto opaque white.
std::uint8_t onto_white(std::uint32_t value, std::uint32_t alpha) {
  const std::uint32_t sum = (value * alpha + 255 * (255 - alpha)) * 128 + (0x80U << 7);
  return static_cast<std::uint8_t>((((sum >> 8) + sum) >> 8) >> 7);
}

Image decode_png(std::string_view bytes, const std::string& place, const detail::PngFacts& facts) {
  constexpr int kGrey = 0;
  const char* reason = nullptr;
  std::vector<std::uint8_t> pixels;
  if (facts.color_type == kGrey && facts.bit_depth == 16) {
    const auto grey = detail::stb_decode_grey16(bytes, reason);
    if (!grey) refuse(place, reason);
    for (const std::uint16_t value : grey->samples) {
      pixels.insert(pixels.end(), 3, static_cast<std::uint8_t>(std::min<int>(value, 255)));
    }
    return {grey->height, grey->width, 3, std::move(pixels)};
  }
  const auto rgba = detail::stb_decode(bytes, 4, reason);
  if (!rgba) refuse(place, reason);
  pixels.reserve(rgba->samples.size() / 4 * 3);
  for (std::size_t i = 0; i < rgba->samples.size(); i += 4) {
    for (std::size_t c = 0; c < 3; ++c) {
      pixels.push_back(onto_white(rgba->samples[i + c], rgba->samples[i + 3]));
    }
  }
  return {rgba->height, rgba->width, 3, std::move(pixels)};
}

Image decode_jpeg(std::string_view bytes, const std::string& place) {
  std::string reason = "no reason known";
  auto rgb = detail::jpeg_decode(bytes, reason);
  if (!rgb) refuse(place, reason.c_str());
  return {rgb->height, rgb->width, 3, std::move(rgb->samples)};
}

/// Turns a picture upright: EXIF's orientations are the eight ways to flip and transpose.
Image oriented(Image image, int orientation) {
  if (orientation == 1) return image;
  const bool transposed = orientation >= 5;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const std::int64_t height = transposed ? image.width() : image.height();
  const std::int64_t width = transposed ? image.height() : image.width();
  Image out(height, width, 3);
  std::uint8_t* target = out.data();
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t column = transposed ? y : x;
      const std::int64_t row = transposed ? x : y;
      const std::int64_t source_x = flip_x ? image.width() - 1 - column : column;
      const std::int64_t source_y = flip_y ? image.height() - 1 - row : row;
      target = std::copy_n(image.data() + (source_y * image.width() + source_x) * 3, 3, target);
    }
  }
  return out;
}

}  // namespace

Image::Image(std::int64_t height, std::int64_t width, std::int64_t channels)
    : height_(height), width_(width), channels_(channels) {
  constexpr std::int64_t kMaxSide = std::int64_t{1} << 30;
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide ||
      (channels != 1 && channels != 3)) {
    throw InputError(
        "Image", "size", "height and width of at least 1, 1 or 3 channels",
        std::to_string(height) + " x " + std::to_string(width) + " x " + std::to_string(channels));
  }
  pixels_.resize(static_cast<std::size_t>(height * width * channels));
}

Image::Image(std::int64_t height, std::int64_t width, std::int64_t channels,
             std::vector<std::uint8_t> pixels)
    : Image(height, width, channels) {
  if (pixels.size() != pixels_.size()) {
    throw InputError("Image", "values", std::to_string(pixels_.size()),
                     std::to_string(pixels.size()));
  }
  pixels_ = std::move(pixels);
}

Image Image::load(const std::filesystem::path& path, const ImageLimits& limits) {
  return decode(detail::read_file(path, limits.max_bytes), path.string(), limits);
}

Image Image::decode(std::string_view bytes, const std::string& place, const ImageLimits& limits) {
  if (starts_with(bytes, kPngSignature)) {
    const detail::PngFacts facts = detail::read_png(bytes, place);
    check_size(bytes, place, limits, detail::stb_size);
    detail::check_png_size(facts, place);
    return oriented(decode_png(bytes, place, facts), facts.orientation);
  }
  if (starts_with(bytes, kJpegSignature)) {
    const int orientation = detail::read_jpeg_orientation(bytes, place, limits.max_scans);
    check_size(bytes, place, limits, detail::jpeg_size);
    return oriented(decode_jpeg(bytes, place), orientation);
  }
  throw FormatError(place, "format", "PNG or JPEG", kind_of(bytes));
}

}  // namespace bridgetower

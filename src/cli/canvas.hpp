#pragma once

#include <bridgetower/preprocessing/image/image.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bridgetower::cli {

/// A white picture to draw on. What lies outside is not drawn.
class Canvas {
 public:
  Canvas(std::int64_t height, std::int64_t width);

  const Image& image() const noexcept { return image_; }

  /// An RGB picture with its upper left corner at (x, y).
  void draw(const Image& picture, std::int64_t x, std::int64_t y);

  /// One line of text in a simple font, `scale` pixels a dot, in a shade of grey. What is not ASCII
  /// is drawn as "?".
  void write(const std::string& text, std::int64_t x, std::int64_t y, int scale, std::uint8_t grey);

 private:
  void fill(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height,
            std::uint8_t grey);

  Image image_;
};

/// Of such a line, in pixels.
std::int64_t text_width(const std::string& text, int scale);
constexpr std::int64_t kTextHeight = 12;  ///< in dots, with the space between lines

/// UTF-8 as the font can draw it: an arrow to the right becomes "->", each other code point that is
/// not printable ASCII "?".
std::string to_ascii(const std::string& text);

/// Broken between words, and within those that are wider than `width` pixels.
std::vector<std::string> wrap(const std::string& text, std::int64_t width, int scale);

/// Cut to `width` pixels, "..." at its end where something is missing.
std::string fit(const std::string& text, std::int64_t width, int scale);

}  // namespace bridgetower::cli

#include "cli/canvas.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <stb_easy_font.h>
#pragma GCC diagnostic pop

namespace bridgetower::cli {
namespace {

constexpr std::size_t kBytesOfACharacter = 3000;  // of stb_easy_font's quads, generously
constexpr std::size_t kCorner = 16;               // x, y, z and a colour

float coordinate(const std::string& quads, std::size_t corner, std::size_t axis) {
  float value = 0;
  std::memcpy(&value, quads.data() + corner * kCorner + axis * sizeof value, sizeof value);
  return value;
}

}  // namespace

Canvas::Canvas(std::int64_t height, std::int64_t width) : image_(height, width, 3) {
  std::fill_n(image_.data(), height * width * 3, std::uint8_t{255});
}

void Canvas::fill(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height,
                  std::uint8_t grey) {
  const std::int64_t left = std::clamp<std::int64_t>(x, 0, image_.width());
  const std::int64_t right = std::clamp<std::int64_t>(x + width, left, image_.width());
  for (std::int64_t row = std::max<std::int64_t>(0, y); row < std::min(y + height, image_.height());
       ++row) {
    std::fill_n(image_.data() + (row * image_.width() + left) * 3, (right - left) * 3, grey);
  }
}

void Canvas::draw(const Image& picture, std::int64_t x, std::int64_t y) {
  for (std::int64_t row = 0; row < picture.height(); ++row) {
    for (std::int64_t column = 0; column < picture.width(); ++column) {
      if (y + row >= image_.height() || x + column >= image_.width()) continue;
      std::copy_n(picture.data() + (row * picture.width() + column) * 3, 3,
                  image_.data() + ((y + row) * image_.width() + x + column) * 3);
    }
  }
}

void Canvas::write(const std::string& text, std::int64_t x, std::int64_t y, int scale,
                   std::uint8_t grey) {
  std::string line = to_ascii(text);
  std::string quads(line.size() * kBytesOfACharacter + kCorner, '\0');
  const int count =
      stb_easy_font_print(0, 0, line.data(), nullptr, quads.data(), static_cast<int>(quads.size()));
  for (std::size_t quad = 0; quad < static_cast<std::size_t>(count); ++quad) {
    const std::size_t corner = quad * 4;  // the upper left; the lower right is two further
    const auto pixels = [&](std::size_t of, std::size_t axis) {
      return std::llround(coordinate(quads, of, axis) * static_cast<float>(scale));
    };
    fill(x + pixels(corner, 0), y + pixels(corner, 1), pixels(corner + 2, 0) - pixels(corner, 0),
         pixels(corner + 2, 1) - pixels(corner, 1), grey);
  }
}

std::int64_t text_width(const std::string& text, int scale) {
  std::string line = to_ascii(text);
  return std::int64_t{stb_easy_font_width(line.data())} * scale;
}

std::string to_ascii(const std::string& text) {
  const std::string arrow = "\u2192";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.compare(i, arrow.size(), arrow) == 0) {
      out += "->";
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      out += '?';
    }
  }
  return out;
}

std::vector<std::string> wrap(const std::string& text, std::int64_t width, int scale) {
  std::vector<std::string> lines(1);
  std::istringstream words(to_ascii(text));
  for (std::string word; words >> word;) {
    std::string& line = lines.back();
    if (!line.empty() && text_width(line + ' ' + word, scale) <= width) {
      line += ' ' + word;
      continue;
    }
    if (!line.empty()) lines.emplace_back();
    for (const char c : word) {
      if (text_width(lines.back() + c, scale) > width && !lines.back().empty()) {
        lines.emplace_back();
      }
      lines.back() += c;
    }
  }
  return lines;
}

std::string fit(const std::string& text, std::int64_t width, int scale) {
  std::string line = to_ascii(text);
  if (text_width(line, scale) <= width) return line;
  while (!line.empty() && text_width(line + "...", scale) > width) line.pop_back();
  return line + "...";
}

}  // namespace bridgetower::cli

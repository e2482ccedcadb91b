#include "cli/heat.hpp"

#include <algorithm>
#include <array>
#include <bridgetower/preprocessing/image/resize.hpp>
#include <cmath>

namespace bridgetower::cli {
namespace {

using Colour = std::array<float, 3>;

/// From 0 to 1: the upper part of matplotlib's "inferno", at equal steps.
constexpr std::array<Colour, 6> kColours = {
    {{40, 11, 84}, {120, 28, 109}, {188, 55, 84}, {237, 105, 37}, {251, 180, 26}, {252, 255, 164}}};

Colour heat_colour(float heat) {
  const float place = std::clamp(heat, 0.0F, 1.0F) * static_cast<float>(kColours.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kColours.size() - 2);
  const float share = place - static_cast<float>(below);
  Colour colour{};
  for (std::size_t c = 0; c < colour.size(); ++c) {
    colour[c] = kColours[below][c] * (1 - share) + kColours[below + 1][c] * share;
  }
  return colour;
}

/// Where a pixel's middle lies between the middles of two patches.
struct Between {
  std::int64_t first;
  std::int64_t second;
  float share;  // of the second
};

Between between(std::int64_t pixel, std::int64_t pixels, std::int64_t patches) {
  const float place = (static_cast<float>(pixel) + 0.5F) * static_cast<float>(patches) /
                          static_cast<float>(pixels) -
                      0.5F;
  const float floor = std::floor(place);
  const auto first = static_cast<std::int64_t>(floor);
  return {std::clamp<std::int64_t>(first, 0, patches - 1),
          std::clamp<std::int64_t>(first + 1, 0, patches - 1), place - floor};
}

float value_at(const Tensor<float>& patches, const Between& y, const Between& x) {
  const auto row = [&](std::int64_t i) {
    return patches(i, x.first) * (1 - x.share) + patches(i, x.second) * x.share;
  };
  return row(y.first) * (1 - y.share) + row(y.second) * y.share;
}

}  // namespace

Image scaled_to(const Image& image, std::int64_t side) {
  const double scale =
      static_cast<double>(side) / static_cast<double>(std::max(image.height(), image.width()));
  const auto scaled = [scale](std::int64_t length) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(length) * scale));
  };
  return resize(image, scaled(image.height()), scaled(image.width()), Resample::kBicubic);
}

Image with_heat(const Image& picture, const Tensor<float>& patches) {
  Image out = picture;
  const float largest = *std::max_element(patches.begin(), patches.end());
  std::uint8_t* pixel = out.data();
  for (std::int64_t y = 0; y < picture.height(); ++y) {
    const Between row = between(y, picture.height(), patches.dim(0));
    for (std::int64_t x = 0; x < picture.width(); ++x, pixel += 3) {
      const Between column = between(x, picture.width(), patches.dim(1));
      const float heat = largest > 0 ? value_at(patches, row, column) / largest : 0;
      const Colour colour = heat_colour(heat);
      const float grey = 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
      for (std::size_t c = 0; c < 3; ++c) {
        const float dim = 0.55F * (0.5F * grey + 0.5F * pixel[c]) + 0.1F * 255;
        const float cover = 0.72F * std::sqrt(heat);
        pixel[c] = static_cast<std::uint8_t>(
            std::lround(std::clamp(dim * (1 - cover) + colour[c] * cover, 0.0F, 255.0F)));
      }
    }
  }
  return out;
}

}  // namespace bridgetower::cli

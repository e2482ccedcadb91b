#pragma once

#include <algorithm>
#include <bridgetower/core/tensor.hpp>
#include <cstdint>

namespace bridgetower::ops {

/// Pixels [C, height, width] -> one row a patch [rows * columns, C * patch * patch], patches row by
/// row. Pixels right of and below the last whole patch are left out, as a convolution without
/// padding does.
template <class Scalar>
Tensor<Scalar> patchify(const Scalar* pixels, std::int64_t channels, std::int64_t height,
                        std::int64_t width, std::int64_t patch) {
  const std::int64_t rows = height / patch;
  const std::int64_t columns = width / patch;
  auto out = Tensor<Scalar>::uninitialized({rows * columns, channels * patch * patch});
  Scalar* target = out.data();
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      for (std::int64_t line = 0; line < channels * patch; ++line) {
        const std::int64_t y = line / patch * height + row * patch + line % patch;
        target = std::copy_n(pixels + y * width + column * patch, patch, target);
      }
    }
  }
  return out;
}

}  // namespace bridgetower::ops

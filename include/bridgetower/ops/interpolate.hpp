#pragma once

#include <algorithm>
#include <array>
#include <bridgetower/core/tensor.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

namespace bridgetower::ops {

namespace detail {

/// The four source positions of one output position, and their weights.
template <class Scalar>
struct CubicTaps {
  std::array<std::int64_t, 4> index;
  std::array<Scalar, 4> weight;
};

/// PyTorch's cubic convolution (A = -0.75) with align_corners=False; edges are repeated and weights
/// are not renormalised.
template <class Scalar>
std::vector<CubicTaps<Scalar>> cubic_taps(std::int64_t in, std::int64_t out) {
  constexpr Scalar kA = Scalar(-0.75);
  const auto near = [](Scalar x) { return ((kA + 2) * x - (kA + 3)) * x * x + 1; };
  const auto far = [](Scalar x) { return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA; };
  const Scalar scale = static_cast<Scalar>(in) / static_cast<Scalar>(out);
  std::vector<CubicTaps<Scalar>> taps;
  for (std::int64_t o = 0; o < out; ++o) {
    const Scalar center = scale * (static_cast<Scalar>(o) + Scalar(0.5)) - Scalar(0.5);
    const std::int64_t first = std::min(static_cast<std::int64_t>(std::floor(center)), in - 1);
    const Scalar t = std::clamp(center - static_cast<Scalar>(first), Scalar(0), Scalar(1));
    CubicTaps<Scalar> tap;
    for (std::size_t k = 0; k < 4; ++k) {
      tap.index[k] = std::clamp<std::int64_t>(first - 1 + static_cast<std::int64_t>(k), 0, in - 1);
    }
    tap.weight = {far(t + 1), near(t), near(1 - t), far(2 - t)};
    taps.push_back(tap);
  }
  return taps;
}

}  // namespace detail

/// Resizes a table [in_rows * in_columns, D] to [out_rows * out_columns, D], grid positions row by
/// row. PyTorch: interpolate(mode="bicubic", align_corners=False, antialias=False).
template <class Scalar>
Tensor<Scalar> interpolate_bicubic(const Scalar* table, std::int64_t in_rows,
                                   std::int64_t in_columns, std::int64_t width,
                                   std::int64_t out_rows, std::int64_t out_columns) {
  const auto row_taps = detail::cubic_taps<Scalar>(in_rows, out_rows);
  const auto column_taps = detail::cubic_taps<Scalar>(in_columns, out_columns);
  auto out = Tensor<Scalar>::uninitialized({out_rows * out_columns, width});
  Scalar* target = out.data();
  for (const auto& row : row_taps) {
    for (const auto& column : column_taps) {
      for (std::int64_t d = 0; d < width; ++d) {
        Scalar sum = 0;
        for (std::size_t y = 0; y < 4; ++y) {
          Scalar line = 0;
          for (std::size_t x = 0; x < 4; ++x) {
            line +=
                column.weight[x] * table[(row.index[y] * in_columns + column.index[x]) * width + d];
          }
          sum += row.weight[y] * line;
        }
        *target++ = sum;
      }
    }
  }
  return out;
}

}  // namespace bridgetower::ops

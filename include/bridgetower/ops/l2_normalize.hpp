#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace bridgetower::ops {

/// Scales a row to length 1; a row of zeros stays. PyTorch: normalize(p=2, eps=1e-12).
template <class Scalar>
void l2_normalize(Scalar* row, std::int64_t size) {
  Scalar squares = 0;
  for (std::int64_t i = 0; i < size; ++i) squares += row[i] * row[i];
  const Scalar length = std::max(std::sqrt(squares), Scalar(1e-12));
  for (std::int64_t i = 0; i < size; ++i) row[i] /= length;
}

}  // namespace bridgetower::ops

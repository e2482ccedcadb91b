#pragma once

#include <bridgetower/core/tensor.hpp>
#include <cstdint>

namespace bridgetower::ops {

/// a += b, of equal shape (else ShapeError).
template <class Scalar>
void add_to(Tensor<Scalar>& a, const Tensor<Scalar>& b) {
  check_same_shape("add", a, b);
  Scalar* const out = a.data();
  const Scalar* const in = b.data();
  for (std::size_t i = 0; i < a.size(); ++i) out[i] += in[i];
}

/// Adds `row` [D] to every row of x [N, D].
template <class Scalar>
void add_row_to(Tensor<Scalar>& x, const Scalar* row) {
  const std::int64_t width = x.dim(1);
  for (std::int64_t n = 0; n < x.dim(0); ++n) {
    Scalar* const out = x.data() + n * width;
    for (std::int64_t i = 0; i < width; ++i) out[i] += row[i];
  }
}

}  // namespace bridgetower::ops

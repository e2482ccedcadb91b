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

/// a * a_scale + b * b_scale, of equal shape (else ShapeError).
template <class Scalar>
Tensor<Scalar> scaled_add(const Tensor<Scalar>& a, Scalar a_scale, const Tensor<Scalar>& b,
                          Scalar b_scale) {
  check_same_shape("add", a, b);
  auto out = Tensor<Scalar>::uninitialized(a.shape());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out.data()[i] = a.data()[i] * a_scale + b.data()[i] * b_scale;
  }
  return out;
}

}  // namespace bridgetower::ops

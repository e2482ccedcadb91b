#pragma once

#include <bridgetower/ops/matmul.hpp>

namespace bridgetower::testing {

/// w [outputs, inputs], kept in this type.
inline ops::PackedMatrix<float> packed_matrix(const Tensor<float>& w, DType dtype,
                                              Backend backend = Backend::kAuto) {
  ops::PackedMatrix<float> matrix(w.dim(0), w.dim(1), backend, dtype);
  matrix.set_rows(0, w.dim(0), w.data(), w.dim(1));
  return matrix;
}

/// x Wᵀ, finished: [rows, outputs].
inline Tensor<float> product(const ops::PackedMatrix<float>& matrix, const Tensor<float>& x,
                             const ops::Finish<float>& finish = {}) {
  Tensor<float> y({x.dim(0), matrix.outputs()});
  matrix.multiply(x.data(), x.dim(1), x.dim(0), finish, y.data(), matrix.outputs());
  return y;
}

}  // namespace bridgetower::testing

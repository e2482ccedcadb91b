#pragma once

#include <cstdint>
#include <type_traits>

// The only place where the library meets Eigen. Our threads are the only ones.
#ifndef EIGEN_DONT_PARALLELIZE
#define EIGEN_DONT_PARALLELIZE
#endif
#include <Eigen/Core>

namespace bridgetower::detail {

template <class Scalar>
using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// [rows, columns] inside a row-major array whose rows lie `stride` elements apart.
template <class Scalar>
auto as_matrix(Scalar* data, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
  using Matrix = std::conditional_t<std::is_const_v<Scalar>,
                                    const RowMajor<std::remove_const_t<Scalar>>, RowMajor<Scalar>>;
  return Eigen::Map<Matrix, 0, Eigen::OuterStride<>>(data, rows, columns,
                                                     Eigen::OuterStride<>(stride));
}

/// One row.
template <class Scalar>
auto as_array(Scalar* data, std::int64_t size) {
  using Row = Eigen::Array<std::remove_const_t<Scalar>, 1, Eigen::Dynamic>;
  return Eigen::Map<std::conditional_t<std::is_const_v<Scalar>, const Row, Row>>(data, size);
}

}  // namespace bridgetower::detail

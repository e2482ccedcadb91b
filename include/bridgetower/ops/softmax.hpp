#pragma once

#include <bridgetower/core/detail/eigen_map.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <cstdint>

namespace bridgetower::ops {

/// Replaces a row by its softmax; the largest value is subtracted first.
template <class Scalar>
void softmax(Scalar* row, std::int64_t size) {
  if constexpr (detail::has_kernels<Scalar>()) {
    detail::kernels().softmax(row, size);
  } else {
    auto values = bridgetower::detail::as_array(row, size);
    values = (values - values.maxCoeff()).exp();
    values /= values.sum();
  }
}

}  // namespace bridgetower::ops

#pragma once

#include <bridgetower/core/detail/eigen_map.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <cmath>
#include <cstdint>

namespace bridgetower::ops {

/// out = (row - mean) / sqrt(variance + eps) * weight + bias, variance biased. `out` may be `row`.
template <class Scalar>
void layer_norm(const Scalar* row, Scalar* out, std::int64_t size, const Scalar* weight,
                const Scalar* bias, Scalar eps) {
  if constexpr (detail::has_kernels<Scalar>()) {
    detail::kernels().layer_norm(row, out, size, weight, bias, eps);
  } else {
    using bridgetower::detail::as_array;
    const auto values = as_array(row, size);
    const Scalar mean = values.mean();
    const Scalar variance = (values - mean).square().mean();
    as_array(out, size) =
        (values - mean) * (Scalar(1) / std::sqrt(variance + eps)) * as_array(weight, size) +
        as_array(bias, size);
  }
}

}  // namespace bridgetower::ops

#pragma once

#include <algorithm>
#include <bridgetower/core/tensor.hpp>
#include <cstdint>
#include <numeric>
#include <vector>

namespace bridgetower::ops {

/// The named rows of a matrix whose rows lie `stride` elements apart -> [indices, width].
template <class Scalar>
Tensor<Scalar> gather_rows(const Scalar* rows, std::int64_t stride, std::int64_t width,
                           const std::vector<std::int64_t>& indices) {
  auto out = Tensor<Scalar>::uninitialized({static_cast<std::int64_t>(indices.size()), width});
  Scalar* target = out.data();
  for (const std::int64_t index : indices)
    target = std::copy_n(rows + index * stride, width, target);
  return out;
}

/// 0, 1, …, count - 1
inline std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

}  // namespace bridgetower::ops

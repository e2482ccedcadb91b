#pragma once

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/tensor.hpp>
#include <cmath>
#include <cstdint>

namespace bridgetower {

/// Index of the largest value along the last axis; the first of equal ones. [..., V] -> [...].
/// Only axis -1 (or its positive form) is offered; an empty axis is a ShapeError.
template <class Scalar>
Tensor<std::int64_t> argmax(const Tensor<Scalar>& values, std::ptrdiff_t axis) {
  const auto rank = static_cast<std::ptrdiff_t>(values.rank());
  if (rank == 0 || (axis != -1 && axis != rank - 1) || values.dim(-1) == 0) {
    throw ShapeError("argmax", "axis " + std::to_string(axis) + " of " + to_string(values.shape()),
                     "the last axis, not empty", std::to_string(axis));
  }
  const std::int64_t width = values.dim(-1);
  auto result =
      Tensor<std::int64_t>::uninitialized({values.shape().begin(), values.shape().end() - 1});
  const Scalar* row = values.data();
  for (std::int64_t& index : result) {
    index = std::max_element(row, row + width) - row;
    row += width;
  }
  return result;
}

/// Scalar product of two tensors of the same shape.
template <class Scalar>
Scalar dot(const Tensor<Scalar>& a, const Tensor<Scalar>& b) {
  if (a.shape() != b.shape())
    throw ShapeError("dot", "shapes", to_string(a.shape()), to_string(b.shape()));
  Scalar sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a.data()[i] * b.data()[i];
  return sum;
}

}  // namespace bridgetower

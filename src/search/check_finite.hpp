#pragma once

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/tensor.hpp>
#include <cmath>
#include <string>

namespace bridgetower::detail {

/// Throws InputError for a vector with values that are no numbers or infinite.
inline void check_finite(const std::string& place, const Tensor<float>& vector) {
  if (std::all_of(vector.begin(), vector.end(), [](float v) { return std::isfinite(v); })) return;
  throw InputError(place, "vector", "finite numbers", "others");
}

}  // namespace bridgetower::detail

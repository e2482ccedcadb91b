#pragma once

#include <bridgetower/core/tensor.hpp>
#include <cstdint>
#include <random>

namespace bridgetower::testing {

/// Normal numbers, the same for a seed on every machine.
template <class Scalar>
Tensor<Scalar> random_tensor(Shape shape, std::uint32_t seed, double scale = 1.0) {
  std::mt19937 engine(seed);
  Tensor<Scalar> values(std::move(shape));
  for (Scalar& v : values) {
    // Sum of four uniform numbers: std::normal_distribution differs between libraries.
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<double>(engine()) / 4294967296.0 - 0.5;
    v = static_cast<Scalar>(sum * 1.7320508 * scale);
  }
  return values;
}

}  // namespace bridgetower::testing

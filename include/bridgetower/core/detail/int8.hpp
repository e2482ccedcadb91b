#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace bridgetower::detail {

/// A row of weights as whole steps, 127 to each side of its largest magnitude; returns the step.
/// A value that is no finite number becomes anything.
inline float to_int8(const float* values, std::int64_t count, std::int8_t* out) noexcept {
  constexpr float kSteps = 127.0F;
  float largest = 0;
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  const float step = largest / kSteps;
  // A row of denormal numbers has no reciprocal; it counts as zero.
  const float factor = step > 1e-37F && step < 1e37F ? 1 / step : 0.0F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  for (std::int64_t i = 0; i < count; ++i) {
    const float shifted = values[i] * factor + kRound;
    std::int32_t bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    out[i] = static_cast<std::int8_t>(bits);
  }
  return factor == 0 ? 0.0F : step;
}

}  // namespace bridgetower::detail

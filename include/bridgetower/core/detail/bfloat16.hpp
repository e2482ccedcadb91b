#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace bridgetower::detail {

inline std::uint32_t bits_of(float value) noexcept {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Rounded to the nearest, ties to even; what is no number stays none.
inline std::uint16_t bfloat_from_float(float value) noexcept {
  const std::uint32_t bits = bits_of(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

/// Exact.
inline float float_from_bfloat(std::uint16_t value) noexcept {
  const std::uint32_t bits = std::uint32_t{value} << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

}  // namespace bridgetower::detail

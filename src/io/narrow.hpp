#pragma once

#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/core/dtype.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bridgetower::detail {

/// Rounded to the nearest, ties to even; infinite from 65520 on.
inline std::uint16_t half_from_float(float value) {
  const std::uint32_t bits = bits_of(value);
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  std::uint32_t half;
  if (magnitude > 0x7F800000U) {
    half = 0x7E00U;  // not a number
  } else if (magnitude >= 0x477FF000U) {
    half = 0x7C00U;
  } else if (magnitude < 0x38800000U) {
    // Below 2^-14 a half counts 2^-24: adding 0.5 leaves that count in a float's last bits.
    float shifted;
    std::memcpy(&shifted, &magnitude, sizeof shifted);
    half = bits_of(shifted + 0.5F) - bits_of(0.5F);
  } else {
    half = (magnitude - (112U << 23) + 0xFFFU + (magnitude >> 13 & 1U)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | half);
}

/// Stores floats as F32, F16 or BF16, little-endian.
inline void narrow(DType dtype, const float* values, std::size_t count, unsigned char* out) {
  if (dtype == DType::kF32) {
    std::memcpy(out, values, count * sizeof *values);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint16_t stored =
        dtype == DType::kF16 ? half_from_float(values[i]) : bfloat_from_float(values[i]);
    std::memcpy(out + i * sizeof stored, &stored, sizeof stored);
  }
}

}  // namespace bridgetower::detail

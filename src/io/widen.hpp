#pragma once

#include <bridgetower/core/dtype.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bridgetower::detail {

inline float float_from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// IEEE half precision, exactly.
inline float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = half >> 10 & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {  // zero and subnormal numbers: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * (1.0F / 16777216.0F);
    return sign == 0 ? magnitude : -magnitude;
  }
  if (exponent == 31) return float_from_bits(sign | 0x7F800000U | fraction << 13);
  return float_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

inline float float_from_bfloat(std::uint16_t bits) {
  return float_from_bits(static_cast<std::uint32_t>(bits) << 16);
}

template <class Stored, class Scalar, class Convert>
void widen_all(const unsigned char* bytes, std::size_t count, Scalar* out, Convert convert) {
  for (std::size_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
    out[i] = static_cast<Scalar>(convert(value));
  }
}

/// Little-endian values of a floating type as Scalar; false for any other type.
template <class Scalar>
bool widen(DType dtype, const unsigned char* bytes, std::size_t count, Scalar* out) {
  switch (dtype) {
    case DType::kF16:
      widen_all<std::uint16_t>(bytes, count, out, float_from_half);
      return true;
    case DType::kBF16:
      widen_all<std::uint16_t>(bytes, count, out, float_from_bfloat);
      return true;
    case DType::kF32:
      widen_all<float>(bytes, count, out, [](float v) { return v; });
      return true;
    case DType::kF64:
      widen_all<double>(bytes, count, out, [](double v) { return v; });
      return true;
    default:
      return false;
  }
}

}  // namespace bridgetower::detail

#pragma once

#include <cstddef>
#include <cstdint>

namespace bridgetower {

/// Element types of stored tensors, as safetensors knows them. A model reads F16, BF16, F32 and
/// F64.
enum class DType : std::uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E4M3,
  kF8E5M2,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kI64,
  kU64,
  kF64,
};

/// safetensors' name, e.g. "BF16".
constexpr const char* to_string(DType dtype) noexcept {
  constexpr const char* kNames[] = {"BOOL", "U8",  "I8",  "F8_E4M3", "F8_E5M2", "I16", "U16", "F16",
                                    "BF16", "I32", "U32", "F32",     "I64",     "U64", "F64"};
  return kNames[static_cast<std::size_t>(dtype)];
}

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) noexcept {
  if (dtype < DType::kI16) return 1;
  if (dtype < DType::kI32) return 2;
  return dtype < DType::kI64 ? 4 : 8;
}

constexpr bool is_floating(DType dtype) noexcept {
  return dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF32 ||
         dtype == DType::kF64;
}

}  // namespace bridgetower

#pragma once

#include <bridgetower/core/tensor.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

// Values in PostgreSQL's binary format: numbers are big-endian, bytea is its bytes.
namespace bridgetower::postgres {

/// `value` has the length of Number.
template <class Number>
Number from_wire(std::string_view value) {
  using Bits = std::make_unsigned_t<Number>;
  Bits bits = 0;
  for (const char c : value) bits = static_cast<Bits>((bits << 8) | static_cast<unsigned char>(c));
  return static_cast<Number>(bits);
}

template <class Number>
std::string to_wire(Number number) {
  std::string value(sizeof number, '\0');
  auto bits = static_cast<std::make_unsigned_t<Number>>(number);
  for (std::size_t i = value.size(); i-- > 0; bits = static_cast<decltype(bits)>(bits >> 8)) {
    value[i] = static_cast<char>(bits & 0xFF);
  }
  return value;
}

/// pgvector's: the length and an unused number of 16 bits each, then the floats. vector [E]
std::string vector_to_wire(const Tensor<float>& vector);

/// Writes `size` floats to `out`; whether `value` is a vector of that length.
bool vector_from_wire(std::string_view value, std::int64_t size, float* out);

}  // namespace bridgetower::postgres

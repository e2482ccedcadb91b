#include "postgres/wire.hpp"

#include <cstring>

namespace bridgetower::postgres {
namespace {

constexpr std::size_t kHeader = 4;

}  // namespace

std::string vector_to_wire(const Tensor<float>& vector) {
  std::string value = to_wire(static_cast<std::int16_t>(vector.size())) + std::string(2, '\0');
  value.reserve(kHeader + vector.size() * sizeof(float));
  for (const float number : vector) {
    std::uint32_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    value += to_wire(bits);
  }
  return value;
}

bool vector_from_wire(std::string_view value, std::int64_t size, float* out) {
  const auto count = static_cast<std::size_t>(size);
  if (value.size() != kHeader + count * sizeof(float)) return false;
  if (from_wire<std::uint16_t>(value.substr(0, 2)) != count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = from_wire<std::uint32_t>(value.substr(kHeader + i * sizeof(float), 4));
    std::memcpy(out + i, &bits, sizeof bits);
  }
  return true;
}

}  // namespace bridgetower::postgres

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bridgetower {

/// FNV-1a, 64 bits: tells things apart that differ by accident, not by malice.
class Fingerprint {
 public:
  Fingerprint& add(const void* bytes, std::size_t count) noexcept {
    const auto* const next = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < count; ++i) value_ = (value_ ^ next[i]) * 0x100000001B3U;
    return *this;
  }

  /// The text and where it ends.
  Fingerprint& add(std::string_view text) noexcept {
    return add(text.data(), text.size()).add("", 1);
  }

  std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325U;
};

}  // namespace bridgetower

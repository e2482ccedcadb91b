#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace bridgetower::detail {

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
class Sha256 {
 public:
  using Digest = std::array<unsigned char, 32>;

  void add(const void* bytes, std::size_t count);

  /// Of everything added; nothing may be added after it.
  Digest finish();

 private:
  static constexpr std::size_t kBlock = 64;

  void add_block(const unsigned char* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, kBlock> rest_{};
  std::uint64_t count_ = 0;
};

Sha256::Digest sha256(const void* bytes, std::size_t count);

std::string to_hex(const void* bytes, std::size_t count);

}  // namespace bridgetower::detail

#include "core/crc32.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bridgetower::detail {
namespace {

constexpr std::uint32_t kPolynomial = 0xEDB88320;  // of CRC-32, lowest power first
constexpr std::size_t kSlices = 8;

/// Entry [s][b]: what byte b does to the remainder when s more bytes follow it.
constexpr std::array<std::array<std::uint32_t, 256>, kSlices> make_tables() {
  std::array<std::array<std::uint32_t, 256>, kSlices> tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t value = b;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? kPolynomial : 0);
    tables[0][b] = value;
  }
  for (std::size_t s = 1; s < kSlices; ++s) {
    for (std::size_t b = 0; b < 256; ++b) {
      const std::uint32_t before = tables[s - 1][b];
      tables[s][b] = before >> 8 ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr auto kTables = make_tables();

std::uint32_t by_table(std::uint32_t remainder, const unsigned char* bytes, std::size_t count) {
  for (; count >= kSlices; bytes += kSlices, count -= kSlices) {
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    word ^= remainder;
    remainder = 0;
    for (std::size_t i = 0; i < kSlices; ++i) {
      remainder ^= kTables[kSlices - 1 - i][word >> (8 * i) & 0xFF];
    }
  }
  for (; count > 0; ++bytes, --count) {
    remainder = remainder >> 8 ^ kTables[0][(remainder ^ *bytes) & 0xFF];
  }
  return remainder;
}

#if defined(__x86_64__)

constexpr std::size_t kBlock = 64;

__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i value, __m128i powers,
                                                             __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(value, powers, 0x00);
  const __m128i high = _mm_clmulepi64_si128(value, powers, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/// Folds blocks of 64 bytes into 16 that leave the same remainder. `count` is a multiple of 64 and
/// at least 64.
__attribute__((target("pclmul,sse4.1"))) std::uint32_t by_folding(std::uint32_t remainder,
                                                                  const unsigned char* bytes,
                                                                  std::size_t count) {
  // x^(512+32), x^(512-32) and x^(128+32), x^(128-32) modulo the polynomial, bits reversed.
  const __m128i by_512 = _mm_set_epi64x(0x1C6E41596, 0x154442BD4);
  const __m128i by_128 = _mm_set_epi64x(0x0CCAA009E, 0x1751997D0);
  const auto* next = reinterpret_cast<const __m128i*>(bytes);
  __m128i lanes[4];
  for (__m128i& lane : lanes) lane = _mm_loadu_si128(next++);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(remainder)));
  for (count -= kBlock; count > 0; count -= kBlock) {
    for (__m128i& lane : lanes) lane = fold(lane, by_512, _mm_loadu_si128(next++));
  }
  __m128i all = lanes[0];
  for (int i = 1; i < 4; ++i) all = fold(all, by_128, lanes[i]);
  unsigned char folded[sizeof all];
  std::memcpy(folded, &all, sizeof all);
  return by_table(0, folded, sizeof folded);
}

#endif

}  // namespace

std::uint32_t crc32(std::uint32_t crc, const void* bytes, std::size_t count) {
  const auto* next = static_cast<const unsigned char*>(bytes);
  std::uint32_t remainder = ~crc;
#if defined(__x86_64__)
  static const bool can_fold = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  const std::size_t blocks = count - count % kBlock;
  if (can_fold && blocks > 0) {
    remainder = by_folding(remainder, next, blocks);
    next += blocks;
    count -= blocks;
  }
#endif
  return ~by_table(remainder, next, count);
}

}  // namespace bridgetower::detail

#pragma once

#include <cstdint>
#include <string>

#include "tests/support/torch_file.hpp"

/// SentencePiece models field by field, for tests to break.
namespace bridgetower::testing::sentencepiece {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>((value & 127) | 128);
  return bytes + static_cast<char>(value);
}

inline std::string field(std::uint64_t number, const std::string& payload) {
  return varint(number << 3 | 2) + varint(payload.size()) + payload;
}

inline std::string number_field(std::uint64_t number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}

/// `score` as the bits of a float.
inline std::string piece(const std::string& text, std::uint64_t type = 1, std::uint32_t score = 0) {
  return field(1, field(1, text) + varint(2 << 3 | 5) + bytes_of(score, 4) + number_field(3, type));
}

/// The smallest model: the special pieces, a space and "a".
inline std::string small_model() {
  return piece("<unk>", 2) + piece("<s>", 3) + piece("</s>", 3) + piece("\u2581") + piece("a");
}

/// A table of replacements whose trie leads from "a" to "a" to "a", and so on without an end.
inline std::string circle() {
  constexpr std::size_t kUnits = 128;
  std::string units(4 * kUnits, '\0');
  units.replace(4 * 'a', 4, bytes_of('a' << 10 | 'a', 4));
  return field(3, field(2, bytes_of(units.size(), 4) + units + std::string("x\0", 2)));
}

}  // namespace bridgetower::testing::sentencepiece

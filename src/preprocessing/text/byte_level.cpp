#include "preprocessing/text/byte_level.hpp"

#include "preprocessing/text/unicode.hpp"

namespace bridgetower::detail {
namespace {

bool stands_for_itself(std::uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::uint32_t kFirstSubstitute = 0x100;  // the other 68 bytes, in ascending order
constexpr std::uint32_t kAlphabetEnd = kFirstSubstitute + 68;

/// Code point to byte; -1 where the code point is not in the alphabet.
const std::array<int, kAlphabetEnd>& byte_of_code_point() {
  static const std::array<int, kAlphabetEnd> table = [] {
    std::array<int, kAlphabetEnd> values{};
    values.fill(-1);
    std::uint32_t substitute = kFirstSubstitute;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      values[stands_for_itself(byte) ? byte : substitute++] = static_cast<int>(byte);
    }
    return values;
  }();
  return table;
}

CharClass class_at(std::string_view text, std::size_t position) {
  return char_class(code_point_at(text, position).value);
}

/// Past the run of code points of class `kind` at `position`.
std::size_t run_end(std::string_view text, std::size_t position, CharClass kind) {
  while (position < text.size()) {
    const CodePoint next = code_point_at(text, position);
    if (char_class(next.value) != kind) break;
    position += next.bytes;
  }
  return position;
}

/// Bytes of the contraction at `position`, 0 where there is none.
std::size_t contraction(std::string_view text, std::size_t position) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.substr(position, ending.size()) == ending) return ending.size();
  }
  return 0;
}

}  // namespace

const std::array<std::string, 256>& byte_alphabet() {
  static const std::array<std::string, 256> alphabet = [] {
    std::array<std::string, 256> letters;
    const auto& table = byte_of_code_point();
    for (std::uint32_t code_point = 0; code_point < kAlphabetEnd; ++code_point) {
      if (table[code_point] >= 0) {
        append_utf8(code_point, letters[static_cast<std::size_t>(table[code_point])]);
      }
    }
    return letters;
  }();
  return alphabet;
}

std::optional<std::string> bytes_of_token(std::string_view token) {
  std::string bytes;
  for (std::size_t i = 0; i < token.size();) {
    const CodePoint letter = code_point_at(token, i);
    if (letter.value >= kAlphabetEnd || byte_of_code_point()[letter.value] < 0) return std::nullopt;
    bytes += static_cast<char>(byte_of_code_point()[letter.value]);
    i += letter.bytes;
  }
  return bytes;
}

std::size_t piece_end(std::string_view text, std::size_t begin) noexcept {
  if (text[begin] == '\'') {
    const std::size_t bytes = contraction(text, begin);
    if (bytes > 0) return begin + bytes;
  }
  std::size_t word = begin;
  if (text[begin] == ' ' && begin + 1 < text.size() &&
      class_at(text, begin + 1) != CharClass::kSpace) {
    word = begin + 1;  // one space belongs to the word after it
  }
  const CharClass kind = class_at(text, word);
  if (kind != CharClass::kSpace) return run_end(text, word, kind);
  // White space; before a word the last of it is left for what follows.
  const std::size_t end = run_end(text, begin, CharClass::kSpace);
  if (end == text.size()) return end;
  std::size_t last = end - 1;
  while ((static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
  return last > begin ? last : end;
}

}  // namespace bridgetower::detail

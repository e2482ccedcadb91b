#include "core/utf8.hpp"

#include <cstdint>

namespace bridgetower::detail {
namespace {

std::uint32_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

/// Bytes of the well-formed sequence at `position` (`valid`), or of its maximal ill-formed part.
struct Sequence {
  std::size_t bytes;
  bool valid;
};

Sequence sequence_at(std::string_view text, std::size_t position) {
  const std::uint32_t lead = byte_at(text, position);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range excludes overlong forms, surrogates and values beyond U+10FFFF.
  std::uint32_t least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  std::uint32_t most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    if (position + i >= text.size()) return {i, false};
    const std::uint32_t byte = byte_at(text, position + i);
    if (byte < least || byte > most) return {i, false};
    least = 0x80;
    most = 0xBF;
  }
  return {length, true};
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const Sequence sequence = sequence_at(text, i);
    if (!sequence.valid) return i;
    i += sequence.bytes;
  }
  return std::string_view::npos;
}

std::string repaired_utf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Sequence sequence = sequence_at(text, i);
    if (sequence.valid) {
      repaired.append(text.substr(i, sequence.bytes));
    } else {
      repaired += "\xEF\xBF\xBD";
    }
    i += sequence.bytes;
  }
  return repaired;
}

}  // namespace bridgetower::detail

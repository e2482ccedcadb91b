#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/utf8.hpp"

namespace bridgetower::detail {

/// What the pre-tokenizer tells apart: General_Category L*, N*, the White_Space property, all else.
enum class CharClass : std::uint8_t { kOther, kLetter, kNumber, kSpace };

/// Unicode 16.0, as Hugging Face's engine.
CharClass char_class(std::uint32_t code_point) noexcept;

/// A code point and the number of its bytes.
struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;
};

/// The code point at `position` of valid UTF-8.
CodePoint code_point_at(std::string_view text, std::size_t position) noexcept;

/// Appends a code point below 0x800 as UTF-8.
void append_utf8(std::uint32_t code_point, std::string& out);

}  // namespace bridgetower::detail

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bridgetower::detail {

/// GPT-2's byte alphabet: the character that stands for each byte in a vocabulary, as UTF-8.
const std::array<std::string, 256>& byte_alphabet();

/// The bytes that a token of the byte alphabet stands for; nothing for a token with other
/// characters.
std::optional<std::string> bytes_of_token(std::string_view token);

/// The end of the pre-tokenizer's piece that begins at `begin` of valid UTF-8. One forward scan
/// does what the pattern 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// describes.
std::size_t piece_end(std::string_view text, std::size_t begin) noexcept;

}  // namespace bridgetower::detail

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridgetower::detail {

/// U+2581, which stands for a space in pieces.
constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

/// What SentencePiece does to a text before it looks for pieces: the model's table of replacements,
/// white space trimmed and its runs collapsed, spaces to U+2581, one of them in front.
class Normalizer {
 public:
  struct Text {
    std::string bytes;
    /// Per byte, [begin, end) in the original of the character that it comes from.
    std::vector<std::pair<std::size_t, std::size_t>> sources;
  };

  /// `table`: the model's precompiled_charsmap, may be empty; `max_bytes` of a normalised text.
  /// Throws FormatError.
  Normalizer(std::string_view table, const std::string& place, std::uint64_t max_bytes);

  /// Of valid UTF-8; the result is valid UTF-8 too. Throws LimitError for a result that is too
  /// long.
  Text normalize(std::string_view text) const;

 private:
  /// What the bytes at a position become, and how many of them.
  struct Replacement {
    std::string_view bytes;
    std::size_t length;
  };

  Replacement replacement_at(std::string_view text, std::size_t position) const;
  static void append(const Replacement& replacement, std::string_view text, std::size_t position,
                     std::size_t skip, Text& out);

  std::vector<std::uint32_t> trie_;  // a double array of darts-clone
  std::string strings_;              // replacements, each ending in a zero byte
  std::uint64_t max_bytes_;
};

}  // namespace bridgetower::detail

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/seeded_hash.hpp"

namespace bridgetower::detail {

/// Byte-pair encoding of pieces of bytes. A merge's rank and its result's id are two numbers.
class Bpe {
 public:
  struct Token {
    std::int64_t id;
    std::size_t begin;  // bytes of the text that holds the piece
    std::size_t end;
  };

  using Vocabulary = std::unordered_map<std::string, std::int64_t, SeededHash>;
  using Merges = std::vector<std::pair<std::string, std::string>>;

  /// Throws FormatError where a byte or a merge's part or result is not in the vocabulary.
  Bpe(const Vocabulary& vocabulary, const Merges& merges, bool ignore_merges,
      const std::string& place);

  /// Appends the tokens of text[begin, end). Time n log n in the length of the piece.
  void encode(std::string_view text, std::size_t begin, std::size_t end,
              std::vector<Token>& tokens) const;

 private:
  struct Merge {
    std::uint32_t rank;
    std::uint32_t result;
  };

  const Merge* find(std::uint32_t left, std::uint32_t right) const;

  std::array<std::uint32_t, 256> byte_ids_{};
  std::unordered_map<std::uint64_t, Merge, SeededHash> merges_;  // by left id and right id
  std::unordered_map<std::string, std::uint32_t, SeededHash>
      whole_;  // pieces by bytes, with ignore_merges
};

}  // namespace bridgetower::detail

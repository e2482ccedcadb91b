#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sentencepiece/model_file.hpp"

namespace bridgetower::detail {

/// Unigram segmentation: the pieces with the largest sum of scores that cover a text.
class Unigram {
 public:
  /// [begin, end) of the text; `piece` is an index of the model's pieces, or kUnknown for a run of
  /// characters that no piece covers.
  struct Token {
    std::int64_t piece;
    std::size_t begin;
    std::size_t end;
  };
  static constexpr std::int64_t kUnknown = -1;

  explicit Unigram(const std::vector<ModelFile::Piece>& pieces);

  /// Of valid UTF-8. As SentencePiece does, sums are kept in float, compared in double before they
  /// are rounded, and of equal ones the first stays. Time linear in the length of the text.
  std::vector<Token> segment(std::string_view text) const;

 private:
  struct Entry {
    std::string text;
    float score;
    std::int64_t piece;
  };

  std::vector<Entry> entries_;  // in the order of their bytes
  float unknown_score_;
};

}  // namespace bridgetower::detail

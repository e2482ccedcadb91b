#pragma once

#include <bridgetower/core/limits.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower::detail {

/// What a SentencePiece model of the XLM-R layout holds: <unk>, <s>, </s>, then pieces of a Unigram
/// model, and the table of its normalizer.
struct ModelFile {
  struct Piece {
    std::string text;
    float score;
  };

  std::vector<Piece> pieces;  // from SentencePiece's id 3 on
  std::string replacements;   // precompiled_charsmap
};

/// Throws FormatError for bytes that are no SentencePiece model and for a model of another kind,
/// LimitError for a piece that is too long.
ModelFile parse_model_file(std::string_view bytes, const std::string& place, const Limits& limits);

}  // namespace bridgetower::detail

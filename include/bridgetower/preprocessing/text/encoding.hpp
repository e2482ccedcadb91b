#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bridgetower {

enum class Padding { kNone, kLongest, kMaxLength };
enum class Truncation { kNone, kLongestFirst, kOnlyFirst, kOnlySecond };
enum class Side { kRight, kLeft };
enum class InvalidUtf8 { kReplace, kError };

/// HF: the arguments of a tokenizer's __call__, with its defaults.
struct EncodeOptions {
  bool add_special_tokens = true;
  Padding padding = Padding::kNone;
  Truncation truncation = Truncation::kNone;
  /// Tokens, special ones included. Absent: the tokenizer's model_max_length; where the files do
  /// not name it, nothing is cut or padded to it.
  std::optional<std::int64_t> max_length;
  std::int64_t stride = 0;  ///< tokens that overflowing parts share
  std::int64_t pad_to_multiple_of = 0;
  std::optional<Side> padding_side;     ///< absent: as tokenizer_config.json says, else right
  std::optional<Side> truncation_side;  ///< likewise
  bool return_overflowing_tokens = false;
  bool split_special_tokens = false;  ///< special tokens in the text are text like any other
  /// What is not UTF-8 becomes U+FFFD, each maximal part one of them, or is an InputError.
  InvalidUtf8 invalid_utf8 = InvalidUtf8::kReplace;
};

/// One text, or pair of texts, as tokens; all vectors have one entry a token.
struct Encoding {
  std::vector<std::int64_t> input_ids;
  std::vector<std::int64_t> attention_mask;       ///< 0 at padding
  std::vector<std::int64_t> special_tokens_mask;  ///< 1 for what the template or padding added
  std::vector<std::string> tokens;                ///< as the vocabulary writes them
  /// [begin, end) in code points of its text; (0, 0) for special tokens.
  std::vector<std::pair<std::int64_t, std::int64_t>> offset_mapping;
  std::vector<std::optional<std::int64_t>> word_ids;      ///< index of the pre-tokenizer's piece
  std::vector<std::optional<std::int64_t>> sequence_ids;  ///< 0 first text, 1 second
  std::vector<Encoding> overflowing;                      ///< the parts that truncation cut off

  std::size_t size() const noexcept { return input_ids.size(); }
};

}  // namespace bridgetower

#pragma once

#include <bridgetower/preprocessing/text/tokenizer.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "preprocessing/text/bpe.hpp"

namespace bridgetower::detail {

/// What the files of a byte-level BPE tokenizer say.
struct TokenizerFiles {
  std::string place;  // the file that errors name
  Bpe::Vocabulary vocabulary;
  Bpe::Merges merges;
  bool ignore_merges = false;
  bool add_prefix_space = false;
  bool trim_offsets = true;
  bool keep_one_space = false;               // the post-processor's add_prefix_space
  std::pair<std::string, std::int64_t> cls;  // the post-processor's token and id
  std::pair<std::string, std::int64_t> sep;
  std::vector<AddedToken> added_tokens;  // without ids; RoBERTa's special tokens among them
};

/// What tokenizer_config.json says on top of them; absent keys change nothing.
struct TokenizerConfig {
  std::optional<std::int64_t> model_max_length;  // absent also for HF's "no limit"
  std::optional<bool> add_prefix_space;
  std::optional<bool> trim_offsets;
  std::optional<Side> padding_side;
  std::optional<Side> truncation_side;
  std::vector<AddedToken> added_tokens;  // in the order of their ids
};

/// tokenizer.json. Throws IoError, LimitError or FormatError; a tokenizer of another kind is
/// refused.
TokenizerFiles read_tokenizer_json(const std::filesystem::path& file, const Limits& limits);

/// vocab.json and merges.txt, with RoBERTa's special tokens. Throws IoError, LimitError or
/// FormatError.
TokenizerFiles read_vocab_and_merges(const std::filesystem::path& directory, const Limits& limits);

/// tokenizer_config.json of a model directory; nothing where there is none. Throws IoError,
/// LimitError or FormatError.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory, const Limits& limits);

}  // namespace bridgetower::detail

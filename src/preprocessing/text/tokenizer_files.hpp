#pragma once

#include <bridgetower/preprocessing/text/tokenizer.hpp>
#include <filesystem>
#include <string>
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
  bool keep_one_space = false;  // the post-processor's add_prefix_space
  std::string cls = "<s>";
  std::string sep = "</s>";
  std::vector<AddedToken> added_tokens;  // ids as the file gives them; they are not trusted
};

/// tokenizer.json. Throws IoError, LimitError or FormatError; a tokenizer of another kind is
/// refused.
TokenizerFiles read_tokenizer_json(const std::filesystem::path& file);

/// vocab.json and merges.txt, with RoBERTa's special tokens. Throws IoError, LimitError or
/// FormatError.
TokenizerFiles read_vocab_and_merges(const std::filesystem::path& directory);

}  // namespace bridgetower::detail

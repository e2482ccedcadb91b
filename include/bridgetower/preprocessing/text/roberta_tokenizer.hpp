#pragma once

#include <bridgetower/preprocessing/text/tokenizer.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// Byte-level BPE with RoBERTa's template. HF: RobertaTokenizerFast.
class RobertaTokenizer : public TextTokenizer {
 public:
  /// Reads tokenizer.json, or vocab.json and merges.txt where there is none, and over them
  /// tokenizer_config.json (model_max_length, add_prefix_space, trim_offsets, the sides of padding
  /// and truncation, added_tokens_decoder).
  /// Throws IoError, LimitError, or FormatError for files of another kind of tokenizer and for
  /// broken ones.
  static std::shared_ptr<const RobertaTokenizer> from_pretrained(
      const std::filesystem::path& model, const std::string& revision = "main",
      const Limits& limits = {});

  ~RobertaTokenizer() override;

  std::optional<std::int64_t> token_to_id(std::string_view token) const override;
  std::optional<std::string> id_to_token(std::int64_t id) const override;
  std::int64_t vocab_size() const override;

 private:
  struct Model;  // vocabulary and merges

  RobertaTokenizer();
  void load(const std::filesystem::path& directory);

  std::vector<SegmentToken> tokenize_segment(std::string_view segment) const override;
  std::string join(const std::vector<std::int64_t>& ids) const override;

  std::unique_ptr<const Model> model_;
};

}  // namespace bridgetower

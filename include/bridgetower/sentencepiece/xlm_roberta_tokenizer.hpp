#pragma once

#include <bridgetower/preprocessing/text/tokenizer.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// SentencePiece's Unigram model with fairseq's ids and RoBERTa's template. HF:
/// XLMRobertaTokenizer.
///
/// Ids follow the model file, as SentencePiece segments it and as text towers were trained. HF's
/// own engine differs from it for some decomposed or half-width characters and where two
/// segmentations have the same score.
///
///     const BridgeTowerProcessor processor(
///         BridgeTowerImageProcessor(ImageProcessorConfig::from_pretrained("model")),
///         XlmRobertaTokenizer::from_pretrained("model"));
class XlmRobertaTokenizer : public TextTokenizer {
 public:
  /// Reads sentencepiece.bpe.model and, where it is there, tokenizer_config.json (model_max_length,
  /// the sides of padding and truncation, added_tokens_decoder). Throws IoError, LimitError, or
  /// FormatError for a model of another kind or layout and for a broken one.
  static std::shared_ptr<const XlmRobertaTokenizer> from_pretrained(
      const std::filesystem::path& directory, const Limits& limits = {});

  ~XlmRobertaTokenizer() override;

  std::optional<std::int64_t> token_to_id(std::string_view token) const override;
  std::optional<std::string> id_to_token(std::int64_t id) const override;
  std::int64_t vocab_size() const override;

 private:
  struct Model;

  XlmRobertaTokenizer(const std::filesystem::path& directory, const Limits& limits);

  std::vector<SegmentToken> tokenize_segment(std::string_view segment) const override;
  std::string join(const std::vector<std::int64_t>& ids) const override;

  std::unique_ptr<const Model> model_;
};

}  // namespace bridgetower

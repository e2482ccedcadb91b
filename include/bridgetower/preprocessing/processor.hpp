#pragma once

#include <bridgetower/core/batch_encoding.hpp>
#include <bridgetower/preprocessing/image/image.hpp>
#include <bridgetower/preprocessing/image/image_processor.hpp>
#include <bridgetower/preprocessing/text/tokenizer.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// Images and texts -> the inputs of a model. HF: BridgeTowerProcessor. Safe for concurrent use.
///
///     const auto processor = BridgeTowerProcessor::from_pretrained("model");
///     const BatchEncoding inputs = processor(Image::load("cat.jpg"), "a cat on a chair");
class BridgeTowerProcessor {
 public:
  /// Reads preprocessor_config.json and the tokenizer's files of a model: a directory, or ORG/NAME
  /// of one in the Hugging Face cache (core/hub_cache.hpp). Throws IoError, FormatError,
  /// ConfigError or LimitError.
  static BridgeTowerProcessor from_pretrained(const std::filesystem::path& model,
                                              const std::string& revision = "main",
                                              const Limits& limits = {});

  BridgeTowerProcessor(BridgeTowerImageProcessor image_processor,
                       std::shared_ptr<const TextTokenizer> tokenizer);

  /// One image and one text: B = 1. Throws InputError for text that is not UTF-8 and for images
  /// that cannot be brought to the configured size.
  BatchEncoding operator()(const Image& image, std::string_view text,
                           const EncodeOptions& options = {}) const;

  /// Image i with text i. Texts are padded to the longest unless the options say otherwise. Throws
  /// InputError when there are not as many images as texts.
  BatchEncoding operator()(const std::vector<Image>& images, const std::vector<std::string>& texts,
                           EncodeOptions options = {}) const;

  /// Pixels only: pixel_values and pixel_mask.
  BatchEncoding encode_images(const std::vector<Image>& images) const;

  /// Tokens only: input_ids, attention_mask and, where asked for, offsets. Ragged rows are an
  /// InputError.
  BatchEncoding encode_texts(const std::vector<std::string>& texts,
                             EncodeOptions options = {}) const;

  /// HF: tokenizer.decode and batch_decode.
  std::string decode(const Tensor<std::int64_t>& ids, bool skip_special_tokens = false) const {
    return tokenizer_->decode(ids, skip_special_tokens);
  }
  std::vector<std::string> batch_decode(const Tensor<std::int64_t>& ids,
                                        bool skip_special_tokens = false) const;

  const BridgeTowerImageProcessor& image_processor() const noexcept { return image_processor_; }
  const TextTokenizer& tokenizer() const noexcept { return *tokenizer_; }

 private:
  BridgeTowerImageProcessor image_processor_;
  std::shared_ptr<const TextTokenizer> tokenizer_;
};

}  // namespace bridgetower

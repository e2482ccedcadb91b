#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/hub_cache.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <utility>

namespace bridgetower {

BridgeTowerProcessor BridgeTowerProcessor::from_pretrained(const std::filesystem::path& model,
                                                           const std::string& revision,
                                                           const Limits& limits) {
  const std::filesystem::path directory = find_model(model, revision);
  return {BridgeTowerImageProcessor(
              ImageProcessorConfig::from_pretrained(directory, "main", limits), limits),
          RobertaTokenizer::from_pretrained(directory, "main", limits)};
}

BridgeTowerProcessor::BridgeTowerProcessor(BridgeTowerImageProcessor image_processor,
                                           std::shared_ptr<const TextTokenizer> tokenizer)
    : image_processor_(std::move(image_processor)), tokenizer_(std::move(tokenizer)) {}

BatchEncoding BridgeTowerProcessor::encode_images(const std::vector<Image>& images) const {
  ImageFeatures features = image_processor_(images);
  BatchEncoding encoding;
  encoding.pixel_values = features.pixel_bytes.empty() ? std::move(features.pixel_values)
                                                       : features.pixel_bytes.cast<float>();
  encoding.pixel_mask = std::move(features.pixel_mask);
  return encoding;
}

BatchEncoding BridgeTowerProcessor::encode_texts(const std::vector<std::string>& texts,
                                                 EncodeOptions options) const {
  options.invalid_utf8 = InvalidUtf8::kError;
  const std::vector<Encoding> rows = tokenizer_->encode_batch(texts, options);
  const std::size_t length = rows.empty() ? 0 : rows.front().size();
  const Shape shape{static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(length)};
  BatchEncoding encoding;
  encoding.input_ids = Tensor<std::int64_t>(shape);
  encoding.attention_mask = Tensor<std::int64_t>(shape);
  std::int64_t* ids = encoding.input_ids.data();
  std::int64_t* mask = encoding.attention_mask.data();
  for (const Encoding& row : rows) {
    if (row.size() != length) {
      throw InputError("texts", "tokens without padding", std::to_string(length),
                       std::to_string(row.size()));
    }
    ids = std::copy(row.input_ids.begin(), row.input_ids.end(), ids);
    mask = std::copy(row.attention_mask.begin(), row.attention_mask.end(), mask);
    encoding.offset_mapping.push_back(row.offset_mapping);
  }
  return encoding;
}

BatchEncoding BridgeTowerProcessor::operator()(const std::vector<Image>& images,
                                               const std::vector<std::string>& texts,
                                               EncodeOptions options) const {
  if (images.size() != texts.size()) {
    throw InputError("texts", "number, one for each image", std::to_string(images.size()),
                     std::to_string(texts.size()));
  }
  if (options.padding == Padding::kNone) options.padding = Padding::kLongest;
  BatchEncoding encoding = encode_images(images);
  BatchEncoding text = encode_texts(texts, std::move(options));
  encoding.input_ids = std::move(text.input_ids);
  encoding.attention_mask = std::move(text.attention_mask);
  encoding.offset_mapping = std::move(text.offset_mapping);
  return encoding;
}

BatchEncoding BridgeTowerProcessor::operator()(const Image& image, std::string_view text,
                                               const EncodeOptions& options) const {
  return (*this)(std::vector<Image>{image}, std::vector<std::string>{std::string(text)}, options);
}

std::vector<std::string> BridgeTowerProcessor::batch_decode(const Tensor<std::int64_t>& ids,
                                                            bool skip_special_tokens) const {
  std::vector<std::string> texts;
  for (std::int64_t row = 0; row < ids.dim(0); ++row) {
    texts.push_back(decode(ids.row(row), skip_special_tokens));
  }
  return texts;
}

}  // namespace bridgetower

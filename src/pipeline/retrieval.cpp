#include <bridgetower/pipeline/inputs.hpp>
#include <bridgetower/pipeline/retrieval.hpp>
#include <cmath>

namespace bridgetower {

ImageTextMatcher ImageTextMatcher::from_pretrained(const std::filesystem::path& model,
                                                   const LoadOptions& options) {
  return {BridgeTowerProcessor::from_pretrained(model, options.revision),
          BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(model, options)};
}

ImageState<float> ImageTextMatcher::encode(const Image& image) const {
  return encode_image(model_.model(), processor_, image);
}

TextState<float> ImageTextMatcher::encode(std::string_view text) const {
  return encode_text(model_.model(), processor_, text);
}

Tensor<float> ImageTextMatcher::match(const std::vector<ImageState<float>>& images,
                                      const std::vector<TextState<float>>& texts) const {
  Tensor<float> scores(
      {static_cast<std::int64_t>(images.size()), static_cast<std::int64_t>(texts.size())});
  float* out = scores.data();
  for (const ImageState<float>& image : images) {
    for (const TextState<float>& text : texts) *out++ = match_probability(logits(image, text));
  }
  return scores;
}

float match_probability(const Tensor<float>& logits) {
  return static_cast<float>(
      1.0 / (1.0 + std::exp(static_cast<double>(logits(0)) - static_cast<double>(logits(1)))));
}

}  // namespace bridgetower

#include <algorithm>
#include <bridgetower/pipeline/inputs.hpp>
#include <bridgetower/pipeline/retrieval.hpp>
#include <cmath>

namespace bridgetower {

ImageTextMatcher ImageTextMatcher::from_pretrained(const std::filesystem::path& model,
                                                   const LoadOptions& options) {
  return {BridgeTowerProcessor::from_pretrained(model, options.revision, options.limits),
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
  std::vector<StatePair<float>> pairs;
  const auto score_pairs = [&] {
    const Tensor<float> both = logits(pairs);
    for (std::size_t i = 0; i < pairs.size(); ++i)
      *out++ = match_probability(both(i, 0), both(i, 1));
    pairs.clear();
  };
  for (const ImageState<float>& image : images) {
    for (const TextState<float>& text : texts) {
      pairs.push_back({&image, &text});
      if (pairs.size() == static_cast<std::size_t>(detail::kPairsAtOnce)) score_pairs();
    }
  }
  score_pairs();
  return scores;
}

Tensor<float> ImageTextMatcher::match_texts(const std::vector<ImageState<float>>& images,
                                            const std::vector<std::string>& texts) const {
  constexpr auto kAtOnce = static_cast<std::size_t>(detail::kPairsAtOnce);
  Tensor<float> scores(
      {static_cast<std::int64_t>(images.size()), static_cast<std::int64_t>(texts.size())});
  for (std::size_t first = 0; first < texts.size(); first += kAtOnce) {
    const std::size_t last = std::min(texts.size(), first + kAtOnce);
    const auto begin = texts.begin();
    const std::vector<std::string> some(begin + static_cast<std::ptrdiff_t>(first),
                                        begin + static_cast<std::ptrdiff_t>(last));
    const std::vector<TextState<float>> states =
        model().encode_texts(text_inputs(processor_, some),
                             ops::all_rows(static_cast<std::int64_t>(some.size())), false);
    const Tensor<float> part = match(images, states);
    for (std::size_t i = 0; i < images.size(); ++i) {
      std::copy_n(part.data() + i * some.size(), some.size(),
                  scores.data() + i * texts.size() + first);
    }
  }
  return scores;
}

float match_probability(float no_match, float match) {
  return static_cast<float>(
      1.0 / (1.0 + std::exp(static_cast<double>(no_match) - static_cast<double>(match))));
}

}  // namespace bridgetower

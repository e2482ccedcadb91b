#pragma once

#include <bridgetower/heads/for_image_and_text_retrieval.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// Scores images against texts with the matching head; each image and each text is encoded once.
///
///     const auto matcher = ImageTextMatcher::from_pretrained("model");
///     const Tensor<float> scores = matcher.match({matcher.encode(image)}, {matcher.encode(text)});
class ImageTextMatcher {
 public:
  /// `model` as in BridgeTowerModel. Throws IoError, FormatError, ConfigError or WeightError.
  static ImageTextMatcher from_pretrained(const std::filesystem::path& model,
                                          const LoadOptions& options = {});

  ImageTextMatcher(BridgeTowerProcessor processor, BridgeTowerForImageAndTextRetrieval<float> model)
      : processor_(std::move(processor)), model_(std::move(model)) {}

  /// What states are made by, and loaded for (pipeline/state_file.hpp).
  const BridgeTowerModel<float>& model() const noexcept { return model_.model(); }

  ImageState<float> encode(const Image& image) const;

  /// Throws InputError for text that is not UTF-8 or has more tokens than the model has positions.
  TextState<float> encode(std::string_view text) const;

  /// [pairs, 2]: the logits of no match and of match. Pairs that are scored together share the
  /// reading of the weights; eight of them are enough.
  Tensor<float> logits(const std::vector<StatePair<float>>& pairs) const {
    return model_.scores(pairs);
  }

  /// One pair -> [2].
  Tensor<float> logits(const ImageState<float>& image, const TextState<float>& text) const {
    return model_.score(image, text);
  }

  /// [images, texts]: the probability of a match, softmax over the two logits. Bounded memory:
  /// eight pairs are worked on at a time.
  Tensor<float> match(const std::vector<ImageState<float>>& images,
                      const std::vector<TextState<float>>& texts) const;

  /// The same for texts as they come. Eight of their states exist at a time, each made once, so
  /// memory grows by no more than the result with the number of texts.
  Tensor<float> match_texts(const std::vector<ImageState<float>>& images,
                            const std::vector<std::string>& texts) const;

 private:
  BridgeTowerProcessor processor_;
  BridgeTowerForImageAndTextRetrieval<float> model_;
};

/// softmax(logits)[1] of one pair's two logits.
float match_probability(float no_match, float match);

}  // namespace bridgetower

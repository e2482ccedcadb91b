#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/load_options.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/pipeline/fill_mask.hpp>
#include <bridgetower/preprocessing/image/image.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// Which attention is looked at.
struct AttentionOptions {
  std::int64_t layer = -1;  ///< of the cross-modal text layers; negative counts from the last
  std::optional<std::int64_t> head;  ///< absent: the mean of all heads
  std::int64_t top_k = 5;            ///< words to propose for each mask

  /// Throws InputError, naming the range, for what a model of this configuration does not have.
  void check(const BridgeTowerConfig& config) const;
};

/// Where one word of a text looks in the picture: probabilities that with `cls` add up to 1.
struct WordAttention {
  std::string word;                 ///< as it stands in the text
  std::vector<std::string> tokens;  ///< as the vocabulary writes them
  std::int64_t begin = 0;           ///< [begin, end) in code points of the text
  std::int64_t end = 0;
  float cls = 0;          ///< of the picture's class position, which is no place in it
  Tensor<float> patches;  ///< [rows, columns]
  std::vector<MaskCandidate> candidates;  ///< best first; empty where the word is no mask
};

/// What the words of one text look at in one picture.
struct AttentionMap {
  std::int64_t layer = 0;            ///< from 0
  std::optional<std::int64_t> head;  ///< absent: the mean of all heads
  Image picture;                     ///< as the model sees it: resized and cropped
  std::vector<WordAttention> words;  ///< in the order of the text, masks among them
};

/// The cross-attention from a sentence's words to a picture's patches, computed in full.
///
/// A word is what Hugging Face's word_ids call one, white space left out; of several tokens it is
/// the mean. HF: the probabilities of `cross_modal_text_layers.*.crossattention`, which
/// BridgeTowerModel computes and does not return. Safe for concurrent use.
///
///     const auto explainer = AttentionExplainer::from_pretrained("model");
///     const AttentionMap map = explainer.explain(Image::load("cat.jpg"), "a cat on a chair");
class AttentionExplainer {
 public:
  /// `model` as in BridgeTowerModel; any head will do, masks need that of masked words. Throws
  /// IoError, FormatError, ConfigError or WeightError.
  static AttentionExplainer from_pretrained(const std::filesystem::path& model,
                                            const LoadOptions& options = {});

  /// Throws InputError for options out of range, a text without words, one that is not UTF-8 or has
  /// more tokens than the model has positions, and for a mask without the head that fills it.
  AttentionMap explain(const Image& image, std::string_view text,
                       const AttentionOptions& options = {}) const;

 private:
  class Model;
  explicit AttentionExplainer(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  std::shared_ptr<const Model> model_;
};

}  // namespace bridgetower

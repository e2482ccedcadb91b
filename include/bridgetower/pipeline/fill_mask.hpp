#pragma once

#include <bridgetower/heads/for_masked_lm.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// One proposal for one masked word.
struct MaskCandidate {
  std::int64_t token_id;
  std::string token;     ///< decoded, a leading space kept
  float score;           ///< softmax over the vocabulary
  std::string sequence;  ///< the text with this mask filled, special tokens left out
};

/// The proposals for the mask at one position of the token sequence, best first.
struct FilledMask {
  std::int64_t position;
  std::vector<MaskCandidate> candidates;
};

/// Proposes words for every mask token of a text about a picture.
class MaskFiller {
 public:
  /// `model` as in BridgeTowerModel. Throws IoError, FormatError, ConfigError or WeightError.
  static MaskFiller from_pretrained(const std::filesystem::path& model,
                                    const LoadOptions& options = {});

  MaskFiller(BridgeTowerProcessor processor, BridgeTowerForMaskedLM<float> model)
      : processor_(std::move(processor)), model_(std::move(model)) {}

  /// The `top_k` best words for each mask. Throws InputError when the text has no mask token or
  /// top_k is not between 1 and the size of the vocabulary.
  std::vector<FilledMask> fill(const Image& image, std::string_view text,
                               std::int64_t top_k = 5) const;

  /// The same for a picture that is encoded once and serves many texts.
  ImageState<float> encode(const Image& image) const;
  std::vector<FilledMask> fill(const ImageState<float>& image, std::string_view text,
                               std::int64_t top_k = 5) const;

 private:
  struct MaskedText {
    std::vector<std::int64_t> ids;
    std::vector<std::int64_t> positions;  // of the masks
  };
  MaskedText find_masks(std::string_view text, std::int64_t top_k) const;

  BridgeTowerProcessor processor_;
  BridgeTowerForMaskedLM<float> model_;
};

}  // namespace bridgetower

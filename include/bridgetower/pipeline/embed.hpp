#pragma once

#include <bridgetower/heads/for_contrastive_learning.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridgetower {

/// Contrastive vectors [E] of length 1: of a picture, of a text, or of the pair. The vectors of
/// pictures and texts do not touch the cross-modal layers.
class Embedder {
 public:
  /// `model` as in BridgeTowerModel. Throws IoError, FormatError, ConfigError (no contrastive
  /// model) or WeightError.
  static Embedder from_pretrained(const std::filesystem::path& model,
                                  const LoadOptions& options = {});

  Embedder(BridgeTowerProcessor processor, BridgeTowerForContrastiveLearning<float> model)
      : processor_(std::move(processor)), model_(std::move(model)) {}

  /// E, the length of every vector.
  std::int64_t size() const noexcept { return model_.size(); }

  /// What states are made by, and loaded for (pipeline/state_file.hpp).
  const BridgeTowerModel<float>& model() const noexcept { return model_.model(); }

  Tensor<float> embed(const Image& image) const;
  Tensor<float> embed(std::string_view text) const;
  Tensor<float> embed(const char* text) const { return embed(std::string_view(text)); }

  /// Texts -> [texts, E], the bits of one after the other. Bounded memory: 64 are worked on at a
  /// time.
  Tensor<float> embed(const std::vector<std::string>& texts) const;

  /// Pictures, one after the other -> [images, E].
  Tensor<float> embed_images(const std::vector<Image>& images) const;

  Tensor<float> embed(const Image& image, std::string_view text) const;

  /// embed(image) and the state that the matching head reads, in one run of the vision tower.
  std::pair<Tensor<float>, ImageState<float>> embed_and_encode(const Image& image) const;

 private:
  BridgeTowerProcessor processor_;
  BridgeTowerForContrastiveLearning<float> model_;
};

}  // namespace bridgetower

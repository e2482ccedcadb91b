#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/load_options.hpp>
#include <bridgetower/core/weight_source.hpp>
#include <bridgetower/heads/for_contrastive_learning.hpp>
#include <bridgetower/heads/for_image_and_text_retrieval.hpp>
#include <bridgetower/heads/for_masked_lm.hpp>
#include <bridgetower/model/bridgetower_model.hpp>
#include <bridgetower/model/load.hpp>
#include <filesystem>
#include <memory>

namespace bridgetower {

/// A model directory in Hugging Face layout, opened but not yet read: config.json and the weights.
/// One checkpoint may serve several heads; each class takes the tensors it needs.
struct Checkpoint {
  BridgeTowerConfig config;
  std::unique_ptr<WeightSource> weights;

  /// Throws IoError, FormatError or ConfigError.
  static Checkpoint open(const std::filesystem::path& directory);
};

namespace detail {

template <template <class> class Model, class Scalar>
Model<Scalar> load_directory(const std::filesystem::path& directory, const LoadOptions& options) {
  const Checkpoint checkpoint = Checkpoint::open(directory);
  return load_model<Model, Scalar>(checkpoint.config, *checkpoint.weights, options);
}

}  // namespace detail

template <class Scalar>
BridgeTowerModel<Scalar> BridgeTowerModel<Scalar>::from_pretrained(
    const std::filesystem::path& directory, const LoadOptions& options) {
  return detail::load_directory<bridgetower::BridgeTowerModel, Scalar>(directory, options);
}

template <class Scalar>
BridgeTowerForImageAndTextRetrieval<Scalar>
BridgeTowerForImageAndTextRetrieval<Scalar>::from_pretrained(const std::filesystem::path& directory,
                                                             const LoadOptions& options) {
  return detail::load_directory<bridgetower::BridgeTowerForImageAndTextRetrieval, Scalar>(directory,
                                                                                          options);
}

template <class Scalar>
BridgeTowerForMaskedLM<Scalar> BridgeTowerForMaskedLM<Scalar>::from_pretrained(
    const std::filesystem::path& directory, const LoadOptions& options) {
  return detail::load_directory<bridgetower::BridgeTowerForMaskedLM, Scalar>(directory, options);
}

template <class Scalar>
BridgeTowerForContrastiveLearning<Scalar>
BridgeTowerForContrastiveLearning<Scalar>::from_pretrained(const std::filesystem::path& directory,
                                                           const LoadOptions& options) {
  return detail::load_directory<bridgetower::BridgeTowerForContrastiveLearning, Scalar>(directory,
                                                                                        options);
}

}  // namespace bridgetower

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
#include <string>

namespace bridgetower {

/// A model in Hugging Face layout, opened but not yet read: config.json and the weights. One
/// checkpoint may serve several heads; each class takes the tensors it needs.
struct Checkpoint {
  BridgeTowerConfig config;
  std::unique_ptr<WeightSource> weights;

  /// `model` is a directory, or ORG/NAME of a model in the Hugging Face cache (find_model in
  /// core/hub_cache.hpp). Throws IoError, FormatError, ConfigError or LimitError.
  static Checkpoint open(const std::filesystem::path& model, const std::string& revision = "main",
                         const Limits& limits = {});
};

namespace detail {

template <template <class> class Model, class Scalar>
Model<Scalar> load_pretrained(const std::filesystem::path& model, const LoadOptions& options) {
  const Checkpoint checkpoint = Checkpoint::open(model, options.revision, options.limits);
  return load_model<Model, Scalar>(checkpoint.config, *checkpoint.weights, options);
}

}  // namespace detail

template <class Scalar>
BridgeTowerModel<Scalar> BridgeTowerModel<Scalar>::from_pretrained(
    const std::filesystem::path& model, const LoadOptions& options) {
  return detail::load_pretrained<bridgetower::BridgeTowerModel, Scalar>(model, options);
}

template <class Scalar>
BridgeTowerForImageAndTextRetrieval<Scalar>
BridgeTowerForImageAndTextRetrieval<Scalar>::from_pretrained(const std::filesystem::path& model,
                                                             const LoadOptions& options) {
  return detail::load_pretrained<bridgetower::BridgeTowerForImageAndTextRetrieval, Scalar>(model,
                                                                                           options);
}

template <class Scalar>
BridgeTowerForMaskedLM<Scalar> BridgeTowerForMaskedLM<Scalar>::from_pretrained(
    const std::filesystem::path& model, const LoadOptions& options) {
  return detail::load_pretrained<bridgetower::BridgeTowerForMaskedLM, Scalar>(model, options);
}

template <class Scalar>
BridgeTowerForContrastiveLearning<Scalar>
BridgeTowerForContrastiveLearning<Scalar>::from_pretrained(const std::filesystem::path& model,
                                                           const LoadOptions& options) {
  return detail::load_pretrained<bridgetower::BridgeTowerForContrastiveLearning, Scalar>(model,
                                                                                         options);
}

}  // namespace bridgetower

#include <bridgetower/core/error.hpp>
#include <bridgetower/heads/for_contrastive_learning.hpp>
#include <bridgetower/heads/for_image_and_text_retrieval.hpp>
#include <bridgetower/heads/for_masked_lm.hpp>
#include <bridgetower/pipeline/requirements.hpp>
#include <memory>

#include "core/file.hpp"

namespace bridgetower {
namespace {

/// A checkpoint without tensors: a model made from it asks for all it needs and reads nothing.
class NoWeights : public WeightSource {
 public:
  std::string place() const override { return "nothing"; }
  std::vector<std::string> names() const override { return {}; }
  std::optional<Info> find(const std::string&) const override { return std::nullopt; }
  void read(const std::string&, std::int64_t, std::int64_t, float*) const override {}
  void read(const std::string&, std::int64_t, std::int64_t, double*) const override {}
};

template <template <class> class Model>
std::vector<std::string> missing_tensors(const BridgeTowerConfig& config,
                                         const WeightSource& weights) {
  config.validate();
  const NoWeights nothing;
  WeightLoader<float> asked(nothing);
  const Model<float> model(config, WeightView<float>(asked), std::make_shared<ThreadPool>(1));
  const WeightLoader<float> there(weights);
  std::vector<std::string> missing;
  for (const std::string& key : asked.missing()) {
    if (there.resolve(key).empty()) missing.push_back(key);
  }
  return missing;
}

std::vector<std::string> missing_tensors(Task task, const BridgeTowerConfig& config,
                                         const WeightSource& weights) {
  switch (task) {
    case Task::kMatch:
      return missing_tensors<BridgeTowerForImageAndTextRetrieval>(config, weights);
    case Task::kFillMask:
      return missing_tensors<BridgeTowerForMaskedLM>(config, weights);
    case Task::kEmbed:
      return missing_tensors<BridgeTowerForContrastiveLearning>(config, weights);
  }
  return {};
}

}  // namespace

std::vector<std::string> missing_for(Task task, const std::filesystem::path& directory,
                                     const BridgeTowerConfig& config, const WeightSource& weights) {
  const auto is_there = [&directory](const char* name) {
    return detail::is_there(directory / name);
  };
  std::vector<std::string> missing;
  if (!is_there("preprocessor_config.json")) missing.emplace_back("preprocessor_config.json");
  if (!is_there("tokenizer.json") && !(is_there("vocab.json") && is_there("merges.txt"))) {
    missing.emplace_back("tokenizer.json");
  }
  try {
    const std::vector<std::string> tensors = missing_tensors(task, config, weights);
    missing.insert(missing.end(), tensors.begin(), tensors.end());
  } catch (const ConfigError& error) {
    missing.push_back("config.json: " + error.subject());
  }
  return missing;
}

}  // namespace bridgetower

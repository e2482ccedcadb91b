#include <bridgetower/core/hub_cache.hpp>
#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>

namespace bridgetower {

using Path = std::filesystem::path;

Checkpoint Checkpoint::open(const Path& model, const std::string& revision, const Limits& limits) {
  const Path directory = find_model(model, revision);
  Checkpoint checkpoint{BridgeTowerConfig::from_pretrained(directory, "main", limits), nullptr};
  checkpoint.config.validate();
  checkpoint.weights = open_checkpoint(directory, limits);
  return checkpoint;
}

#define BRIDGETOWER_INSTANTIATE(Model)                                                  \
  template Model<float> Model<float>::from_pretrained(const Path&, const LoadOptions&); \
  template Model<double> Model<double>::from_pretrained(const Path&, const LoadOptions&)

BRIDGETOWER_INSTANTIATE(BridgeTowerModel);
BRIDGETOWER_INSTANTIATE(BridgeTowerForImageAndTextRetrieval);
BRIDGETOWER_INSTANTIATE(BridgeTowerForMaskedLM);
BRIDGETOWER_INSTANTIATE(BridgeTowerForContrastiveLearning);

#undef BRIDGETOWER_INSTANTIATE

}  // namespace bridgetower

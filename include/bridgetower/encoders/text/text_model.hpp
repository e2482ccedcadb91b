#pragma once

#include <bridgetower/encoders/text/text_embeddings.hpp>
#include <bridgetower/encoders/text/text_layer.hpp>
#include <cstdint>
#include <vector>

namespace bridgetower {

/// The text tower: RoBERTa without its pooler, which BridgeTower never uses. HF:
/// BridgeTowerTextModel.
template <class Scalar>
class BridgeTowerTextModel {
 public:
  BridgeTowerTextModel(const TextConfig& config, const WeightView<Scalar>& weights)
      : embeddings_(config, weights / "embeddings") {
    for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
      layers_.emplace_back(config, weights / "encoder" / "layer" / i);
    }
  }

  const BridgeTowerTextEmbeddings<Scalar>& embeddings() const noexcept { return embeddings_; }
  const std::vector<BridgeTowerTextLayer<Scalar>>& layers() const noexcept { return layers_; }

 private:
  BridgeTowerTextEmbeddings<Scalar> embeddings_;
  std::vector<BridgeTowerTextLayer<Scalar>> layers_;
};

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerTextModel);

}  // namespace bridgetower

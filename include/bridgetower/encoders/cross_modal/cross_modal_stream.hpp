#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/encoders/cross_modal/bert_cross_layer.hpp>
#include <bridgetower/encoders/cross_modal/link_tower.hpp>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/layers/pooler.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bridgetower {

/// Where a layer's probabilities are wanted: of each item, after those that are there.
template <class Scalar>
struct WantedProbabilities {
  std::vector<Tensor<Scalar>>* own = nullptr;  ///< of the self-attention, [H, rows, N]
  std::vector<Tensor<Scalar>>* other =
      nullptr;  ///< of the cross-attention, [H, rows, N of the other]
};

/// One modality's side of the fusion: what HF's BridgeTowerModel calls cross_modal_text_… or
/// cross_modal_image_…, and its row of token_type_embeddings.
template <class Scalar>
class CrossModalStream {
 public:
  /// `root` is the model's; `modality` "text" or "image"; `token_type` [2, D] and the row to use.
  CrossModalStream(const BridgeTowerConfig& config, const WeightView<Scalar>& root,
                   const std::string& modality, std::int64_t tower_size,
                   const Tensor<Scalar>& token_types, std::int64_t token_type);

  /// A tower's state [N, D of the tower] as cross-modal layer `j` takes it: [N, D]
  Tensor<Scalar> project(const Tensor<Scalar>& state, std::size_t j) const {
    return transform_[transform_.size() == 1 ? 0 : j].forward(state);
  }

  /// The first layer takes its projection normed, [N, D]; the others fold theirs into what the
  /// layer before gave.
  Tensor<Scalar> begin(const Tensor<Scalar>& projected) const {
    return layernorm_.forward(projected);
  }
  Tensor<Scalar> link(std::size_t j, Tensor<Scalar> projected, const Tensor<Scalar>& before) const {
    return link_tower_[j - 1].forward(std::move(projected), before);
  }

  /// The first layer's part that sees this modality alone: [Σ N, D]
  Tensor<Scalar> attend_own(const Sequences<Scalar>& own) const {
    return layers_[0].attend_own(own, own);
  }

  /// Layer j, for some items after the others where they have many rows; of its output the chosen
  /// rows, or all. `attended_own`: what attend_own() gave, for the first layer.
  Sequences<Scalar> run(std::size_t j, const Sequences<Scalar>& own, const Sequences<Scalar>& other,
                        const std::optional<ops::KeyList>& chosen,
                        const Tensor<Scalar>* attended_own,
                        const WantedProbabilities<Scalar>& wanted) const;

  /// First rows [B, D] -> [B, D]
  Tensor<Scalar> pool(const Tensor<Scalar>& first_rows) const {
    return pooler_.forward(first_rows);
  }

 private:
  Sequences<Scalar> run_group(std::size_t j, const Sequences<Scalar>& own,
                              const Sequences<Scalar>& other,
                              const std::optional<ops::KeyList>& chosen,
                              const Tensor<Scalar>* attended_own,
                              const WantedProbabilities<Scalar>& wanted) const;

  std::vector<Linear<Scalar>> transform_;  // one, or one a layer where not shared; type row added
  LayerNorm<Scalar> layernorm_;
  std::vector<BridgeTowerLinkTower<Scalar>> link_tower_;
  std::vector<BridgeTowerBertCrossLayer<Scalar>> layers_;
  BridgeTowerPooler<Scalar> pooler_;
};

template <class Scalar>
CrossModalStream<Scalar>::CrossModalStream(const BridgeTowerConfig& config,
                                           const WeightView<Scalar>& root,
                                           const std::string& modality, std::int64_t tower_size,
                                           const Tensor<Scalar>& token_types,
                                           std::int64_t token_type)
    : layernorm_(root / ("cross_modal_" + modality + "_layernorm"), config.hidden_size,
                 config.layer_norm_eps),
      pooler_(root / ("cross_modal_" + modality + "_pooler"), config.hidden_size) {
  const std::string start = "cross_modal_" + modality;
  const WeightView<Scalar> transform = root / (start + "_transform");
  const bool shared = config.share_cross_modal_transformer_layers;
  for (std::int64_t j = 0; j < (shared ? 1 : config.num_hidden_layers); ++j) {
    transform_.emplace_back(shared ? transform : transform / j, config.hidden_size, tower_size);
    transform_.back().add_to_bias(token_types, token_type);
  }
  for (std::int64_t j = 0; j < config.num_hidden_layers; ++j) {
    layers_.emplace_back(config.text_config, root / (start + "_layers") / j);
    if (j > 0) link_tower_.emplace_back(config, root / (start + "_link_tower") / (j - 1));
  }
}

template <class Scalar>
Sequences<Scalar> CrossModalStream<Scalar>::run(std::size_t j, const Sequences<Scalar>& own,
                                                const Sequences<Scalar>& other,
                                                const std::optional<ops::KeyList>& chosen,
                                                const Tensor<Scalar>* attended_own,
                                                const WantedProbabilities<Scalar>& wanted) const {
  // Enough rows to be worth reading the weights, few enough to stay in the cache between layers.
  constexpr std::int64_t kRows = 192;
  const auto groups = own.groups(kRows);
  if (groups.size() <= 1) return run_group(j, own, other, chosen, attended_own, wanted);
  Sequences<Scalar> out;
  for (const std::vector<std::size_t>& group : groups) {
    Tensor<Scalar> attended;
    if (attended_own != nullptr) {
      attended = Sequences<Scalar>{*attended_own, own.items}.part(group).rows;
    }
    out.append(run_group(j, own.part(group), other.part(group), chosen,
                         attended_own == nullptr ? nullptr : &attended, wanted));
  }
  return out;
}

template <class Scalar>
Sequences<Scalar> CrossModalStream<Scalar>::run_group(
    std::size_t j, const Sequences<Scalar>& own, const Sequences<Scalar>& other,
    const std::optional<ops::KeyList>& chosen, const Tensor<Scalar>* attended_own,
    const WantedProbabilities<Scalar>& wanted) const {
  Sequences<Scalar> out;
  if (chosen && chosen->empty()) return out;
  std::vector<Tensor<Scalar>> of_own, of_other;
  if (attended_own != nullptr && wanted.own == nullptr) {
    out = {*attended_own, own.items};
    if (chosen) out = out.select(*chosen);
  } else {
    std::optional<Sequences<Scalar>> some;
    if (chosen) some = own.select(*chosen);
    const Sequences<Scalar>& rows = some ? *some : own;
    out = {layers_[j].attend_own(rows, own, wanted.own == nullptr ? nullptr : &of_own), rows.items};
  }
  out.rows = layers_[j].attend_other(out, other, wanted.other == nullptr ? nullptr : &of_other);
  for (Tensor<Scalar>& item : of_own) wanted.own->push_back(std::move(item));
  for (Tensor<Scalar>& item : of_other) wanted.other->push_back(std::move(item));
  return out;
}

BRIDGETOWER_EXTERN_TEMPLATE(CrossModalStream);

}  // namespace bridgetower

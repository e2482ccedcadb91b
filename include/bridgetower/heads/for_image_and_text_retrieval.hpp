#pragma once

#include <algorithm>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/model/bridgetower_model.hpp>
#include <bridgetower/ops/cross_entropy.hpp>
#include <filesystem>
#include <memory>
#include <vector>

namespace bridgetower {

/// Does this text describe this image? HF: BridgeTowerForImageAndTextRetrieval.
template <class Scalar>
class BridgeTowerForImageAndTextRetrieval {
 public:
  /// See BridgeTowerModel::from_pretrained.
  static BridgeTowerForImageAndTextRetrieval from_pretrained(const std::filesystem::path& model,
                                                             const LoadOptions& options = {});

  BridgeTowerForImageAndTextRetrieval(const BridgeTowerConfig& config,
                                      const WeightView<Scalar>& weights,
                                      std::shared_ptr<ThreadPool> threads)
      : model_(config, weights, std::move(threads)),
        itm_score_(weights.without_int8() / "itm_score" / "fc", 2, 2 * config.hidden_size) {}

  const BridgeTowerModel<Scalar>& model() const noexcept { return model_; }

  /// Throws InputError or ShapeError for inputs the model cannot take.
  BridgeTowerLogitsOutput<Scalar> forward(const ForwardInputs<Scalar>& inputs) const;
  BridgeTowerLogitsOutput<Scalar> forward(const BatchEncoding& inputs) const {
    return forward(ForwardInputs<Scalar>(inputs));
  }

  /// Pairs -> [pairs, 2]: no match, match. Their rows go through each layer together.
  Tensor<Scalar> scores(const std::vector<StatePair<Scalar>>& pairs) const;
  Tensor<Scalar> score(const ImageState<Scalar>& image, const TextState<Scalar>& text) const {
    return scores({{&image, &text}}).row(0);
  }

 private:
  BridgeTowerModel<Scalar> model_;
  Linear<Scalar> itm_score_;  // "itm_score.fc" [2, 2D]
};

template <class Scalar>
Tensor<Scalar> BridgeTowerForImageAndTextRetrieval<Scalar>::scores(
    const std::vector<StatePair<Scalar>>& pairs) const {
  Wanted wanted;
  wanted.pooler_output = true;
  Tensor<Scalar> all({static_cast<std::int64_t>(pairs.size()), 2});
  Scalar* target = all.data();
  for (const FusedState<Scalar>& fused : model_.fuse(pairs, wanted)) {
    const Tensor<Scalar> logits = itm_score_.forward(fused.pooler_output);
    target = std::copy(logits.begin(), logits.end(), target);
  }
  return all;
}

template <class Scalar>
BridgeTowerLogitsOutput<Scalar> BridgeTowerForImageAndTextRetrieval<Scalar>::forward(
    const ForwardInputs<Scalar>& inputs) const {
  inputs.check(model_.config());
  if (inputs.labels) detail::check_shape("labels", inputs.labels->shape(), {inputs.batch()});
  BridgeTowerLogitsOutput<Scalar> out;
  Wanted wanted;
  wanted.pooler_output = true;
  static_cast<CommonOutput<Scalar>&>(out) = model_.run_batch(
      inputs, wanted,
      [&](std::int64_t b, const auto&, const auto&, const FusedState<Scalar>& fused) {
        detail::set_item(out.logits, inputs.batch(), b,
                         itm_score_.forward(fused.pooler_output).row(0));
      });
  if (inputs.labels) out.loss = ops::cross_entropy(out.logits, *inputs.labels);
  return out;
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerForImageAndTextRetrieval);

}  // namespace bridgetower

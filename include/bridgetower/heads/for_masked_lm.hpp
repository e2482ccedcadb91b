#pragma once

#include <bridgetower/heads/mlm_head.hpp>
#include <bridgetower/model/bridgetower_model.hpp>
#include <bridgetower/ops/cross_entropy.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace bridgetower {

/// Which word is masked? HF: BridgeTowerForMaskedLM.
template <class Scalar>
class BridgeTowerForMaskedLM {
 public:
  /// See BridgeTowerModel::from_pretrained.
  static BridgeTowerForMaskedLM from_pretrained(const std::filesystem::path& model,
                                                const LoadOptions& options = {});

  BridgeTowerForMaskedLM(const BridgeTowerConfig& config, const WeightView<Scalar>& weights,
                         std::shared_ptr<ThreadPool> threads)
      : model_(config, weights, std::move(threads)),
        mlm_score_(config, weights / "mlm_score", model_.text_embeddings().word_embeddings()) {}

  const BridgeTowerModel<Scalar>& model() const noexcept { return model_; }

  /// Throws InputError or ShapeError for inputs the model cannot take.
  BridgeTowerLogitsOutput<Scalar> forward(const ForwardInputs<Scalar>& inputs) const;
  BridgeTowerLogitsOutput<Scalar> forward(const BatchEncoding& inputs) const {
    return forward(ForwardInputs<Scalar>(inputs));
  }

  /// One pair -> [positions, V]: the logits of the text's rows at these positions only. Throws
  /// InputError for a position that the text does not have.
  Tensor<Scalar> masked_logits(const ImageState<Scalar>& image, const TextState<Scalar>& text,
                               const std::vector<std::int64_t>& positions) const;

 private:
  BridgeTowerModel<Scalar> model_;
  BridgeTowerMLMHead<Scalar> mlm_score_;
};

template <class Scalar>
BridgeTowerLogitsOutput<Scalar> BridgeTowerForMaskedLM<Scalar>::forward(
    const ForwardInputs<Scalar>& inputs) const {
  inputs.check(model_.config());
  if (inputs.labels) {
    detail::check_shape("labels", inputs.labels->shape(), inputs.input_ids->shape());
  }
  BridgeTowerLogitsOutput<Scalar> out;
  Wanted wanted;
  wanted.text_features = true;
  static_cast<CommonOutput<Scalar>&>(out) = model_.run_batch(
      inputs, wanted,
      [&](std::int64_t b, const auto&, const auto&, const FusedState<Scalar>& fused) {
        detail::set_item(out.logits, inputs.batch(), b, mlm_score_.forward(fused.text));
      });
  if (!inputs.labels) return out;
  const Shape shape = out.logits.shape();
  out.logits = std::move(out.logits).reshaped({shape[0] * shape[1], shape[2]});
  out.loss = ops::cross_entropy(out.logits, *inputs.labels);
  out.logits = std::move(out.logits).reshaped(shape);
  return out;
}

template <class Scalar>
Tensor<Scalar> BridgeTowerForMaskedLM<Scalar>::masked_logits(
    const ImageState<Scalar>& image, const TextState<Scalar>& text,
    const std::vector<std::int64_t>& positions) const {
  Wanted wanted;
  wanted.text_rows = positions;
  if (positions.empty()) return Tensor<Scalar>({0, model_.config().text_config.vocab_size});
  const CallScope scope(model_.threads());
  return mlm_score_.forward(model_.fuse(image, text, wanted).text);
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerForMaskedLM);

}  // namespace bridgetower

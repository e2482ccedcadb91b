#pragma once

#include <algorithm>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/model/bridgetower_model.hpp>
#include <bridgetower/ops/cross_entropy.hpp>
#include <bridgetower/ops/l2_normalize.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace bridgetower {

/// A projection to length 1. HF: BridgeTowerContrastiveHead and the normalisation after it.
template <class Scalar>
class BridgeTowerContrastiveHead {
 public:
  /// "fc.weight" [E, size], "fc.bias" [E]
  BridgeTowerContrastiveHead(const WeightView<Scalar>& weights, std::int64_t out, std::int64_t size)
      : fc_(weights.without_int8() / "fc", out, size) {}

  std::int64_t out() const noexcept { return fc_.out(); }

  /// x [N, size] -> [N, E]. Throws ShapeError for another x.
  Tensor<Scalar> forward(const Tensor<Scalar>& x) const {
    Tensor<Scalar> vectors = fc_.forward(x);
    for (std::int64_t n = 0; n < vectors.dim(0); ++n) {
      ops::l2_normalize(vectors.data() + n * out(), out());
    }
    return vectors;
  }

 private:
  Linear<Scalar> fc_;
};

/// Vectors of a text, an image and of the pair in one space. HF: BridgeTowerForContrastiveLearning.
template <class Scalar>
class BridgeTowerForContrastiveLearning {
 public:
  /// See BridgeTowerModel::from_pretrained.
  static BridgeTowerForContrastiveLearning from_pretrained(const std::filesystem::path& model,
                                                           const LoadOptions& options = {});

  /// Throws ConfigError where HF's class fails too: without contrastive_hidden_size, with one
  /// cross-modal transform a layer, or with a vision tower of another width than the fusion.
  BridgeTowerForContrastiveLearning(const BridgeTowerConfig& config,
                                    const WeightView<Scalar>& weights,
                                    std::shared_ptr<ThreadPool> threads)
      : BridgeTowerForContrastiveLearning(config, weights, std::move(threads),
                                          vector_size(config)) {}

  const BridgeTowerModel<Scalar>& model() const noexcept { return model_; }

  /// E
  std::int64_t size() const noexcept { return itc_text_head_.out(); }

  /// Throws InputError or ShapeError for inputs the model cannot take.
  BridgeTowerContrastiveOutput<Scalar> forward(const ForwardInputs<Scalar>& inputs) const;
  BridgeTowerContrastiveOutput<Scalar> forward(const BatchEncoding& inputs) const {
    return forward(ForwardInputs<Scalar>(inputs));
  }

  /// Vectors of one side, [E] or [items, E], without the other side and the fusion. Throw
  /// InputError or ShapeError for inputs the model cannot take.
  Tensor<Scalar> image_embed(const ForwardInputs<Scalar>& inputs, std::int64_t b) const {
    return image_embed(model_.encode_image_cls(inputs, b));
  }
  /// Of BridgeTowerModel::encode_image_cls.
  Tensor<Scalar> image_embed(const Tensor<Scalar>& cls) const {
    return itc_image_head_.forward(cls).row(0);
  }
  Tensor<Scalar> text_embeds(const ForwardInputs<Scalar>& inputs,
                             const std::vector<std::int64_t>& items) const {
    return itc_text_head_.forward(model_.encode_text_cls(inputs, items));
  }

  /// The vector of a pair, [E]; needs a fusion whose pooler_output was wanted (else ShapeError).
  Tensor<Scalar> cross_embed(const FusedState<Scalar>& fused) const {
    return itc_cross_modal_head_.forward(fused.pooler_output).row(0);
  }

 private:
  BridgeTowerForContrastiveLearning(const BridgeTowerConfig& config,
                                    const WeightView<Scalar>& weights,
                                    std::shared_ptr<ThreadPool> threads, std::int64_t size)
      : model_(config, weights, std::move(threads)),
        itc_text_head_(weights / "itc_text_head", size, config.hidden_size),
        itc_image_head_(weights / "itc_image_head", size, config.hidden_size),
        itc_cross_modal_head_(weights / "itc_cross_modal_head", size, 2 * config.hidden_size),
        logit_scale_(weights.scalar("logit_scale")) {}

  static std::int64_t vector_size(const BridgeTowerConfig& config) {
    if (!config.contrastive_hidden_size) {
      throw ConfigError("config",
                        "contrastive_hidden_size is missing: this is no contrastive model");
    }
    if (!config.share_cross_modal_transformer_layers) {
      throw ConfigError("config", "share_cross_modal_transformer_layers",
                        "true for a contrastive model; Hugging Face fails otherwise", "false");
    }
    if (config.vision_config.hidden_size != config.hidden_size) {
      throw ConfigError("config", "vision_config.hidden_size",
                        std::to_string(config.hidden_size) +
                            " for a contrastive model; Hugging Face fails otherwise",
                        std::to_string(config.vision_config.hidden_size));
    }
    return *config.contrastive_hidden_size;
  }

  BridgeTowerModel<Scalar> model_;
  BridgeTowerContrastiveHead<Scalar> itc_text_head_;
  BridgeTowerContrastiveHead<Scalar> itc_image_head_;
  BridgeTowerContrastiveHead<Scalar> itc_cross_modal_head_;
  Scalar logit_scale_;  // used as exp(logit_scale)
};

namespace detail {

/// Cross-entropy of scale * a bᵀ [B, B], row i belonging to column i.
template <class Scalar>
Scalar contrastive_loss(const Tensor<Scalar>& a, const Tensor<Scalar>& b, Scalar scale) {
  const std::int64_t batch = a.dim(0);
  Tensor<Scalar> logits({batch, batch});
  Tensor<std::int64_t> labels({batch});
  for (std::int64_t i = 0; i < batch; ++i) {
    labels.data()[i] = i;
    for (std::int64_t j = 0; j < batch; ++j) {
      const Scalar* const x = a.data() + i * a.dim(1);
      const Scalar* const y = b.data() + j * b.dim(1);
      Scalar sum = 0;
      for (std::int64_t k = 0; k < a.dim(1); ++k) sum += x[k] * y[k];
      logits.data()[i * batch + j] = scale * sum;
    }
  }
  return ops::cross_entropy(logits, labels);
}

}  // namespace detail

template <class Scalar>
BridgeTowerContrastiveOutput<Scalar> BridgeTowerForContrastiveLearning<Scalar>::forward(
    const ForwardInputs<Scalar>& inputs) const {
  BridgeTowerContrastiveOutput<Scalar> out;
  Wanted wanted;
  wanted.pooler_output = true;
  static_cast<CommonOutput<Scalar>&>(out) =
      model_.run_batch(inputs, wanted,
                       [&](std::int64_t b, const ImageState<Scalar>& image,
                           const TextState<Scalar>& text, const FusedState<Scalar>& fused) {
                         detail::set_item(out.text_embeds, inputs.batch(), b,
                                          itc_text_head_.forward(text.cls).row(0));
                         detail::set_item(out.image_embeds, inputs.batch(), b,
                                          itc_image_head_.forward(image.cls).row(0));
                         detail::set_item(out.cross_embeds, inputs.batch(), b, cross_embed(fused));
                       });
  const std::int64_t size = out.text_embeds.dim(1);
  out.logits = Tensor<Scalar>::uninitialized({inputs.batch(), 3, size});
  Scalar* target = out.logits.data();
  for (std::int64_t b = 0; b < inputs.batch(); ++b) {
    for (const Tensor<Scalar>* part : {&out.text_embeds, &out.image_embeds, &out.cross_embeds}) {
      target = std::copy_n(part->data() + b * size, size, target);
    }
  }
  if (inputs.return_loss) {
    const Scalar scale = std::exp(logit_scale_);
    out.loss = (detail::contrastive_loss(out.text_embeds, out.image_embeds, scale) +
                detail::contrastive_loss(out.text_embeds, out.cross_embeds, scale) +
                detail::contrastive_loss(out.image_embeds, out.cross_embeds, scale)) /
               Scalar(3);
  }
  return out;
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerContrastiveHead);
BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerForContrastiveLearning);

}  // namespace bridgetower

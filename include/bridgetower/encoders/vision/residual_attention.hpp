#pragma once

#include <bridgetower/config/vision_config.hpp>
#include <bridgetower/layers/feed_forward.hpp>
#include <bridgetower/layers/layer_norm.hpp>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/layers/multihead_attention.hpp>
#include <cstdint>

namespace bridgetower {

/// One block of the vision tower: norms before attention and MLP, residuals around both.
/// HF: BridgeTowerResidualAttention.
template <class Scalar>
class BridgeTowerResidualAttention {
 public:
  BridgeTowerResidualAttention(const VisionConfig& config, const WeightView<Scalar>& weights);

  /// x [P, D] -> [P, D]
  Tensor<Scalar> forward(const Tensor<Scalar>& x) const {
    const auto normed = Sequences<Scalar>::single(ln_1_.forward(x));
    return finish(attention_.forward(normed, normed), x);
  }

  /// The first row of forward(x) alone: [1, D]
  Tensor<Scalar> forward_first(const Tensor<Scalar>& x) const {
    const auto normed = Sequences<Scalar>::single(ln_1_.forward(x));
    return finish(attention_.forward(normed.select({0}), normed),
                  ops::gather_rows(x.data(), x.dim(1), x.dim(1), {0}));
  }

 private:
  /// Both residuals around the rest of the block.
  Tensor<Scalar> finish(const Tensor<Scalar>& context, const Tensor<Scalar>& x) const;

  MultiheadAttention<Scalar>
      attention_;            // "attn.in_proj_weight", "attn.in_proj_bias"; D / 64 heads
  Linear<Scalar> out_proj_;  // "attn.out_proj"
  LayerNorm<Scalar> ln_1_;
  FeedForward<Scalar> mlp_;  // "mlp.c_fc", QuickGELU, "mlp.c_proj"
  LayerNorm<Scalar> ln_2_;
};

template <class Scalar>
BridgeTowerResidualAttention<Scalar>::BridgeTowerResidualAttention(
    const VisionConfig& config, const WeightView<Scalar>& weights)
    : attention_({weights / "attn",
                  "in_proj_weight",
                  {3 * config.hidden_size, config.hidden_size},
                  "in_proj_bias"},
                 config.hidden_size / 64, weights.backend()),
      out_proj_(weights / "attn" / "out_proj", config.hidden_size, config.hidden_size),
      ln_1_(weights / "ln_1", config.hidden_size, config.layer_norm_eps),
      mlp_(weights / "mlp" / "c_fc", weights / "mlp" / "c_proj", config.hidden_size,
           4 * config.hidden_size, ops::Activation::kQuickGelu),
      ln_2_(weights / "ln_2", config.hidden_size, config.layer_norm_eps) {}

template <class Scalar>
Tensor<Scalar> BridgeTowerResidualAttention<Scalar>::finish(const Tensor<Scalar>& context,
                                                            const Tensor<Scalar>& x) const {
  const Tensor<Scalar> y = out_proj_.forward_add(context, x);
  return mlp_.forward_add(ln_2_.forward(y), y);
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerResidualAttention);

}  // namespace bridgetower

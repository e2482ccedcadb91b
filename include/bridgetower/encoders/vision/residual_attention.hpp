#pragma once

#include <bridgetower/config/vision_config.hpp>
#include <bridgetower/layers/feed_forward.hpp>
#include <bridgetower/layers/layer_norm.hpp>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/ops/add.hpp>
#include <bridgetower/ops/attention.hpp>
#include <cstdint>

namespace bridgetower {

/// One block of the vision tower: norms before attention and MLP, residuals around both.
/// HF: BridgeTowerResidualAttention.
template <class Scalar>
class BridgeTowerResidualAttention {
 public:
  BridgeTowerResidualAttention(const VisionConfig& config, const WeightView<Scalar>& weights);

  /// x [P, D] -> [P, D]
  Tensor<Scalar> forward(const Tensor<Scalar>& x) const;

 private:
  Tensor<Scalar> attend(const Tensor<Scalar>& x) const;

  std::int64_t heads_;  // hidden_size / 64
  Backend backend_;
  Linear<Scalar> in_proj_;  // "attn.in_proj_weight" [3D, D]: query, key, value; "attn.in_proj_bias"
  Linear<Scalar> out_proj_;  // "attn.out_proj"
  LayerNorm<Scalar> ln_1_;
  FeedForward<Scalar> mlp_;  // "mlp.c_fc", QuickGELU, "mlp.c_proj"
  LayerNorm<Scalar> ln_2_;
};

template <class Scalar>
BridgeTowerResidualAttention<Scalar>::BridgeTowerResidualAttention(
    const VisionConfig& config, const WeightView<Scalar>& weights)
    : heads_(config.hidden_size / 64),
      backend_(weights.backend()),
      in_proj_(weights / "attn", "in_proj_weight", {3 * config.hidden_size, config.hidden_size},
               "in_proj_bias"),
      out_proj_(weights / "attn" / "out_proj", config.hidden_size, config.hidden_size),
      ln_1_(weights / "ln_1", config.hidden_size, config.layer_norm_eps),
      mlp_(weights / "mlp" / "c_fc", weights / "mlp" / "c_proj", config.hidden_size,
           4 * config.hidden_size, ops::Activation::kQuickGelu),
      ln_2_(weights / "ln_2", config.hidden_size, config.layer_norm_eps) {}

template <class Scalar>
Tensor<Scalar> BridgeTowerResidualAttention<Scalar>::attend(const Tensor<Scalar>& x) const {
  const std::int64_t rows = x.dim(0);
  const std::int64_t size = x.dim(1);
  const Tensor<Scalar> qkv = in_proj_.forward(x);
  ops::AttentionInputs<Scalar> in{{qkv.data(), rows, 3 * size},
                                  {qkv.data() + size, rows, 3 * size},
                                  {qkv.data() + 2 * size, rows, 3 * size},
                                  heads_,
                                  size / heads_};
  in.backend = backend_;
  return out_proj_.forward(ops::attention(in));
}

template <class Scalar>
Tensor<Scalar> BridgeTowerResidualAttention<Scalar>::forward(const Tensor<Scalar>& x) const {
  Tensor<Scalar> y = attend(ln_1_.forward(x));
  ops::add_to(y, x);
  Tensor<Scalar> out = mlp_.forward(ln_2_.forward(y));
  ops::add_to(out, y);
  return out;
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerResidualAttention);

}  // namespace bridgetower

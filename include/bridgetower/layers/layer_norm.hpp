#pragma once

#include <bridgetower/core/tensor.hpp>
#include <bridgetower/core/weights.hpp>
#include <bridgetower/ops/layer_norm.hpp>
#include <bridgetower/ops/rows.hpp>
#include <cstdint>
#include <utility>

namespace bridgetower {

/// Normalises every row, then scales and shifts it. PyTorch: LayerNorm.
template <class Scalar>
class LayerNorm {
 public:
  /// "weight" [D], "bias" [D]
  LayerNorm(const WeightView<Scalar>& weights, std::int64_t size, double eps)
      : eps_(static_cast<Scalar>(eps)),
        weight_(weights.tensor("weight", {size})),
        bias_(weights.tensor("bias", {size})) {}

  /// x [N, D] -> [N, D]. Both throw ShapeError for another x.
  Tensor<Scalar> forward(const Tensor<Scalar>& x) const;

  /// LayerNorm(x + residual), of equal shape (else ShapeError).
  Tensor<Scalar> forward(Tensor<Scalar> x, const Tensor<Scalar>& residual) const {
    return forward(std::move(x), Scalar(1), residual, Scalar(1));
  }

  /// LayerNorm(x_scale x + residual_scale residual)
  Tensor<Scalar> forward(Tensor<Scalar> x, Scalar x_scale, const Tensor<Scalar>& residual,
                         Scalar residual_scale) const;

 private:
  Scalar eps_;
  Tensor<Scalar> weight_;
  Tensor<Scalar> bias_;
};

template <class Scalar>
Tensor<Scalar> LayerNorm<Scalar>::forward(const Tensor<Scalar>& x) const {
  const std::int64_t width = weight_.dim(0);
  check_rows("LayerNorm", x, 0, width);
  auto out = Tensor<Scalar>::uninitialized(x.shape());
  ops::for_row_blocks(x.dim(0), width, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      ops::layer_norm(x.data() + n * width, out.data() + n * width, width, weight_.data(),
                      bias_.data(), eps_);
    }
  });
  return out;
}

template <class Scalar>
Tensor<Scalar> LayerNorm<Scalar>::forward(Tensor<Scalar> x, Scalar x_scale,
                                          const Tensor<Scalar>& residual,
                                          Scalar residual_scale) const {
  const std::int64_t width = weight_.dim(0);
  check_rows("LayerNorm", x, 0, width);
  check_same_shape("LayerNorm", x, residual);
  ops::for_row_blocks(x.dim(0), width, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      Scalar* const row = x.data() + n * width;
      const Scalar* const added = residual.data() + n * width;
      for (std::int64_t i = 0; i < width; ++i) {
        row[i] = row[i] * x_scale + added[i] * residual_scale;
      }
      ops::layer_norm(row, row, width, weight_.data(), bias_.data(), eps_);
    }
  });
  return x;
}

BRIDGETOWER_EXTERN_TEMPLATE(LayerNorm);

}  // namespace bridgetower

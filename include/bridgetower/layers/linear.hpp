#pragma once

#include <algorithm>
#include <bridgetower/core/cancellation.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/core/weights.hpp>
#include <bridgetower/ops/activations.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridgetower {

/// y = x Wᵀ + b. PyTorch: Linear. The weight is read straight into its packed form.
template <class Scalar>
class Linear {
 public:
  /// "weight" [out, in] and "bias" [out].
  Linear(const WeightView<Scalar>& weights, std::int64_t out, std::int64_t in)
      : Linear(weights, std::vector<std::string>{""}, out, in) {}

  /// Several layers over the same input as one, their outputs side by side: "<name>.weight" [out,
  /// in] and "<name>.bias" [out] for every name.
  Linear(const WeightView<Scalar>& weights, const std::vector<std::string>& names, std::int64_t out,
         std::int64_t in);

  /// A weight under its own name, [out, in] whatever its stored `shape`; `bias_name` may be empty.
  Linear(const WeightView<Scalar>& weights, std::string_view weight_name, const Shape& shape,
         std::string_view bias_name);

  /// Shares a weight [out, in] that is already there; a bias [out].
  Linear(std::shared_ptr<ops::PackedMatrix<Scalar>> weight, Tensor<Scalar> bias)
      : weight_(std::move(weight)), bias_(std::move(bias)) {}

  std::int64_t in() const noexcept { return weight_->inputs(); }
  std::int64_t out() const noexcept { return weight_->outputs(); }

  const ops::PackedMatrix<Scalar>& weight() const noexcept { return *weight_; }
  const std::shared_ptr<ops::PackedMatrix<Scalar>>& shared_weight() const noexcept {
    return weight_;
  }
  const Scalar* bias() const noexcept { return bias_.data(); }

  /// Scales some outputs, or adds one row of `values` [.., out] to all: constants are folded in at
  /// load. Nothing happens where the checkpoint lacks one of the tensors.
  void scale_outputs(ops::Outputs range, Scalar factor);
  void add_to_bias(const Tensor<Scalar>& values, std::int64_t row);

  /// x [N, in] -> [N, out]. All throw ShapeError for another x.
  Tensor<Scalar> forward(const Tensor<Scalar>& x) const { return multiply(x, {0, out()}, {}); }

  /// activation(x Wᵀ + b)
  Tensor<Scalar> forward(const Tensor<Scalar>& x, ops::Activation activation) const;

  /// x Wᵀ + b + residual [N, out]
  Tensor<Scalar> forward_add(const Tensor<Scalar>& x, const Tensor<Scalar>& residual) const;

  /// Some outputs only: [N, range.count]
  Tensor<Scalar> forward(const Tensor<Scalar>& x, ops::Outputs range) const {
    return multiply(x, range, {});
  }

 private:
  /// `finish` lacks the bias.
  Tensor<Scalar> multiply(const Tensor<Scalar>& x, ops::Outputs range,
                          ops::Finish<Scalar> finish) const;
  static std::shared_ptr<ops::PackedMatrix<Scalar>> make_weight(const WeightView<Scalar>& weights,
                                                                std::int64_t out, std::int64_t in) {
    return std::make_shared<ops::PackedMatrix<Scalar>>(out, in, weights.backend(), weights.dtype());
  }
  void read_rows(const WeightView<Scalar>& weights, std::string_view name, std::int64_t first,
                 std::int64_t count);

  /// Calls read(first row, rows, block) and pack(first row, rows, block) for all rows, one block
  /// being read while another is packed.
  template <class Stored, class Read, class Pack>
  void read_blocks(std::int64_t count, const Read& read, const Pack& pack);

  std::shared_ptr<ops::PackedMatrix<Scalar>> weight_;
  Tensor<Scalar> bias_;  // [out], or empty
};

template <class Scalar>
Linear<Scalar>::Linear(const WeightView<Scalar>& weights, const std::vector<std::string>& names,
                       std::int64_t out, std::int64_t in)
    : weight_(make_weight(weights, 0, in)) {
  const std::int64_t outputs = out * static_cast<std::int64_t>(names.size());
  std::int64_t first = 0;
  for (const std::string& name : names) {
    const WeightView<Scalar> part = name.empty() ? weights : weights / name;
    if (part.check("weight", {out, in})) {
      if (weight_->outputs() == 0) weight_ = make_weight(weights, outputs, in);
      read_rows(part, "weight", first, out);
    }
    if (part.check("bias", {out})) {
      if (bias_.empty()) bias_ = Tensor<Scalar>({outputs});
      part.read("bias", 0, out, bias_.data() + first);
    }
    first += out;
  }
}

template <class Scalar>
Linear<Scalar>::Linear(const WeightView<Scalar>& weights, std::string_view weight_name,
                       const Shape& shape, std::string_view bias_name)
    : weight_(make_weight(weights, 0, 0)) {
  if (weights.check(weight_name, shape)) {
    weight_ = make_weight(weights, shape[0], element_count(shape) / shape[0]);
    read_rows(weights, weight_name, 0, shape[0]);
  }
  if (!bias_name.empty()) bias_ = weights.tensor(bias_name, {shape[0]});
}

template <class Scalar>
void Linear<Scalar>::read_rows(const WeightView<Scalar>& weights, std::string_view name,
                               std::int64_t first, std::int64_t count) {
  const std::int64_t in = weight_->inputs();
  if (weight_->takes_int8() && weights.is_int8(name)) {
    auto scales = Tensor<float>::uninitialized({count});
    return read_blocks<std::int8_t>(
        count,
        [&](std::int64_t row, std::int64_t rows, std::int8_t* block) {
          weights.read_int8_rows(name, row, rows, block, scales.data() + row);
        },
        [&](std::int64_t row, std::int64_t rows, const std::int8_t* block) {
          weight_->set_int8_rows(first + row, rows, block, scales.data() + row);
        });
  }
  read_blocks<Scalar>(
      count,
      [&](std::int64_t row, std::int64_t rows, Scalar* block) {
        weights.read(name, row * in, rows * in, block);
      },
      [&](std::int64_t row, std::int64_t rows, const Scalar* block) {
        weight_->set_rows(first + row, rows, block, in);
      });
}

template <class Scalar>
template <class Stored, class Read, class Pack>
void Linear<Scalar>::read_blocks(std::int64_t count, const Read& read, const Pack& pack) {
  constexpr std::int64_t kRows = 128;  // read at once
  constexpr std::int64_t kPart = 32;   // packed by one thread
  const std::int64_t in = weight_->inputs();
  auto block = Tensor<Stored>::uninitialized({std::min(kRows, count), in});
  auto next = Tensor<Stored>::uninitialized({std::min(kRows, count), in});
  const auto read_block = [&](std::int64_t row, Stored* out) {
    if (row < count) read(row, std::min(kRows, count - row), out);
  };
  read_block(0, block.data());
  for (std::int64_t row = 0; row < count; row += kRows) {
    // One thread reads the next block, the others pack this one.
    const std::int64_t rows = std::min(kRows, count - row);
    parallel_for(1 + (rows + kPart - 1) / kPart, [&](std::int64_t task) {
      if (task == 0) return read_block(row + kRows, next.data());
      const std::int64_t begin = (task - 1) * kPart;
      pack(row + begin, std::min(kPart, rows - begin), block.data() + begin * in);
    });
    std::swap(block, next);
  }
}

template <class Scalar>
void Linear<Scalar>::scale_outputs(ops::Outputs range, Scalar factor) {
  if (out() == 0 || bias_.empty()) return;
  weight_->scale_rows(range, factor);
  for (std::int64_t i = 0; i < range.count; ++i) bias_.data()[range.first + i] *= factor;
}

template <class Scalar>
void Linear<Scalar>::add_to_bias(const Tensor<Scalar>& values, std::int64_t row) {
  if (values.empty() || bias_.empty()) return;
  const Scalar* const added = values.data() + row * out();
  for (std::int64_t i = 0; i < out(); ++i) bias_.data()[i] += added[i];
}

template <class Scalar>
Tensor<Scalar> Linear<Scalar>::multiply(const Tensor<Scalar>& x, ops::Outputs range,
                                        ops::Finish<Scalar> finish) const {
  check_rows("Linear", x, 0, in());
  check_cancelled();
  if (!bias_.empty()) finish.bias = bias_.data() + range.first;
  auto y = Tensor<Scalar>::uninitialized({x.dim(0), range.count});
  weight_->multiply(range, x.data(), in(), x.dim(0), finish, y.data(), range.count);
  return y;
}

template <class Scalar>
Tensor<Scalar> Linear<Scalar>::forward(const Tensor<Scalar>& x, ops::Activation activation) const {
  ops::Finish<Scalar> finish;
  finish.activation = ops::activation_function<Scalar>(activation);
  return multiply(x, {0, out()}, finish);
}

template <class Scalar>
Tensor<Scalar> Linear<Scalar>::forward_add(const Tensor<Scalar>& x,
                                           const Tensor<Scalar>& residual) const {
  check_rows("Linear", residual, x.dim(0), out());
  ops::Finish<Scalar> finish;
  finish.residual = residual.data();
  finish.residual_stride = out();
  return multiply(x, {0, out()}, finish);
}

BRIDGETOWER_EXTERN_TEMPLATE(Linear);

}  // namespace bridgetower

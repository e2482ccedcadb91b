#pragma once

#include <algorithm>
#include <bridgetower/core/backend.hpp>
#include <bridgetower/core/detail/eigen_map.hpp>
#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/extern_template.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/detail/kernels.hpp>
#include <bridgetower/ops/detail/onednn_matrix.hpp>
#include <bridgetower/ops/detail/packed_panels.hpp>
#include <cstdint>
#include <type_traits>

namespace bridgetower::ops {

namespace detail {
using bridgetower::detail::as_matrix;
using bridgetower::detail::Kernels;
using bridgetower::detail::kernels;

/// True where products of this scalar run on the kernels of ops/detail/kernels.hpp.
template <class Scalar>
constexpr bool has_kernels() {
  return std::is_same_v<Scalar, float>;
}
}  // namespace detail

/// What becomes of a product: activation(x Wᵀ + bias + residual), of which each may be missing.
using bridgetower::detail::Finish;

/// Throws InputError where matrices of this scalar cannot be kept in this type: kF32 stands for the
/// scalar itself; bfloat16 and int8 need float and the library's own kernels or oneDNN; oneDNN
/// needs float, a build that has it, and a processor for which it has products of the type.
template <class Scalar>
void check_weight_dtype(DType dtype, Backend backend) {
  if (backend == Backend::kOneDnn && !detail::has_kernels<Scalar>()) {
    throw InputError("load options", "backend", "auto or eigen, as oneDNN multiplies float only",
                     "onednn");
  }
  if (dtype == DType::kF32) {
    if (backend == Backend::kOneDnn) detail::OneDnnMatrix::check(dtype);
    return;
  }
  if (dtype != DType::kBF16 && dtype != DType::kI8) {
    throw InputError("load options", "dtype", "F32, BF16 or I8", to_string(dtype));
  }
  if (!detail::has_kernels<Scalar>() || backend == Backend::kEigen) {
    throw InputError("load options", "dtype", "F32, as only the library's own kernels have others",
                     to_string(dtype));
  }
  if (backend == Backend::kOneDnn) detail::OneDnnMatrix::check(dtype);
}

/// A matrix [outputs, inputs] laid out once for many products y = x Wᵀ + b.
///
/// On the library's own kernels every element of y is one sum over the inputs in a fixed order: its
/// bits depend on neither the other rows and columns nor the number of threads. There the matrix
/// may be kept in fewer bits: in bfloat16, or in int8 with one scale per output; then each row of x
/// is rounded to int8 or int16 with a scale of its own, and for bfloat16 to bfloat16 where the
/// processor multiplies that. Sums stay float32, or exact. The same holds for oneDNN.
template <class Scalar>
class PackedMatrix {
 public:
  /// Throws as check_weight_dtype does.
  PackedMatrix(std::int64_t outputs, std::int64_t inputs, Backend backend = Backend::kAuto,
               DType dtype = DType::kF32);

  std::int64_t outputs() const noexcept { return outputs_; }
  std::int64_t inputs() const noexcept { return inputs_; }

  /// Rows [first, first + count): W(first + o, i) = values[o * output_stride + i * input_stride].
  void set_rows(std::int64_t first, std::int64_t count, const Scalar* values,
                std::int64_t output_stride, std::int64_t input_stride = 1);

  /// What matrices of activations may be rounded to beside this one: bfloat16 where this one is
  /// kept in fewer bits and the processor multiplies bfloat16, else F32.
  DType activation_dtype() const noexcept {
    const bool narrow = dtype_ != DType::kF32 && detail::kernels().bfloat16.narrow != nullptr;
    return narrow ? DType::kBF16 : DType::kF32;
  }

  /// Whether set_int8_rows() may be called: the matrix is kept in int8.
  bool takes_int8() const noexcept { return dtype_ == DType::kI8; }

  /// Rows that are int8 already, W(first + o, i) = values[o * inputs + i] * scales[o].
  void set_int8_rows(std::int64_t first, std::int64_t count, const std::int8_t* values,
                     const float* scales);

  /// Multiplies the rows in `range` by `factor`.
  void scale_rows(Outputs range, Scalar factor);

  /// One row of W: out [inputs].
  void read_row(std::int64_t output, Scalar* out) const;

  /// W[range]ᵀ, [inputs, range.count], in the scalar's own type; not on oneDNN.
  PackedMatrix transposed(Outputs range) const;

  /// y [rows, outputs] = x [rows, inputs] Wᵀ, finished. y may be neither x nor the residual.
  void multiply(const Scalar* x, std::int64_t x_stride, std::int64_t rows,
                const Finish<Scalar>& finish, Scalar* y, std::int64_t y_stride) const {
    multiply({0, outputs_}, x, x_stride, rows, finish, y, y_stride);
  }

  /// Some columns only: y [rows, range.count]; bias and residual are of these columns.
  void multiply(Outputs range, const Scalar* x, std::int64_t x_stride, std::int64_t rows,
                const Finish<Scalar>& finish, Scalar* y, std::int64_t y_stride) const {
    multiply(range, {0, inputs_}, x, x_stride, rows, finish, y, y_stride);
  }

  /// The part of the sums that some inputs add: x [rows, inputs.count].
  void multiply(Outputs range, Inputs inputs, const Scalar* x, std::int64_t x_stride,
                std::int64_t rows, const Finish<Scalar>& finish, Scalar* y,
                std::int64_t y_stride) const;

 private:
  struct NoPanels {};
  using Panels = std::conditional_t<detail::has_kernels<Scalar>(), detail::PackedPanels, NoPanels>;
  using OneDnn = std::conditional_t<detail::has_kernels<Scalar>(), detail::OneDnnMatrix, NoPanels>;

  bool on_kernels() const noexcept {
    return detail::has_kernels<Scalar>() && backend_ == Backend::kAuto;
  }
  bool on_onednn() const noexcept { return backend_ == Backend::kOneDnn; }
  void multiply_on_eigen(Outputs range, Inputs inputs, const Scalar* x, std::int64_t x_stride,
                         std::int64_t rows, const Finish<Scalar>& finish, Scalar* y,
                         std::int64_t y_stride) const;

  std::int64_t outputs_;
  std::int64_t inputs_;
  Backend backend_;
  DType dtype_;
  Panels panels_;          // on kernels
  OneDnn onednn_;          // on oneDNN
  Tensor<Scalar> values_;  // on Eigen: [outputs, inputs]
};

template <class Scalar>
PackedMatrix<Scalar>::PackedMatrix(std::int64_t outputs, std::int64_t inputs, Backend backend,
                                   DType dtype)
    : outputs_(outputs), inputs_(inputs), backend_(backend), dtype_(dtype) {
  check_weight_dtype<Scalar>(dtype, backend);
  if constexpr (detail::has_kernels<Scalar>()) {
    if (on_kernels()) panels_ = {outputs, inputs, dtype};
    if (on_onednn()) onednn_ = {outputs, inputs, dtype};
  }
  if (backend == Backend::kEigen || !detail::has_kernels<Scalar>())
    values_ = Tensor<Scalar>::uninitialized({outputs, inputs});
}

template <class Scalar>
void PackedMatrix<Scalar>::set_rows(std::int64_t first, std::int64_t count, const Scalar* values,
                                    std::int64_t output_stride, std::int64_t input_stride) {
  if constexpr (detail::has_kernels<Scalar>()) {
    if (on_kernels()) return panels_.set_rows({first, count}, values, output_stride, input_stride);
    if (on_onednn()) return onednn_.set_rows({first, count}, values, output_stride, input_stride);
  }
  for (std::int64_t o = 0; o < count; ++o) {
    Scalar* const row = values_.data() + (first + o) * inputs_;
    for (std::int64_t i = 0; i < inputs_; ++i) {
      row[i] = values[o * output_stride + i * input_stride];
    }
  }
}

template <class Scalar>
void PackedMatrix<Scalar>::set_int8_rows([[maybe_unused]] std::int64_t first,
                                         [[maybe_unused]] std::int64_t count,
                                         [[maybe_unused]] const std::int8_t* values,
                                         [[maybe_unused]] const float* scales) {
  if constexpr (detail::has_kernels<Scalar>()) {
    if (on_onednn()) return onednn_.set_int8_rows({first, count}, values, scales);
    panels_.set_int8_rows({first, count}, values, scales);
  }
}

template <class Scalar>
void PackedMatrix<Scalar>::scale_rows(Outputs range, Scalar factor) {
  if constexpr (detail::has_kernels<Scalar>()) {
    if (on_kernels()) return panels_.scale_rows(range, factor);
    if (on_onednn()) return onednn_.scale_rows(range, factor);
  }
  Scalar* const first = values_.data() + range.first * inputs_;
  std::for_each(first, first + range.count * inputs_, [factor](Scalar& v) { v *= factor; });
}

template <class Scalar>
void PackedMatrix<Scalar>::read_row(std::int64_t output, Scalar* out) const {
  if constexpr (detail::has_kernels<Scalar>()) {
    if (on_kernels()) return panels_.read_row(output, out);
    if (on_onednn()) return onednn_.read_row(output, out);
  }
  std::copy_n(values_.data() + output * inputs_, inputs_, out);
}

template <class Scalar>
PackedMatrix<Scalar> PackedMatrix<Scalar>::transposed(Outputs range) const {
  PackedMatrix result(0, 0, without_onednn(backend_));
  result.outputs_ = inputs_;
  result.inputs_ = range.count;
  if constexpr (detail::has_kernels<Scalar>()) {
    if (backend_ != Backend::kEigen) {
      result.panels_ = on_onednn() ? onednn_.transposed(range) : panels_.transposed(range);
      return result;
    }
  }
  result.values_ = Tensor<Scalar>::uninitialized({inputs_, range.count});
  result.set_rows(0, inputs_, values_.data() + range.first * inputs_, 1, inputs_);
  return result;
}

template <class Scalar>
void PackedMatrix<Scalar>::multiply(Outputs range, Inputs inputs, const Scalar* x,
                                    std::int64_t x_stride, std::int64_t rows,
                                    const Finish<Scalar>& finish, Scalar* y,
                                    std::int64_t y_stride) const {
  if (rows == 0 || range.count == 0) return;
  bridgetower::detail::count_multiply_adds(rows * range.count * inputs.count);
  if constexpr (detail::has_kernels<Scalar>()) {
    if (on_kernels()) {
      return panels_.multiply(range, inputs, x, x_stride, rows, finish, y, y_stride);
    }
    if (on_onednn()) {
      return onednn_.multiply(range, inputs, x, x_stride, rows, finish, y, y_stride);
    }
  }
  multiply_on_eigen(range, inputs, x, x_stride, rows, finish, y, y_stride);
}

template <class Scalar>
void PackedMatrix<Scalar>::multiply_on_eigen(Outputs range, Inputs inputs, const Scalar* x,
                                             std::int64_t x_stride, std::int64_t rows,
                                             const Finish<Scalar>& finish, Scalar* y,
                                             std::int64_t y_stride) const {
  constexpr std::int64_t kColumns = 128;  // fixed, so that the number of threads changes no bits
  parallel_for((range.count + kColumns - 1) / kColumns, [&](std::int64_t block) {
    const std::int64_t first = block * kColumns;
    const std::int64_t count = std::min(kColumns, range.count - first);
    const Scalar* const weights = values_.data() + (range.first + first) * inputs_ + inputs.first;
    detail::as_matrix(y + first, rows, count, y_stride).noalias() =
        detail::as_matrix(x, rows, inputs.count, x_stride) *
        detail::as_matrix(weights, count, inputs.count, inputs_).transpose();
    Finish<Scalar> part = finish;
    if (part.bias != nullptr) part.bias += first;
    if (part.residual != nullptr) part.residual += first;
    detail::finish_rows(part, rows, count, y + first, y_stride);
  });
}

BRIDGETOWER_EXTERN_TEMPLATE(PackedMatrix);

}  // namespace bridgetower::ops

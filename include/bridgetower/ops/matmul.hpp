#pragma once

#include <algorithm>
#include <bridgetower/core/backend.hpp>
#include <bridgetower/core/detail/eigen_map.hpp>
#include <bridgetower/core/extern_template.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/detail/kernels.hpp>
#include <cstdint>
#include <type_traits>

namespace bridgetower::ops {

namespace detail {
using bridgetower::detail::as_matrix;
using bridgetower::detail::Kernels;
using bridgetower::detail::kernels;
using bridgetower::detail::multiply_packed;

/// True where products of this scalar run on the kernels of ops/detail/kernels.hpp.
template <class Scalar>
constexpr bool has_kernels() {
#ifdef BRIDGETOWER_HEADER_ONLY
  return false;
#else
  return std::is_same_v<Scalar, float>;
#endif
}
}  // namespace detail

/// A matrix [outputs, inputs] laid out once for many products y = x Wᵀ + b.
///
/// On the library's own kernels every element of y is one sum over the inputs in a fixed order: its
/// bits depend on neither the other rows and columns nor the number of threads.
template <class Scalar>
class PackedMatrix {
 public:
  PackedMatrix(std::int64_t outputs, std::int64_t inputs, Backend backend = Backend::kAuto);

  std::int64_t outputs() const noexcept { return outputs_; }
  std::int64_t inputs() const noexcept { return inputs_; }

  /// Rows [first, first + count): W(first + o, i) = values[o * output_stride + i * input_stride].
  void set_rows(std::int64_t first, std::int64_t count, const Scalar* values,
                std::int64_t output_stride, std::int64_t input_stride = 1);

  /// y [rows, outputs] = x [rows, inputs] Wᵀ + bias [outputs] (null: none).
  void multiply(const Scalar* x, std::int64_t x_stride, std::int64_t rows, const Scalar* bias,
                Scalar* y, std::int64_t y_stride) const;

 private:
  bool on_kernels() const noexcept {
    return detail::has_kernels<Scalar>() && backend_ == Backend::kAuto;
  }
  void multiply_on_eigen(const Scalar* x, std::int64_t x_stride, std::int64_t rows,
                         const Scalar* bias, Scalar* y, std::int64_t y_stride) const;

  std::int64_t outputs_;
  std::int64_t inputs_;
  Backend backend_;
  std::int64_t panel_;     // columns of y that one panel makes; outputs_ on Eigen
  Tensor<Scalar> values_;  // kernels: [panels, inputs, panel]; Eigen: [outputs, inputs]
};

template <class Scalar>
PackedMatrix<Scalar>::PackedMatrix(std::int64_t outputs, std::int64_t inputs, Backend backend)
    : outputs_(outputs),
      inputs_(inputs),
      backend_(backend),
      panel_(std::max<std::int64_t>(1, outputs)) {
  if (on_kernels()) panel_ = detail::kernels().panel_columns;
  const std::int64_t panels = (outputs + panel_ - 1) / panel_;
  values_ = Tensor<Scalar>::uninitialized(on_kernels() ? Shape{panels, inputs, panel_}
                                                       : Shape{outputs, inputs});
  if (!on_kernels() || outputs % panel_ == 0) return;
  const auto last = static_cast<std::size_t>(inputs * panel_);
  std::fill(values_.end() - last, values_.end(), Scalar(0));
}

template <class Scalar>
void PackedMatrix<Scalar>::set_rows(std::int64_t first, std::int64_t count, const Scalar* values,
                                    std::int64_t output_stride, std::int64_t input_stride) {
  if (!on_kernels()) {
    for (std::int64_t o = 0; o < count; ++o) {
      Scalar* const row = values_.data() + (first + o) * inputs_;
      for (std::int64_t i = 0; i < inputs_; ++i)
        row[i] = values[o * output_stride + i * input_stride];
    }
    return;
  }
  for (std::int64_t begin = first; begin < first + count;) {
    const std::int64_t column = begin % panel_;
    const std::int64_t end = std::min(first + count, begin - column + panel_);
    Scalar* const panel = values_.data() + begin / panel_ * inputs_ * panel_ + column;
    const Scalar* const source = values + (begin - first) * output_stride;
    for (std::int64_t i = 0; i < inputs_; ++i) {
      for (std::int64_t o = 0; o < end - begin; ++o) {
        panel[i * panel_ + o] = source[o * output_stride + i * input_stride];
      }
    }
    begin = end;
  }
}

template <class Scalar>
void PackedMatrix<Scalar>::multiply(const Scalar* x, std::int64_t x_stride, std::int64_t rows,
                                    const Scalar* bias, Scalar* y, std::int64_t y_stride) const {
  if (rows == 0 || outputs_ == 0) return;
  if constexpr (detail::has_kernels<Scalar>()) {
    if (on_kernels()) {
      return detail::multiply_packed({values_.data(), outputs_, inputs_}, x, x_stride, rows, bias,
                                     y, y_stride);
    }
  }
  multiply_on_eigen(x, x_stride, rows, bias, y, y_stride);
}

template <class Scalar>
void PackedMatrix<Scalar>::multiply_on_eigen(const Scalar* x, std::int64_t x_stride,
                                             std::int64_t rows, const Scalar* bias, Scalar* y,
                                             std::int64_t y_stride) const {
  constexpr std::int64_t kColumns = 128;  // fixed, so that the number of threads changes no bits
  parallel_for((outputs_ + kColumns - 1) / kColumns, [&](std::int64_t block) {
    const std::int64_t first = block * kColumns;
    const std::int64_t count = std::min(kColumns, outputs_ - first);
    auto result = detail::as_matrix(y + first, rows, count, y_stride);
    result.noalias() =
        detail::as_matrix(x, rows, inputs_, x_stride) *
        detail::as_matrix(values_.data() + first * inputs_, count, inputs_, inputs_).transpose();
    if (bias != nullptr)
      result.rowwise() += detail::as_matrix(bias + first, 1, count, count).row(0);
  });
}

BRIDGETOWER_EXTERN_TEMPLATE(PackedMatrix);

}  // namespace bridgetower::ops

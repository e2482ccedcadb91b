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
/// Finishes the product in y.
template <class Scalar>
void finish_rows(const bridgetower::detail::Finish<Scalar>& finish, std::int64_t rows,
                 std::int64_t columns, Scalar* y, std::int64_t y_stride) {
  for (std::int64_t r = 0; r < rows; ++r) {
    Scalar* const row = y + r * y_stride;
    for (std::int64_t i = 0; finish.bias != nullptr && i < columns; ++i) row[i] += finish.bias[i];
    if (finish.residual != nullptr) {
      const Scalar* const residual = finish.residual + r * finish.residual_stride;
      for (std::int64_t i = 0; i < columns; ++i) row[i] += residual[i];
    }
    if (finish.activation != nullptr) finish.activation(row, columns);
  }
}
}  // namespace detail

/// What becomes of a product: activation(x Wᵀ + bias + residual), of which each may be missing.
using bridgetower::detail::Finish;

/// Rows [first, first + count) of a packed matrix: that many columns of y.
struct Outputs {
  std::int64_t first;
  std::int64_t count;
};

/// Columns [first, first + count) of a packed matrix: that many columns of x.
struct Inputs {
  std::int64_t first;
  std::int64_t count;
};

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
                std::int64_t output_stride, std::int64_t input_stride = 1) {
    set_block({first, count}, 0, inputs_, values, output_stride, input_stride);
  }

  /// Multiplies the rows in `range` by `factor`.
  void scale_rows(Outputs range, Scalar factor);

  /// W[range]ᵀ, [inputs, range.count].
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
  bool on_kernels() const noexcept {
    return detail::has_kernels<Scalar>() && backend_ == Backend::kAuto;
  }
  Scalar* panel_data(std::int64_t panel) noexcept {
    return values_.data() + panel * inputs_ * panel_;
  }
  const Scalar* panel_data(std::int64_t panel) const noexcept {
    return values_.data() + panel * inputs_ * panel_;
  }

  /// Calls function(first output, count, panel, column within it) for each panel's part of a range.
  template <class Function>
  void for_panels(Outputs range, const Function& function) const;

  void set_block(Outputs range, std::int64_t first_input, std::int64_t input_count,
                 const Scalar* values, std::int64_t output_stride, std::int64_t input_stride);
  void multiply_on_kernels(Outputs range, Inputs inputs, const Scalar* x, std::int64_t x_stride,
                           std::int64_t rows, const Finish<Scalar>& finish, Scalar* y,
                           std::int64_t y_stride) const;
  void multiply_on_eigen(Outputs range, Inputs inputs, const Scalar* x, std::int64_t x_stride,
                         std::int64_t rows, const Finish<Scalar>& finish, Scalar* y,
                         std::int64_t y_stride) const;

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
template <class Function>
void PackedMatrix<Scalar>::for_panels(Outputs range, const Function& function) const {
  for (std::int64_t first = range.first; first < range.first + range.count;) {
    const std::int64_t column = first % panel_;
    const std::int64_t count = std::min(range.first + range.count - first, panel_ - column);
    function(first, count, first / panel_, column);
    first += count;
  }
}

template <class Scalar>
void PackedMatrix<Scalar>::set_block(Outputs range, std::int64_t first_input,
                                     std::int64_t input_count, const Scalar* values,
                                     std::int64_t output_stride, std::int64_t input_stride) {
  if (!on_kernels()) {
    for (std::int64_t o = 0; o < range.count; ++o) {
      Scalar* const row = values_.data() + (range.first + o) * inputs_ + first_input;
      for (std::int64_t i = 0; i < input_count; ++i) {
        row[i] = values[o * output_stride + i * input_stride];
      }
    }
    return;
  }
  for_panels(range,
             [&](std::int64_t first, std::int64_t count, std::int64_t panel, std::int64_t column) {
               Scalar* const target = panel_data(panel) + first_input * panel_ + column;
               const Scalar* const source = values + (first - range.first) * output_stride;
               if constexpr (detail::has_kernels<Scalar>()) {
                 if (input_stride == 1) {
                   return detail::kernels().transpose(source, output_stride, count, input_count,
                                                      target, panel_);
                 }
               }
               for (std::int64_t i = 0; i < input_count; ++i) {
                 if (output_stride == 1) {
                   std::copy_n(source + i * input_stride, count, target + i * panel_);
                   continue;
                 }
                 for (std::int64_t o = 0; o < count; ++o) {
                   target[i * panel_ + o] = source[o * output_stride + i * input_stride];
                 }
               }
             });
}

template <class Scalar>
void PackedMatrix<Scalar>::scale_rows(Outputs range, Scalar factor) {
  if (!on_kernels()) {
    Scalar* const first = values_.data() + range.first * inputs_;
    std::for_each(first, first + range.count * inputs_, [factor](Scalar& v) { v *= factor; });
    return;
  }
  for_panels(range, [&](std::int64_t, std::int64_t count, std::int64_t panel, std::int64_t column) {
    Scalar* const target = panel_data(panel) + column;
    for (std::int64_t i = 0; i < inputs_; ++i) {
      for (std::int64_t o = 0; o < count; ++o) target[i * panel_ + o] *= factor;
    }
  });
}

template <class Scalar>
PackedMatrix<Scalar> PackedMatrix<Scalar>::transposed(Outputs range) const {
  PackedMatrix result(inputs_, range.count, backend_);
  if (!on_kernels()) {
    result.set_rows(0, inputs_, values_.data() + range.first * inputs_, 1, inputs_);
    return result;
  }
  for_panels(range,
             [&](std::int64_t first, std::int64_t count, std::int64_t panel, std::int64_t column) {
               result.set_block({0, inputs_}, first - range.first, count,
                                panel_data(panel) + column, panel_, 1);
             });
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
      return multiply_on_kernels(range, inputs, x, x_stride, rows, finish, y, y_stride);
    }
  }
  multiply_on_eigen(range, inputs, x, x_stride, rows, finish, y, y_stride);
}

template <class Scalar>
void PackedMatrix<Scalar>::multiply_on_kernels(Outputs range, Inputs inputs, const Scalar* x,
                                               std::int64_t x_stride, std::int64_t rows,
                                               const Finish<Scalar>& finish, Scalar* y,
                                               std::int64_t y_stride) const {
  if constexpr (detail::has_kernels<Scalar>()) {
    const std::int64_t before = range.first % panel_;
    const Scalar* const values = panel_data(range.first / panel_) + inputs.first * panel_;
    const std::int64_t stride = inputs_ * panel_;
    if (before == 0) {
      return detail::multiply_packed({values, range.count, inputs.count, stride}, x, x_stride, rows,
                                     finish, y, y_stride);
    }
    // The range begins inside a panel: from the panel's first column on, and the rest is cut off.
    const std::int64_t wider = range.count + before;
    auto all = Tensor<Scalar>::uninitialized({rows, wider});
    detail::multiply_packed({values, wider, inputs.count, stride}, x, x_stride, rows, {},
                            all.data(), wider);
    for (std::int64_t r = 0; r < rows; ++r) {
      std::copy_n(all.data() + r * wider + before, range.count, y + r * y_stride);
    }
    detail::finish_rows(finish, rows, range.count, y, y_stride);
  }
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

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

/// Rows [first, first + count) of a packed matrix: that many columns of y.
struct Outputs {
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

  /// y [rows, outputs] = x [rows, inputs] Wᵀ + bias [outputs] (null: none).
  void multiply(const Scalar* x, std::int64_t x_stride, std::int64_t rows, const Scalar* bias,
                Scalar* y, std::int64_t y_stride) const {
    multiply({0, outputs_}, x, x_stride, rows, bias, y, y_stride);
  }

  /// Some columns only: y [rows, range.count], bias [range.count].
  void multiply(Outputs range, const Scalar* x, std::int64_t x_stride, std::int64_t rows,
                const Scalar* bias, Scalar* y, std::int64_t y_stride) const;

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
  void multiply_on_kernels(Outputs range, const Scalar* x, std::int64_t x_stride, std::int64_t rows,
                           const Scalar* bias, Scalar* y, std::int64_t y_stride) const;
  void multiply_on_eigen(Outputs range, const Scalar* x, std::int64_t x_stride, std::int64_t rows,
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
               for (std::int64_t i = 0; i < input_count; ++i) {
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
void PackedMatrix<Scalar>::multiply(Outputs range, const Scalar* x, std::int64_t x_stride,
                                    std::int64_t rows, const Scalar* bias, Scalar* y,
                                    std::int64_t y_stride) const {
  if (rows == 0 || range.count == 0) return;
  bridgetower::detail::count_multiply_adds(rows * range.count * inputs_);
  if constexpr (detail::has_kernels<Scalar>()) {
    if (on_kernels()) return multiply_on_kernels(range, x, x_stride, rows, bias, y, y_stride);
  }
  multiply_on_eigen(range, x, x_stride, rows, bias, y, y_stride);
}

template <class Scalar>
void PackedMatrix<Scalar>::multiply_on_kernels(Outputs range, const Scalar* x,
                                               std::int64_t x_stride, std::int64_t rows,
                                               const Scalar* bias, Scalar* y,
                                               std::int64_t y_stride) const {
  if constexpr (detail::has_kernels<Scalar>()) {
    const std::int64_t before = range.first % panel_;
    if (before == 0) {
      return detail::multiply_packed({panel_data(range.first / panel_), range.count, inputs_}, x,
                                     x_stride, rows, bias, y, y_stride);
    }
    // The range begins inside a panel: from the panel's first column on, and the rest is cut off.
    const Outputs wider{range.first - before, range.count + before};
    auto all = Tensor<Scalar>::uninitialized({rows, wider.count});
    detail::multiply_packed({panel_data(wider.first / panel_), wider.count, inputs_}, x, x_stride,
                            rows, nullptr, all.data(), wider.count);
    for (std::int64_t r = 0; r < rows; ++r) {
      const Scalar* const source = all.data() + r * wider.count + before;
      for (std::int64_t o = 0; o < range.count; ++o) {
        y[r * y_stride + o] = bias == nullptr ? source[o] : source[o] + bias[o];
      }
    }
  }
}

template <class Scalar>
void PackedMatrix<Scalar>::multiply_on_eigen(Outputs range, const Scalar* x, std::int64_t x_stride,
                                             std::int64_t rows, const Scalar* bias, Scalar* y,
                                             std::int64_t y_stride) const {
  constexpr std::int64_t kColumns = 128;  // fixed, so that the number of threads changes no bits
  parallel_for((range.count + kColumns - 1) / kColumns, [&](std::int64_t block) {
    const std::int64_t first = block * kColumns;
    const std::int64_t count = std::min(kColumns, range.count - first);
    auto result = detail::as_matrix(y + first, rows, count, y_stride);
    result.noalias() =
        detail::as_matrix(x, rows, inputs_, x_stride) *
        detail::as_matrix(values_.data() + (range.first + first) * inputs_, count, inputs_, inputs_)
            .transpose();
    if (bias != nullptr)
      result.rowwise() += detail::as_matrix(bias + first, 1, count, count).row(0);
  });
}

BRIDGETOWER_EXTERN_TEMPLATE(PackedMatrix);

}  // namespace bridgetower::ops

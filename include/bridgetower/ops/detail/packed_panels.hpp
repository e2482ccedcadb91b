#pragma once

#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/detail/kernels.hpp>
#include <cstdint>

namespace bridgetower::ops {

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

namespace detail {

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

/// A matrix [outputs, inputs] in the layout of the kernels: panels [units, panel_columns].
class PackedPanels {
 public:
  PackedPanels() = default;
  PackedPanels(std::int64_t outputs, std::int64_t inputs, DType dtype);

  // All as in PackedMatrix.
  void set_rows(Outputs range, const float* values, std::int64_t output_stride,
                std::int64_t input_stride);
  void set_int8_rows(Outputs range, const std::int8_t* values, const float* scales);
  void scale_rows(Outputs range, float factor);
  void read_row(std::int64_t output, float* out) const;
  PackedPanels transposed(Outputs range) const;
  void multiply(Outputs range, Inputs inputs, const float* x, std::int64_t x_stride,
                std::int64_t rows, const bridgetower::detail::Finish<float>& finish, float* y,
                std::int64_t y_stride) const;

 private:
  template <class Stored>
  Stored* panel(std::int64_t index) noexcept {
    return reinterpret_cast<Stored*>(values_.data() + index * panel_bytes_);
  }
  template <class Stored>
  const Stored* panel(std::int64_t index) const noexcept {
    return reinterpret_cast<const Stored*>(values_.data() + index * panel_bytes_);
  }

  /// Calls function(first output, count, panel, column within it) for each panel's part of a range.
  template <class Function>
  void for_panels(Outputs range, const Function& function) const;

  /// Inputs [first, first + count) of some outputs.
  void set_float_block(Outputs range, Inputs inputs, const float* values,
                       std::int64_t output_stride, std::int64_t input_stride);
  /// rows [count, inputs] = values[o * output_stride + i * input_stride]
  void copy_rows(const float* values, std::int64_t count, std::int64_t output_stride,
                 std::int64_t input_stride, float* rows) const;
  void round_to_int8(Outputs range, const float* rows, std::int64_t stride);

  // Some rows [count, inputs] become columns of a panel, from `column` on.
  void set_bfloat16_rows(const float* rows, std::int64_t stride, std::int64_t count,
                         std::int64_t index, std::int64_t column);
  void set_pairs(const std::int8_t* rows, std::int64_t count, std::int64_t index,
                 std::int64_t column);
  /// The same for rows of units [count, units] as the kernel takes them.
  void set_units(const float* units, std::int64_t count, std::int64_t index, std::int64_t column);

  /// Where an element lies in its panel, counted in elements.
  std::int64_t place(std::int64_t input, std::int64_t column) const noexcept;
  /// W(panel * columns + column, input)
  float value(std::int64_t index, std::int64_t input, std::int64_t column) const noexcept;
  /// One panel in float32: [units * inputs of a unit, panel_columns].
  Tensor<float> widened(std::int64_t index) const;

  std::int64_t outputs_ = 0;
  std::int64_t inputs_ = 0;
  DType dtype_ = DType::kF32;
  std::int64_t columns_ = 1;  // of a panel
  std::int64_t unit_inputs_ = 1;
  std::int64_t units_ = 0;        // of a panel, for each column
  std::uint8_t flip_ = 0;         // bits that differ in int8 as it is kept
  std::int64_t panel_bytes_ = 0;  // of a panel
  Tensor<std::int8_t> values_;    // [panels, panel_bytes]
  Tensor<float> scales_;          // int8: one for each column of every panel
  Tensor<float> sums_;            // of a column's weights, where inputs are centred
};

}  // namespace detail
}  // namespace bridgetower::ops

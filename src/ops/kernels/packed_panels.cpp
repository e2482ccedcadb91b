#include <algorithm>
#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/core/detail/int8.hpp>
#include <bridgetower/ops/detail/packed_panels.hpp>
#include <cstring>

namespace bridgetower::ops::detail {

using bridgetower::detail::bfloat_from_float;
using bridgetower::detail::Finish;
using bridgetower::detail::float_from_bfloat;
using bridgetower::detail::kernels;
using bridgetower::detail::to_int8;

PackedPanels::PackedPanels(std::int64_t outputs, std::int64_t inputs, DType dtype)
    : outputs_(outputs), inputs_(inputs), dtype_(dtype), columns_(kernels().panel_columns) {
  const std::int64_t panels = (outputs + columns_ - 1) / columns_;
  const bool pairs = dtype == DType::kI8;
  const std::int64_t units = pairs ? inputs / 2 + inputs % 2 : inputs;
  values_ =
      Tensor<std::int8_t>::uninitialized({panels, units, columns_, dtype == DType::kF32 ? 4 : 2});
  panel_bytes_ = panels == 0 ? 0 : static_cast<std::int64_t>(values_.size()) / panels;
  if (pairs) scales_ = Tensor<float>({panels * columns_});
  // Columns beyond the last output, and the input that fills up the last pair.
  if (pairs && inputs % 2 != 0) {
    std::fill(values_.begin(), values_.end(), std::int8_t{0});
  } else if (outputs % columns_ != 0) {
    std::fill(values_.end() - panel_bytes_, values_.end(), std::int8_t{0});
  }
}

template <class Function>
void PackedPanels::for_panels(Outputs range, const Function& function) const {
  const std::int64_t end = std::min(range.first + range.count, outputs_);
  for (std::int64_t first = range.first; first < end;) {
    const std::int64_t column = first % columns_;
    const std::int64_t count = std::min(end - first, columns_ - column);
    function(first, count, first / columns_, column);
    first += count;
  }
}

void PackedPanels::set_rows(Outputs range, const float* values, std::int64_t output_stride,
                            std::int64_t input_stride) {
  if (dtype_ == DType::kF32) {
    return set_float_block(range, {0, inputs_}, values, output_stride, input_stride);
  }
  auto row = Tensor<float>::uninitialized({inputs_});
  auto steps = Tensor<std::int8_t>::uninitialized({inputs_});
  for (std::int64_t o = 0; o < range.count; ++o) {
    const std::int64_t output = range.first + o;
    for (std::int64_t i = 0; i < inputs_; ++i) {
      row.data()[i] = values[o * output_stride + i * input_stride];
    }
    if (dtype_ == DType::kI8) {
      const float scale = to_int8(row.data(), inputs_, steps.data());
      set_int8_rows({output, 1}, steps.data(), &scale);
      continue;
    }
    auto* const target = panel<std::uint16_t>(output / columns_) + output % columns_;
    for (std::int64_t i = 0; i < inputs_; ++i) {
      target[i * columns_] = bfloat_from_float(row.data()[i]);
    }
  }
}

void PackedPanels::set_int8_rows(Outputs range, const std::int8_t* values, const float* scales) {
  for_panels(range,
             [&](std::int64_t first, std::int64_t count, std::int64_t index, std::int64_t column) {
               std::copy_n(scales + (first - range.first), count, scales_.data() + first);
               const std::int8_t* const source = values + (first - range.first) * inputs_;
               std::int8_t* target = panel<std::int8_t>(index) + 2 * column;
               for (std::int64_t i = 0; i + 1 < inputs_; i += 2) {
                 for (std::int64_t o = 0; o < count; ++o)
                   std::memcpy(target + 2 * o, source + o * inputs_ + i, 2);
                 target += 2 * columns_;
               }
               for (std::int64_t o = 0; inputs_ % 2 != 0 && o < count; ++o) {
                 target[2 * o] = source[(o + 1) * inputs_ - 1];
               }
             });
}

void PackedPanels::set_float_block(Outputs range, Inputs inputs, const float* values,
                                   std::int64_t output_stride, std::int64_t input_stride) {
  for_panels(
      range, [&](std::int64_t first, std::int64_t count, std::int64_t index, std::int64_t column) {
        float* const target = panel<float>(index) + inputs.first * columns_ + column;
        const float* const source = values + (first - range.first) * output_stride;
        if (input_stride == 1) {
          return kernels().transpose(source, output_stride, count, inputs.count, target, columns_);
        }
        for (std::int64_t i = 0; i < inputs.count; ++i) {
          if (output_stride == 1) {
            std::copy_n(source + i * input_stride, count, target + i * columns_);
            continue;
          }
          for (std::int64_t o = 0; o < count; ++o) {
            target[i * columns_ + o] = source[o * output_stride + i * input_stride];
          }
        }
      });
}

void PackedPanels::scale_rows(Outputs range, float factor) {
  for_panels(
      range, [&](std::int64_t first, std::int64_t count, std::int64_t index, std::int64_t column) {
        for (std::int64_t o = 0; dtype_ == DType::kI8 && o < count; ++o) {
          scales_.data()[first + o] *= factor;
        }
        for (std::int64_t i = 0; dtype_ != DType::kI8 && i < inputs_; ++i) {
          for (std::int64_t o = i * columns_ + column; o < i * columns_ + column + count; ++o) {
            if (dtype_ == DType::kF32) {
              panel<float>(index)[o] *= factor;
            } else {
              std::uint16_t& value = panel<std::uint16_t>(index)[o];
              value = bfloat_from_float(float_from_bfloat(value) * factor);
            }
          }
        }
      });
}

float PackedPanels::value(std::int64_t index, std::int64_t input,
                          std::int64_t column) const noexcept {
  const std::int64_t place = input * columns_ + column;
  if (dtype_ == DType::kF32) return panel<float>(index)[place];
  if (dtype_ == DType::kBF16) return float_from_bfloat(panel<std::uint16_t>(index)[place]);
  const std::int8_t stored =
      panel<std::int8_t>(index)[(input / 2 * columns_ + column) * 2 + input % 2];
  return static_cast<float>(stored) * scales_.data()[index * columns_ + column];
}

void PackedPanels::read_row(std::int64_t output, float* out) const {
  for (std::int64_t i = 0; i < inputs_; ++i)
    out[i] = value(output / columns_, i, output % columns_);
}

Tensor<float> PackedPanels::widened(std::int64_t index) const {
  auto wide = Tensor<float>::uninitialized({inputs_, columns_});
  for (std::int64_t i = 0; i < inputs_; ++i) {
    for (std::int64_t o = 0; o < columns_; ++o) wide.data()[i * columns_ + o] = value(index, i, o);
  }
  return wide;
}

PackedPanels PackedPanels::transposed(Outputs range) const {
  PackedPanels result(inputs_, range.count, DType::kF32);
  for_panels(
      range, [&](std::int64_t first, std::int64_t count, std::int64_t index, std::int64_t column) {
        Tensor<float> wide;
        if (dtype_ != DType::kF32) wide = widened(index);
        const float* const values = dtype_ == DType::kF32 ? panel<float>(index) : wide.data();
        result.set_float_block({0, inputs_}, {first - range.first, count}, values + column,
                               columns_, 1);
      });
  return result;
}

void PackedPanels::multiply(Outputs range, Inputs inputs, const float* x, std::int64_t x_stride,
                            std::int64_t rows, const Finish<float>& finish, float* y,
                            std::int64_t y_stride) const {
  if (dtype_ == DType::kI8 && inputs.first % 2 != 0) {
    // These inputs share their units with others.
    const PackedPanels part = transposed(range).transposed({inputs.first, inputs.count});
    return part.multiply({0, range.count}, {0, inputs.count}, x, x_stride, rows, finish, y,
                         y_stride);
  }
  const std::int64_t before = range.first % columns_;
  const std::int64_t wider = range.count + before;
  const std::int64_t index = range.first / columns_;
  const std::int64_t input_bytes = dtype_ == DType::kF32 ? 4 : dtype_ == DType::kBF16 ? 2 : 1;
  const bridgetower::detail::PackedView view{
      panel<char>(index) + inputs.first * input_bytes * columns_,
      dtype_,
      wider,
      inputs.count,
      panel_bytes_,
      dtype_ == DType::kI8 ? scales_.data() + index * columns_ : nullptr};
  if (before == 0) {
    return bridgetower::detail::multiply_packed(view, x, x_stride, rows, finish, y, y_stride);
  }
  // The range begins inside a panel: from the panel's first column on, and the rest is cut off.
  auto all = Tensor<float>::uninitialized({rows, wider});
  bridgetower::detail::multiply_packed(view, x, x_stride, rows, {}, all.data(), wider);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::copy_n(all.data() + r * wider + before, range.count, y + r * y_stride);
  }
  finish_rows(finish, rows, range.count, y, y_stride);
}

}  // namespace bridgetower::ops::detail

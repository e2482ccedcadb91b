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
    : outputs_(outputs),
      inputs_(inputs),
      dtype_(dtype),
      columns_(kernels().panel_columns),
      unit_inputs_(kernels().product(dtype).inputs),
      units_((inputs + unit_inputs_ - 1) / unit_inputs_),
      flip_(kernels().product(dtype).offset == nullptr ? 0 : 0x80) {
  const std::int64_t panels = (outputs + columns_ - 1) / columns_;
  values_ = Tensor<std::int8_t>::uninitialized(
      {panels, units_, columns_, kernels().product(dtype).stored_bytes});
  panel_bytes_ = panels == 0 ? 0 : static_cast<std::int64_t>(values_.size()) / panels;
  if (dtype == DType::kI8) scales_ = Tensor<float>({panels * columns_});
  if (flip_ != 0) sums_ = Tensor<float>({panels * columns_});
  // Columns beyond the last output, and inputs that fill up the last unit.
  if (inputs % unit_inputs_ != 0) {
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
  auto copy = Tensor<float>::uninitialized(
      {input_stride == 1 ? 0 : std::min(range.count, columns_), inputs_});
  for_panels(range,
             [&](std::int64_t first, std::int64_t count, std::int64_t index, std::int64_t column) {
               const float* rows = values + (first - range.first) * output_stride;
               std::int64_t stride = output_stride;
               if (input_stride != 1) {
                 copy_rows(rows, count, output_stride, input_stride, copy.data());
                 rows = copy.data();
                 stride = inputs_;
               }
               if (dtype_ == DType::kI8) return round_to_int8({first, count}, rows, stride);
               set_bfloat16_rows(rows, stride, count, index, column);
             });
}

void PackedPanels::copy_rows(const float* values, std::int64_t count, std::int64_t output_stride,
                             std::int64_t input_stride, float* rows) const {
  if (output_stride == 1) {
    return kernels().transpose(values, input_stride, inputs_, count, rows, inputs_);
  }
  for (std::int64_t i = 0; i < count * inputs_; ++i) {
    rows[i] = values[i / inputs_ * output_stride + i % inputs_ * input_stride];
  }
}

void PackedPanels::round_to_int8(Outputs range, const float* rows, std::int64_t stride) {
  auto steps = Tensor<std::int8_t>::uninitialized({range.count, inputs_});
  auto scales = Tensor<float>::uninitialized({range.count});
  for (std::int64_t o = 0; o < range.count; ++o) {
    scales.data()[o] = to_int8(rows + o * stride, inputs_, steps.data() + o * inputs_);
  }
  set_int8_rows(range, steps.data(), scales.data());
}

void PackedPanels::set_bfloat16_rows(const float* rows, std::int64_t stride, std::int64_t count,
                                     std::int64_t index, std::int64_t column) {
  const auto narrow = kernels().bfloat16.narrow;
  if (narrow == nullptr) {
    for (std::int64_t o = 0; o < count; ++o) {
      auto* const target = panel<std::uint16_t>(index) + column + o;
      for (std::int64_t i = 0; i < inputs_; ++i) {
        target[i * columns_] = bfloat_from_float(rows[o * stride + i]);
      }
    }
    return;
  }
  auto units = Tensor<float>::uninitialized({count, units_});
  for (std::int64_t o = 0; o < count; ++o) {
    narrow(rows + o * stride, inputs_, false, units.data() + o * units_);
  }
  set_units(units.data(), count, index, column);
}

namespace {

/// Flips bits of a row; returns the sum of what it was.
std::int32_t flip_row(const std::int8_t* row, std::int64_t size, std::uint8_t bits,
                      std::uint8_t* out) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < size; ++i) sum += row[i];
  for (std::int64_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(row[i]) ^ bits;
  return sum;
}

}  // namespace

void PackedPanels::set_int8_rows(Outputs range, const std::int8_t* values, const float* scales) {
  auto units = Tensor<float>({flip_ == 0 ? 0 : std::min(range.count, columns_), units_});
  for_panels(range, [&](std::int64_t first, std::int64_t count, std::int64_t index,
                        std::int64_t column) {
    std::copy_n(scales + (first - range.first), count, scales_.data() + first);
    const std::int8_t* const source = values + (first - range.first) * inputs_;
    if (flip_ == 0) return set_pairs(source, count, index, column);
    for (std::int64_t o = 0; o < count; ++o) {
      const std::int32_t sum = flip_row(source + o * inputs_, inputs_, flip_,
                                        reinterpret_cast<std::uint8_t*>(units.data() + o * units_));
      sums_.data()[first + o] = static_cast<float>(sum) * scales_.data()[first + o];
    }
    set_units(units.data(), count, index, column);
  });
}

void PackedPanels::set_pairs(const std::int8_t* rows, std::int64_t count, std::int64_t index,
                             std::int64_t column) {
  std::int8_t* target = panel<std::int8_t>(index) + 2 * column;
  for (std::int64_t i = 0; i + 1 < inputs_; i += 2) {
    for (std::int64_t o = 0; o < count; ++o) std::memcpy(target + 2 * o, rows + o * inputs_ + i, 2);
    target += 2 * columns_;
  }
  for (std::int64_t o = 0; inputs_ % 2 != 0 && o < count; ++o) {
    target[2 * o] = rows[(o + 1) * inputs_ - 1];
  }
}

void PackedPanels::set_units(const float* units, std::int64_t count, std::int64_t index,
                             std::int64_t column) {
  kernels().transpose(units, units_, count, units_, panel<float>(index) + column, columns_);
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
  for_panels(range,
             [&](std::int64_t first, std::int64_t count, std::int64_t index, std::int64_t column) {
               if (dtype_ == DType::kI8) {
                 for (std::int64_t o = first; o < first + count; ++o) {
                   scales_.data()[o] *= factor;
                   if (!sums_.empty()) sums_.data()[o] *= factor;
                 }
                 return;
               }
               for (std::int64_t unit = 0; unit < units_; ++unit) {
                 const std::int64_t begin = (unit * columns_ + column) * unit_inputs_;
                 for (std::int64_t i = begin; i < begin + count * unit_inputs_; ++i) {
                   if (dtype_ == DType::kF32) {
                     panel<float>(index)[i] *= factor;
                   } else {
                     std::uint16_t& value = panel<std::uint16_t>(index)[i];
                     value = bfloat_from_float(float_from_bfloat(value) * factor);
                   }
                 }
               }
             });
}

std::int64_t PackedPanels::place(std::int64_t input, std::int64_t column) const noexcept {
  return (input / unit_inputs_ * columns_ + column) * unit_inputs_ + input % unit_inputs_;
}

float PackedPanels::value(std::int64_t index, std::int64_t input,
                          std::int64_t column) const noexcept {
  const std::int64_t at = place(input, column);
  if (dtype_ == DType::kF32) return panel<float>(index)[at];
  if (dtype_ == DType::kBF16) return float_from_bfloat(panel<std::uint16_t>(index)[at]);
  const auto stored = static_cast<std::int8_t>(panel<std::uint8_t>(index)[at] ^ flip_);
  return static_cast<float>(stored) * scales_.data()[index * columns_ + column];
}

void PackedPanels::read_row(std::int64_t output, float* out) const {
  for (std::int64_t i = 0; i < inputs_; ++i)
    out[i] = value(output / columns_, i, output % columns_);
}

namespace {

/// [units, columns, kInputs] -> [units * kInputs, columns]
template <std::int64_t kInputs, class Stored, class Widen>
void widen_units(const Stored* values, std::int64_t units, std::int64_t columns, float* out,
                 Widen widen) {
  for (std::int64_t unit = 0; unit < units; ++unit) {
    for (std::int64_t k = 0; k < kInputs; ++k) {
      for (std::int64_t o = 0; o < columns; ++o) out[o] = widen(values[o * kInputs + k], o);
      out += columns;
    }
    values += columns * kInputs;
  }
}

}  // namespace

Tensor<float> PackedPanels::widened(std::int64_t index) const {
  auto wide = Tensor<float>::uninitialized({units_ * unit_inputs_, columns_});
  if (dtype_ == DType::kBF16) {
    const auto widen = [](std::uint16_t value, std::int64_t) { return float_from_bfloat(value); };
    const auto widen_all = unit_inputs_ == 1 ? widen_units<1, std::uint16_t, decltype(widen)>
                                             : widen_units<2, std::uint16_t, decltype(widen)>;
    widen_all(panel<std::uint16_t>(index), units_, columns_, wide.data(), widen);
    return wide;
  }
  const float* const scales = scales_.data() + index * columns_;
  const auto widen = [scales, flip = flip_](std::uint8_t value, std::int64_t column) {
    return static_cast<float>(static_cast<std::int8_t>(value ^ flip)) * scales[column];
  };
  const auto widen_all = unit_inputs_ == 2 ? widen_units<2, std::uint8_t, decltype(widen)>
                                           : widen_units<4, std::uint8_t, decltype(widen)>;
  widen_all(panel<std::uint8_t>(index), units_, columns_, wide.data(), widen);
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
  if (inputs.first % unit_inputs_ != 0) {
    // These inputs share their units with others.
    const PackedPanels part = transposed(range).transposed({inputs.first, inputs.count});
    return part.multiply({0, range.count}, {0, inputs.count}, x, x_stride, rows, finish, y,
                         y_stride);
  }
  const std::int64_t before = range.first % columns_;
  const std::int64_t wider = range.count + before;
  const std::int64_t index = range.first / columns_;
  const bridgetower::detail::PackedView view{
      panel<char>(index) +
          inputs.first / unit_inputs_ * columns_ * kernels().product(dtype_).stored_bytes,
      dtype_, wider, inputs.count, panel_bytes_,
      dtype_ == DType::kI8 ? scales_.data() + index * columns_ : nullptr,
      // Those of all inputs, so of no use for some.
      sums_.empty() || inputs.count != inputs_ ? nullptr : sums_.data() + index * columns_};
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

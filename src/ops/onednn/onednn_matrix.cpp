#include <algorithm>
#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/core/detail/int8.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/ops/detail/onednn_matrix.hpp>
#include <cstring>
#include <utility>

#include "ops/onednn/plan.hpp"
#include "ops/onednn/rows.hpp"

namespace bridgetower::ops::detail {

using bridgetower::detail::bfloat_from_float;
using bridgetower::detail::Finish;
using bridgetower::detail::float_from_bfloat;
using bridgetower::detail::to_int8;

std::string OneDnnMatrix::version() {
  const dnnl_version_t& version = *dnnl_version();
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch);
}

void OneDnnMatrix::check(DType dtype) {
  const auto is_there = [](DType type) {
    try {
      return OneDnnPlan::of(1, type) != nullptr;
    } catch (const InputError&) {
      return false;
    }
  };
  static const bool float32 = is_there(DType::kF32);
  static const bool bfloat16 = is_there(DType::kBF16);
  static const bool int8 = bfloat16 && is_there(DType::kI8);  // whose heads are bfloat16
  if (!(dtype == DType::kI8 ? int8 : dtype == DType::kBF16 ? bfloat16 : float32)) {
    refuse_onednn(dtype);
  }
}

std::vector<std::pair<std::int64_t, std::string>> OneDnnMatrix::implementations(std::int64_t inputs,
                                                                                DType dtype) {
  std::vector<std::pair<std::int64_t, std::string>> all;
  const auto plan = OneDnnPlan::of(inputs, dtype);
  for (const OneDnnPlan::Size& size : plan->sizes) all.emplace_back(size.rows, size.implementation);
  return all;
}

OneDnnMatrix::OneDnnMatrix(std::int64_t outputs, std::int64_t inputs, DType dtype)
    : outputs_(outputs), inputs_(inputs) {
  if (outputs == 0 || inputs == 0) return;
  plan_ = OneDnnPlan::of(inputs, dtype);
  const std::int64_t blocks = (outputs + kOneDnnOutputs - 1) / kOneDnnOutputs;
  values_ = Tensor<std::int8_t>::uninitialized({blocks, plan_->block_bytes()});
  const bool is_full = outputs % kOneDnnOutputs == 0 && inputs == plan_->padded_inputs;
  if (!is_full) std::fill(values_.begin(), values_.end(), std::int8_t{0});
  if (dtype == DType::kI8) {
    scales_ = Tensor<float>({outputs});
    sums_ = Tensor<std::int32_t>({outputs});
  }
}

template <class Stored>
Stored* OneDnnMatrix::output(std::int64_t index) noexcept {
  return const_cast<Stored*>(std::as_const(*this).output<Stored>(index));
}

template <class Stored>
const Stored* OneDnnMatrix::output(std::int64_t index) const noexcept {
  const std::int8_t* const block = values_.data() + index / kOneDnnOutputs * plan_->block_bytes();
  return reinterpret_cast<const Stored*>(block) +
         plan_->output_offsets[static_cast<std::size_t>(index % kOneDnnOutputs)];
}

void OneDnnMatrix::set_rows(Outputs range, const float* values, std::int64_t output_stride,
                            std::int64_t input_stride) {
  if (plan_ == nullptr) return;
  const std::int64_t* const offsets = plan_->input_offsets.data();
  auto row = Tensor<float>::uninitialized({inputs_});
  auto steps = Tensor<std::int8_t>::uninitialized({inputs_});
  for (std::int64_t o = 0; o < range.count; ++o) {
    for (std::int64_t i = 0; i < inputs_; ++i) {
      row.data()[i] = values[o * output_stride + i * input_stride];
    }
    const std::int64_t index = range.first + o;
    if (plan_->dtype == DType::kI8) {
      const float scale = to_int8(row.data(), inputs_, steps.data());
      set_int8_rows({index, 1}, steps.data(), &scale);
    } else if (plan_->dtype == DType::kBF16) {
      auto* const target = output<std::uint16_t>(index);
      for (std::int64_t i = 0; i < inputs_; ++i) {
        target[offsets[i]] = bfloat_from_float(row.data()[i]);
      }
    } else {
      auto* const target = output<float>(index);
      for (std::int64_t i = 0; i < inputs_; ++i) target[offsets[i]] = row.data()[i];
    }
  }
}

void OneDnnMatrix::set_int8_rows(Outputs range, const std::int8_t* values, const float* scales) {
  if (plan_ == nullptr) return;
  for (std::int64_t o = 0; o < range.count; ++o) {
    const std::int8_t* const row = values + o * inputs_;
    auto* const target = output<std::int8_t>(range.first + o);
    std::int32_t sum = 0;
    for (std::int64_t i = 0; i < inputs_; ++i) {
      target[plan_->input_offsets[static_cast<std::size_t>(i)]] = row[i];
      sum += row[i];
    }
    scales_.data()[range.first + o] = scales[o];
    sums_.data()[range.first + o] = sum;
  }
}

void OneDnnMatrix::scale_rows(Outputs range, float factor) {
  if (plan_ == nullptr) return;
  for (std::int64_t o = range.first; o < range.first + range.count; ++o) {
    if (plan_->dtype == DType::kI8) {
      scales_.data()[o] *= factor;
      continue;
    }
    for (std::int64_t i = 0; i < inputs_; ++i) {
      const std::int64_t offset = plan_->input_offsets[static_cast<std::size_t>(i)];
      if (plan_->dtype == DType::kF32) {
        output<float>(o)[offset] *= factor;
      } else {
        std::uint16_t& value = output<std::uint16_t>(o)[offset];
        value = bfloat_from_float(float_from_bfloat(value) * factor);
      }
    }
  }
}

float OneDnnMatrix::value(std::int64_t index, std::int64_t input) const noexcept {
  const std::int64_t offset = plan_->input_offsets[static_cast<std::size_t>(input)];
  if (plan_->dtype == DType::kF32) return output<float>(index)[offset];
  if (plan_->dtype == DType::kBF16) return float_from_bfloat(output<std::uint16_t>(index)[offset]);
  return static_cast<float>(output<std::int8_t>(index)[offset]) * scales_.data()[index];
}

void OneDnnMatrix::read_row(std::int64_t output, float* out) const {
  for (std::int64_t i = 0; i < inputs_; ++i) out[i] = value(output, i);
}

Tensor<float> OneDnnMatrix::floats(Outputs range, Inputs inputs) const {
  auto values = Tensor<float>::uninitialized({inputs.count, range.count});
  float* next = values.data();
  for (std::int64_t i = 0; i < inputs.count; ++i) {
    for (std::int64_t o = 0; o < range.count; ++o) {
      *next++ = value(range.first + o, inputs.first + i);
    }
  }
  return values;
}

PackedPanels OneDnnMatrix::transposed(Outputs range) const {
  PackedPanels result(inputs_, range.count, DType::kF32);
  const Tensor<float> values = floats(range, {0, inputs_});
  result.set_rows({0, inputs_}, values.data(), range.count, 1);
  return result;
}

void OneDnnMatrix::multiply(Outputs range, Inputs inputs, const float* x, std::int64_t x_stride,
                            std::int64_t rows, const Finish<float>& finish, float* y,
                            std::int64_t y_stride) const {
  if (inputs.count != inputs_ || plan_ == nullptr) {
    // The library's own kernels take inputs from anywhere.
    PackedPanels part(range.count, inputs.count, DType::kF32);
    const Tensor<float> values = floats(range, inputs);
    part.set_rows({0, range.count}, values.data(), 1, range.count);
    return part.multiply({0, range.count}, {0, inputs.count}, x, x_stride, rows, finish, y,
                         y_stride);
  }
  constexpr std::size_t kPieces = 8;   // of one task, and
  constexpr std::int64_t kBlocks = 8;  // at most: fewer where there are threads to share them
  const Rows packed(*plan_, x, x_stride, inputs_, rows);
  const std::size_t pieces = packed.pieces().size();
  const auto groups = static_cast<std::int64_t>((pieces + kPieces - 1) / kPieces);
  const std::int64_t first = range.first / kOneDnnOutputs;
  const std::int64_t end = (range.first + range.count - 1) / kOneDnnOutputs + 1;
  const std::int64_t step =
      std::clamp<std::int64_t>((end - first) / (4 * parallel_threads()), 1, kBlocks);
  parallel_for((end - first + step - 1) / step * groups, [&](std::int64_t task) {
    const auto piece = static_cast<std::size_t>(task % groups) * kPieces;
    const std::int64_t begin = first + task / groups * step;
    OneDnnCalls calls(*plan_);
    for (std::int64_t block = begin; block < std::min(end, begin + step); ++block) {
      multiply_block(calls, block, range, packed, piece, std::min(pieces, piece + kPieces), finish,
                     y, y_stride);
    }
  });
}

void OneDnnMatrix::multiply_block(OneDnnCalls& calls, std::int64_t block, Outputs range,
                                  const Rows& x, std::size_t first_piece, std::size_t last_piece,
                                  const Finish<float>& finish, float* y,
                                  std::int64_t y_stride) const {
  const std::int64_t start = block * kOneDnnOutputs;
  const std::int64_t begin = std::max(range.first, start);
  const std::int64_t count = std::min(range.first + range.count, start + kOneDnnOutputs) - begin;
  const std::int64_t column = begin - range.first;  // of y
  for (std::size_t p = first_piece; p < last_piece; ++p) {
    const Rows::Piece& piece = x.pieces()[p];
    const float* const products =
        calls.multiply(piece.size, piece.values, values_.data() + block * plan_->block_bytes());
    float* const target = y + piece.first * y_stride + column;
    for (std::int64_t r = 0; r < piece.rows; ++r) {
      const float* const row = products + r * kOneDnnOutputs + (begin - start);
      if (plan_->dtype != DType::kI8) {
        std::copy_n(row, count, target + r * y_stride);
      } else {
        x.dequantize(piece.packed_row + r, row, sums_.data() + begin, scales_.data() + begin, count,
                     target + r * y_stride);
      }
    }
    Finish<float> part = finish;
    if (part.bias != nullptr) part.bias += column;
    if (part.residual != nullptr) part.residual += piece.first * part.residual_stride + column;
    finish_rows(part, piece.rows, count, target, y_stride);
  }
}

}  // namespace bridgetower::ops::detail

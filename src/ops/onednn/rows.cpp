#include "ops/onednn/rows.hpp"

#include <algorithm>
#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/core/parallel.hpp>
#include <cstring>
#include <limits>

namespace bridgetower::ops::detail {
namespace {

struct Steps {
  float step;
  std::int32_t zero;
};

/// Values as whole steps from the lowest to the highest of them and zero. The step is no number
/// where some value is none or infinite.
Steps quantize(const float* values, std::int64_t count, std::uint8_t* out) noexcept {
  constexpr std::int64_t kLanes = 16;  // side by side, for the compiler to vectorise
  float low[kLanes] = {}, high[kLanes] = {}, nothing[kLanes] = {};
  const auto take = [&](std::int64_t lane, float value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
    nothing[lane] += value * 0.0F;
  };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) take(lane, values[i + lane]);
  }
  for (; i < count; ++i) take(0, values[i]);
  const float lowest = *std::min_element(low, low + kLanes);
  const float highest = *std::max_element(high, high + kLanes);
  float sum = 0;
  for (const float lane : nothing) sum += lane;

  constexpr float kSteps = 254.0F;  // of 255: both ends may be rounded outwards
  const float step = highest / kSteps - lowest / kSteps;
  // A row of denormal numbers has no reciprocal; it counts as zero.
  const float factor = step > 1e-37F && step < 1e37F ? 1 / step : 0.0F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const float shift = kRound + -lowest * factor;
  const std::int32_t zero = static_cast<std::int32_t>(bridgetower::detail::bits_of(shift) & 0xFFU);
  for (i = 0; i < count; ++i) {
    out[i] = static_cast<std::uint8_t>(bridgetower::detail::bits_of(values[i] * factor + shift));
  }
  if (sum != 0) return {std::numeric_limits<float>::quiet_NaN(), 0};
  return {factor == 0 ? 0.0F : step, zero};
}

}  // namespace

OneDnnMatrix::Rows::Rows(const OneDnnPlan& plan, const float* x, std::int64_t x_stride,
                         std::int64_t inputs, std::int64_t rows) {
  const std::int64_t row_bytes = plan.padded_inputs * plan.element_bytes();
  const bool as_it_is = plan.dtype == DType::kF32 && x_stride == plan.padded_inputs;
  std::int64_t packed_rows = 0;
  for (std::int64_t first = 0; first < rows;) {
    const std::size_t chosen = plan.size_for(rows - first);
    const std::int64_t size = plan.sizes[chosen].rows;
    Piece piece{first, std::min(size, rows - first), chosen, packed_rows, nullptr};
    first += piece.rows;
    if (as_it_is && piece.rows == size) {
      piece.values = x + piece.first * x_stride;
    } else {
      packed_rows += size;
    }
    pieces_.push_back(piece);
  }
  values_ = Tensor<std::int8_t>::uninitialized({packed_rows, row_bytes});
  if (plan.dtype == DType::kI8) {
    steps_ = Tensor<float>::uninitialized({packed_rows});
    zeros_ = Tensor<std::int32_t>::uninitialized({packed_rows});
  }
  parallel_for(static_cast<std::int64_t>(pieces_.size()), [&](std::int64_t index) {
    Piece& piece = pieces_[static_cast<std::size_t>(index)];
    if (piece.values != nullptr) return;
    std::int8_t* const values = values_.data() + piece.packed_row * row_bytes;
    piece.values = values;
    for (std::int64_t r = 0; r < piece.rows; ++r) {
      pack(plan, x + (piece.first + r) * x_stride, inputs, piece.packed_row + r);
    }
    std::memset(values + piece.rows * row_bytes, 0,
                static_cast<std::size_t>((plan.sizes[piece.size].rows - piece.rows) * row_bytes));
  });
}

void OneDnnMatrix::Rows::pack(const OneDnnPlan& plan, const float* row, std::int64_t inputs,
                              std::int64_t packed_row) {
  const std::int64_t bytes = plan.element_bytes();
  std::int8_t* const out = values_.data() + packed_row * plan.padded_inputs * bytes;
  std::memset(out + inputs * bytes, 0,
              static_cast<std::size_t>((plan.padded_inputs - inputs) * bytes));
  if (plan.dtype == DType::kF32) {
    std::memcpy(out, row, static_cast<std::size_t>(inputs * bytes));
  } else if (plan.dtype == DType::kBF16) {
    auto* const narrow = reinterpret_cast<std::uint16_t*>(out);
    for (std::int64_t i = 0; i < inputs; ++i) {
      narrow[i] = bridgetower::detail::bfloat_from_float(row[i]);
    }
  } else {
    const Steps steps = quantize(row, inputs, reinterpret_cast<std::uint8_t*>(out));
    steps_.data()[packed_row] = steps.step;
    zeros_.data()[packed_row] = steps.zero;
  }
}

void OneDnnMatrix::Rows::dequantize(std::int64_t packed_row, const float* products,
                                    const std::int32_t* sums, const float* scales,
                                    std::int64_t count, float* y) const noexcept {
  const float step = steps_.data()[packed_row];
  const std::int32_t zero = zeros_.data()[packed_row];
  for (std::int64_t i = 0; i < count; ++i) {
    std::int32_t product;
    std::memcpy(&product, products + i, sizeof product);
    y[i] = static_cast<float>(product - zero * sums[i]) * (step * scales[i]);
  }
}

}  // namespace bridgetower::ops::detail

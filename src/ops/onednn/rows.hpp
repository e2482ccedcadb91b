// The left-hand side of a product, as oneDNN takes it.
#pragma once

#include <bridgetower/ops/detail/onednn_matrix.hpp>
#include <cstdint>
#include <vector>

#include "ops/onednn/plan.hpp"

namespace bridgetower::ops::detail {

/// x [rows, inputs] in pieces of the plan's sizes and in its type. In int8 each row is rounded to
/// 255 steps of its own between its lowest and its highest value.
class OneDnnMatrix::Rows {
 public:
  struct Piece {
    std::int64_t first;  // row of x
    std::int64_t rows;   // of x: what is missing to the size is zero
    std::size_t size;    // of the plan
    std::int64_t packed_row;
    const void* values;  // [rows of the size, padded inputs]
  };

  /// x must outlive it.
  Rows(const OneDnnPlan& plan, const float* x, std::int64_t x_stride, std::int64_t inputs,
       std::int64_t rows);

  const std::vector<Piece>& pieces() const noexcept { return pieces_; }

  /// What an int8 row's integer products with some outputs stand for. `sums` and `scales` are the
  /// outputs': a row's zero is no zero, so each sum holds that many times the output's own.
  void dequantize(std::int64_t packed_row, const float* products, const std::int32_t* sums,
                  const float* scales, std::int64_t count, float* y) const noexcept;

 private:
  void pack(const OneDnnPlan& plan, const float* row, std::int64_t inputs, std::int64_t packed_row);

  std::vector<Piece> pieces_;
  Tensor<std::int8_t> values_;
  Tensor<float> steps_;         // int8: [packed rows]
  Tensor<std::int32_t> zeros_;  // int8: which step zero is
};

}  // namespace bridgetower::ops::detail

#pragma once

#include <bridgetower/core/dtype.hpp>
#include <cstdint>

namespace bridgetower::detail {

/// One tile of c = a b: `rows` rows and `columns` columns, summed over `depth` units. A unit is
/// what four bytes of an operand hold: one input, or two or four neighbouring ones, the first one
/// lowest.
struct Tile {
  int rows;
  std::int64_t columns;  ///< at most panel_columns
  std::int64_t depth;
  const void* a;                    ///< [depth, rows]
  const void* b;                    ///< [depth, panel_columns]
  const float* row_scales;          ///< [rows], and
  const float* column_scales;       ///< [columns]: of integer products; else null
  const std::int32_t* row_offsets;  ///< [rows]: taken off the sums, where there are offsets
  const float* row_middles;         ///< [rows], and
  const float* column_sums;         ///< [columns]: their products are added at first; else null
  float* c;
  std::int64_t c_stride;
  /// The first tile along the depth starts from bias + residual, later ones add to c.
  bool first;
  const float* bias;      ///< [columns]; null: zero
  const float* residual;  ///< [rows, columns]; null: zero
  std::int64_t residual_stride;
  const char* next;        ///< memory that will be read next, fetched meanwhile
  std::int64_t next_step;  ///< bytes of it for every four units
};

/// x is near scale * integers + middle.
struct Rounding {
  float scale;   ///< not a number where some x is not finite
  float middle;  ///< of the least and the greatest x, or 0
};

/// How products with weights of one type are made.
struct ProductKernel {
  std::int64_t inputs;        ///< of a unit
  std::int64_t stored_bytes;  ///< of a unit of weights as they are kept
  void (*multiply)(const Tile& tile);

  /// Weights as they are kept become a tile's b; null: they are that.
  void (*widen)(const void* in, float* out, std::int64_t units);

  /// x [size] becomes units of a tile's a, the last one filled up with zeros. Null: x is that.
  /// Where it may be centred, the middle need not be 0.
  Rounding (*narrow)(const float* x, std::int64_t size, bool centred, float* out);

  /// Int8 weights are kept with 128 added, as unsigned bytes. Then a tile's sums are too large by
  /// this function of a row's units; null: neither.
  std::int32_t (*offset)(const float* a, std::int64_t units);
};

/// Inner loops on float32, compiled once per instruction set and chosen when first used. Everything
/// in here gives the same bits however rows, columns or calls are grouped: a sum runs over its
/// index in one fixed order, whatever stands beside it.
struct Kernels {
  const char* name;            ///< "avx512bf16", "avx512vnni", "avx512", "avx2" or "baseline"
  std::int64_t panel_columns;  ///< columns in one packed panel
  std::int64_t tile_rows;      ///< most rows of one tile

  ProductKernel float32;
  ProductKernel bfloat16;  ///< inputs float32, or rounded to bfloat16 in pairs
  ProductKernel int8;      ///< inputs rounded to int16 in pairs or to int8 in fours, sums exact

  /// out[c * out_stride + r] = in[r * stride + c]
  void (*transpose)(const float* in, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                    float* out, std::int64_t out_stride);

  void (*softmax)(float* row, std::int64_t size);
  void (*layer_norm)(const float* row, float* out, std::int64_t size, const float* weight,
                     const float* bias, float eps);
  void (*gelu)(float* values, std::int64_t size);        ///< erf form
  void (*gelu_tanh)(float* values, std::int64_t size);   ///< tanh form
  void (*quick_gelu)(float* values, std::int64_t size);  ///< x sigmoid(1.702 x)
  void (*silu)(float* values, std::int64_t size);        ///< x sigmoid(x)

  const ProductKernel& product(DType dtype) const noexcept {
    return dtype == DType::kI8 ? int8 : dtype == DType::kBF16 ? bfloat16 : float32;
  }
};

/// The best set for the processor this runs on, but none better than the one that the environment
/// variable BRIDGETOWER_KERNELS names. A name that there is none of is ignored.
const Kernels& kernels() noexcept;

/// What becomes of a product while it is in the cache: activation(product + bias + residual).
template <class Scalar>
struct Finish {
  const Scalar* bias = nullptr;      ///< [outputs]; null: none
  const Scalar* residual = nullptr;  ///< [rows, outputs]; null: none
  std::int64_t residual_stride = 0;
  void (*activation)(Scalar*, std::int64_t) = nullptr;  ///< null: none
};

/// A matrix [outputs, inputs] in panels [units, panel_columns], `panel_stride` bytes apart.
struct PackedView {
  const char* values;
  DType dtype;  ///< kF32, kBF16 or kI8
  std::int64_t outputs;
  std::int64_t inputs;
  std::int64_t panel_stride;
  const float* scales;  ///< kI8: [outputs]; else null
  const float* sums;    ///< kI8: of each output's weights, or null: inputs are not centred
};

/// y [rows, outputs] = finish(x [rows, inputs] Wᵀ), in parallel.
void multiply_packed(const PackedView& w, const float* x, std::int64_t x_stride, std::int64_t rows,
                     const Finish<float>& finish, float* y, std::int64_t y_stride);

}  // namespace bridgetower::detail

#pragma once

#include <bridgetower/core/dtype.hpp>
#include <cstdint>

namespace bridgetower::detail {

/// One tile of c = a b: `rows` rows and `columns` columns, summed over `depth` units. A unit is
/// what four bytes of an operand hold: one float32, or two neighbouring inputs as int16, the
/// first one lower.
struct Tile {
  int rows;
  std::int64_t columns;  ///< at most panel_columns
  std::int64_t depth;
  const void* a;               ///< [depth, rows]
  const void* b;               ///< [depth, panel_columns]
  const float* row_scales;     ///< [rows], and
  const float* column_scales;  ///< [columns]: of integer products; else null
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

/// Inner loops on float32, compiled once per instruction set and chosen when first used. Everything
/// in here gives the same bits however rows, columns or calls are grouped: a sum runs over its
/// index in one fixed order, whatever stands beside it.
struct Kernels {
  const char* name;            ///< "avx512vnni", "avx512", "avx2" or "baseline"
  std::int64_t panel_columns;  ///< columns in one packed panel
  std::int64_t tile_rows;      ///< most rows of one tile

  void (*multiply_tile)(const Tile& tile);          ///< float32 by float32
  void (*multiply_integer_tile)(const Tile& tile);  ///< int16 by int16, summed exactly

  /// Stored weights, two bytes a unit, become a tile's b: bfloat16 to float32, int8 to int16.
  void (*widen_bfloat16)(const void* in, float* out, std::int64_t units);
  void (*widen_int8)(const void* in, float* out, std::int64_t units);

  /// x [size] as int16 pairs, the last one filled up with zero, and the scale that x is a multiple
  /// of to within a half: |x| / 32767 at most; not a number where some x is not finite.
  float (*quantize)(const float* x, std::int64_t size, float* out);

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
};

/// The best set for the processor this runs on.
const Kernels& kernels() noexcept;

/// What becomes of a product while it is in the cache: activation(product + bias + residual).
template <class Scalar>
struct Finish {
  const Scalar* bias = nullptr;      ///< [outputs]; null: none
  const Scalar* residual = nullptr;  ///< [rows, outputs]; null: none
  std::int64_t residual_stride = 0;
  void (*activation)(Scalar*, std::int64_t) = nullptr;  ///< null: none
};

/// A matrix [outputs, inputs] in panels [units, panel_columns] that lie `panel_stride` bytes apart.
struct PackedView {
  const char* values;
  DType dtype;  ///< kF32, kBF16, or kI8: two inputs a unit
  std::int64_t outputs;
  std::int64_t inputs;
  std::int64_t panel_stride;
  const float* scales;  ///< kI8: [outputs]; else null
};

/// y [rows, outputs] = finish(x [rows, inputs] Wᵀ), in parallel.
void multiply_packed(const PackedView& w, const float* x, std::int64_t x_stride, std::int64_t rows,
                     const Finish<float>& finish, float* y, std::int64_t y_stride);

}  // namespace bridgetower::detail

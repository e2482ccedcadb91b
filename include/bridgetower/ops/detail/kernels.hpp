#pragma once

#include <cstdint>

namespace bridgetower::detail {

/// float32 inner loops, compiled once per instruction set and chosen when first used. Everything in
/// here gives the same bits however rows, columns or calls are grouped: a sum runs over its index
/// in one fixed order, whatever stands beside it.
struct Kernels {
  const char* name;            ///< "avx512", "avx2" or "baseline"
  std::int64_t panel_columns;  ///< columns in one packed panel
  std::int64_t tile_rows;      ///< most rows of one tile

  /// One tile of c = a b: `rows` rows, `columns` <= panel_columns columns.
  /// a: [depth, rows], b: [depth, panel_columns], c: row-major with stride ldc.
  /// The first tile along the depth (`first`) starts from `bias` (null: zero), later ones add to c.
  void (*multiply_tile)(int rows, std::int64_t depth, const float* a, const float* b, float* c,
                        std::int64_t ldc, std::int64_t columns, const float* bias, bool first);

  void (*softmax)(float* row, std::int64_t size);
  void (*layer_norm)(const float* row, float* out, std::int64_t size, const float* weight,
                     const float* bias, float eps);
  void (*add)(const float* a, const float* b, float* out, std::int64_t size);
  void (*gelu)(float* values, std::int64_t size);        ///< erf form
  void (*gelu_tanh)(float* values, std::int64_t size);   ///< tanh form
  void (*quick_gelu)(float* values, std::int64_t size);  ///< x sigmoid(1.702 x)
  void (*silu)(float* values, std::int64_t size);        ///< x sigmoid(x)
};

/// The best set for the processor this runs on.
const Kernels& kernels() noexcept;

/// A matrix [outputs, inputs] in panels: [panels, inputs, panel_columns].
struct PackedView {
  const float* values;
  std::int64_t outputs;
  std::int64_t inputs;
};

/// y [rows, outputs] = x [rows, inputs] Wᵀ + bias [outputs] (null: none), in parallel.
void multiply_packed(const PackedView& w, const float* x, std::int64_t x_stride, std::int64_t rows,
                     const float* bias, float* y, std::int64_t y_stride);

}  // namespace bridgetower::detail

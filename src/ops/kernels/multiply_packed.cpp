#include <algorithm>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/detail/kernels.hpp>

namespace bridgetower::detail {
namespace {

/// Inputs summed in one go, so that a panel and a tile's rows stay in the second-level cache.
constexpr std::int64_t kDepth = 384;

/// Rows cut into tiles whose heights differ by at most one.
struct Tiles {
  std::int64_t rows;
  std::int64_t count;

  std::int64_t first_row(std::int64_t tile) const { return rows * tile / count; }
  std::int64_t height(std::int64_t tile) const { return first_row(tile + 1) - first_row(tile); }
};

/// x, tile by tile, as [inputs, rows of the tile].
Tensor<float> pack_rows(const Tiles& tiles, const float* x, std::int64_t stride,
                        std::int64_t inputs) {
  auto packed = Tensor<float>::uninitialized({tiles.rows * inputs});
  parallel_for(tiles.count, [&](std::int64_t tile) {
    const float* const source = x + tiles.first_row(tile) * stride;
    const std::int64_t height = tiles.height(tile);
    float* out = packed.data() + tiles.first_row(tile) * inputs;
    for (std::int64_t i = 0; i < inputs; ++i) {
      for (std::int64_t r = 0; r < height; ++r) *out++ = source[r * stride + i];
    }
  });
  return packed;
}

}  // namespace

void multiply_packed(const PackedView& w, const float* x, std::int64_t x_stride, std::int64_t rows,
                     const float* bias, float* y, std::int64_t y_stride) {
  const Kernels& kernel = kernels();
  const Tiles tiles{rows, (rows + kernel.tile_rows - 1) / kernel.tile_rows};
  const Tensor<float> packed = pack_rows(tiles, x, x_stride, w.inputs);
  const std::int64_t width = kernel.panel_columns;

  const auto multiply_panel = [&](std::int64_t panel, std::int64_t depth) {
    const std::int64_t column = panel * width;
    for (std::int64_t tile = 0; tile < tiles.count; ++tile) {
      const std::int64_t row = tiles.first_row(tile);
      const std::int64_t height = tiles.height(tile);
      kernel.multiply_tile(static_cast<int>(height), std::min(kDepth, w.inputs - depth),
                           packed.data() + row * w.inputs + depth * height,
                           w.values + (panel * w.inputs + depth) * width,
                           y + row * y_stride + column, y_stride,
                           std::min(width, w.outputs - column),
                           bias == nullptr ? nullptr : bias + column, depth == 0);
    }
  };
  const std::int64_t panels = (w.outputs + width - 1) / width;
  const std::int64_t group = std::max<std::int64_t>(1, panels / (4 * parallel_threads()));
  parallel_for((panels + group - 1) / group, [&](std::int64_t task) {
    const std::int64_t last = std::min(panels, (task + 1) * group);
    for (std::int64_t depth = 0; depth < w.inputs; depth += kDepth) {
      for (std::int64_t panel = task * group; panel < last; ++panel) multiply_panel(panel, depth);
    }
  });
}

}  // namespace bridgetower::detail

#include <algorithm>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/detail/kernels.hpp>

namespace bridgetower::detail {
namespace {

/// Units summed in one go: a panel's part then stays in the first-level cache, and the sum of
/// integers in an int32, be they 512 products of int8 and int16 or 1,024 of int8.
constexpr std::int64_t kDepth = 256;
/// Rows whose part of x stays in the second-level cache, and panels whose part of y does.
constexpr std::int64_t kRows = 336;
constexpr std::int64_t kPanels = 3;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// `size` cut into as few parts of at most `most` as it takes, alike but for one: the first
/// `longer` parts have one more.
struct Parts {
  Parts(std::int64_t size, std::int64_t most)
      : count(ceil_div(size, most)), length(size / count), longer(size % count) {}

  std::int64_t begin(std::int64_t part) const { return part * length + std::min(part, longer); }
  std::int64_t size(std::int64_t part) const { return length + (part < longer ? 1 : 0); }

  std::int64_t count;
  std::int64_t length;
  std::int64_t longer;
};

class Product {
 public:
  Product(const PackedView& w, const float* x, std::int64_t x_stride, std::int64_t rows,
          const Finish<float>& finish, float* y, std::int64_t y_stride)
      : kernels_(kernels()),
        kernel_(kernels_.product(w.dtype)),
        w_(w),
        units_(ceil_div(w.inputs, kernel_.inputs)),
        tiles_(rows, kernels_.tile_rows),
        depths_(units_, kDepth),
        rows_(rows),
        x_(Tensor<float>::uninitialized({rows * units_})),
        scales_(Tensor<float>::uninitialized({is_integer() ? rows : 0})),
        middles_(Tensor<float>::uninitialized({is_integer() ? rows : 0})),
        offsets_(Tensor<std::int32_t>::uninitialized(
            {kernel_.offset == nullptr ? 0 : depths_.count * rows})),
        finish_(finish),
        y_(y),
        y_stride_(y_stride) {
    parallel_for(tiles_.count, [&](std::int64_t tile) {
      const float* const first = x + tiles_.begin(tile) * x_stride;
      if (kernel_.narrow == nullptr) return pack(tile, first, x_stride);
      auto narrow = Tensor<float>::uninitialized({tiles_.size(tile), units_});
      for (std::int64_t r = 0; r < tiles_.size(tile); ++r) {
        narrow_row(tiles_.begin(tile) + r, first + r * x_stride, narrow.data() + r * units_);
      }
      pack(tile, narrow.data(), units_);
    });
  }

  std::int64_t panels() const { return ceil_div(w_.outputs, kernels_.panel_columns); }
  bool is_one_tile() const { return tiles_.count == 1; }

  /// The columns of y that panels [first, last) make.
  void multiply(std::int64_t first, std::int64_t last) const {
    const std::int64_t block = std::max<std::int64_t>(1, kRows / kernels_.tile_rows);
    auto wide = Tensor<float>::uninitialized(
        {kernel_.widen == nullptr ? 0 : depths_.size(0) * kernels_.panel_columns});
    // A single tile takes each panel from end to end, as it lies in memory. Of more tiles each
    // takes the same depth of all panels, while its part of x stays in the cache.
    const bool by_panel = is_one_tile();
    const std::int64_t panels = last - first;
    const auto panel = [=](std::int64_t step) {
      return first + (by_panel ? step / depths_.count : step % panels);
    };
    const auto depth = [=](std::int64_t step) {
      return by_panel ? step % depths_.count : step / panels;
    };
    const std::int64_t steps = panels * depths_.count;
    for (std::int64_t tile = 0; tile < tiles_.count; tile += block) {
      const Range tiles{tile, std::min(tiles_.count, tile + block)};
      for (std::int64_t i = 0; i < steps; ++i) {
        const bool ends = i + 1 == steps;
        const char* const next = ends ? weights(last, 0) : weights(panel(i + 1), depth(i + 1));
        multiply_panel(tiles, panel(i), depth(i), next, wide.data());
      }
      activate(tiles, first, last);
    }
  }

 private:
  struct Range {
    std::int64_t first;
    std::int64_t last;
  };

  bool is_integer() const { return w_.dtype == DType::kI8; }

  void narrow_row(std::int64_t row, const float* x, float* units) {
    const Rounding rounding = kernel_.narrow(x, w_.inputs, w_.sums != nullptr, units);
    if (is_integer()) {
      scales_.data()[row] = rounding.scale;
      middles_.data()[row] = rounding.middle;
    }
    for (std::int64_t depth = 0; kernel_.offset != nullptr && depth < depths_.count; ++depth) {
      offsets_.data()[depth * rows_ + row] =
          kernel_.offset(units + depths_.begin(depth), depths_.size(depth));
    }
  }

  /// Rows of units [rows of the tile, units], for every depth [units of the depth, rows].
  void pack(std::int64_t tile, const float* rows, std::int64_t stride) {
    for (std::int64_t depth = 0; depth < depths_.count; ++depth) {
      kernels_.transpose(rows + depths_.begin(depth), stride, tiles_.size(tile),
                         depths_.size(depth), x_.data() + offset(tile, depth), tiles_.size(tile));
    }
  }

  std::int64_t offset(std::int64_t tile, std::int64_t depth) const {
    return rows_ * depths_.begin(depth) + tiles_.begin(tile) * depths_.size(depth);
  }

  const char* weights(std::int64_t panel, std::int64_t depth) const {
    return w_.values + panel * w_.panel_stride +
           depths_.begin(depth) * kernels_.panel_columns * kernel_.stored_bytes;
  }

  /// A panel's part as tiles take it: where it lies, or widened into `wide`.
  const void* operand(std::int64_t panel, std::int64_t depth, float* wide) const {
    const char* const stored = weights(panel, depth);
    if (kernel_.widen == nullptr) return stored;
    kernel_.widen(stored, wide, depths_.size(depth) * kernels_.panel_columns);
    return wide;
  }

  void multiply_panel(Range tiles, std::int64_t panel, std::int64_t depth, const char* next,
                      float* wide) const {
    const std::int64_t column = panel * kernels_.panel_columns;
    Tile tile{};
    tile.columns = std::min(kernels_.panel_columns, w_.outputs - column);
    tile.depth = depths_.size(depth);
    tile.b = operand(panel, depth, wide);
    tile.column_scales = is_integer() ? w_.scales + column : nullptr;
    tile.column_sums = w_.sums == nullptr ? nullptr : w_.sums + column;
    tile.c_stride = y_stride_;
    tile.first = depth == 0;
    tile.bias = finish_.bias == nullptr ? nullptr : finish_.bias + column;
    tile.residual_stride = finish_.residual_stride;
    tile.next = next;
    // All tiles together fetch the whole of what comes next.
    tile.next_step =
        ceil_div(4 * kernel_.stored_bytes * kernels_.panel_columns, tiles.last - tiles.first);
    for (std::int64_t t = tiles.first; t < tiles.last; ++t) {
      const std::int64_t row = tiles_.begin(t);
      tile.rows = static_cast<int>(tiles_.size(t));
      tile.a = x_.data() + offset(t, depth);
      tile.row_scales = scales_.data() + (is_integer() ? row : 0);
      tile.row_middles = middles_.data() + (is_integer() ? row : 0);
      tile.row_offsets = offsets_.data() + (kernel_.offset == nullptr ? 0 : depth * rows_ + row);
      tile.c = y_ + row * y_stride_ + column;
      if (finish_.residual != nullptr) {
        tile.residual = finish_.residual + row * finish_.residual_stride + column;
      }
      kernel_.multiply(tile);
      tile.next += tile.next_step * (tile.depth / 4);
    }
  }

  void activate(Range tiles, std::int64_t first, std::int64_t last) const {
    if (finish_.activation == nullptr) return;
    const std::int64_t column = first * kernels_.panel_columns;
    const std::int64_t columns = std::min(w_.outputs, last * kernels_.panel_columns) - column;
    const std::int64_t end = tiles_.begin(tiles.last - 1) + tiles_.size(tiles.last - 1);
    for (std::int64_t row = tiles_.begin(tiles.first); row < end; ++row) {
      finish_.activation(y_ + row * y_stride_ + column, columns);
    }
  }

  const Kernels& kernels_;
  const ProductKernel& kernel_;
  const PackedView& w_;
  std::int64_t units_;
  Parts tiles_;
  Parts depths_;
  std::int64_t rows_;
  Tensor<float> x_;               // for every depth, for every tile: [units, rows of the tile]
  Tensor<float> scales_;          // of integer products: [rows]
  Tensor<float> middles_;         // likewise
  Tensor<std::int32_t> offsets_;  // where the kernel has them: [depths, rows]
  const Finish<float>& finish_;
  float* y_;
  std::int64_t y_stride_;
};

}  // namespace

void multiply_packed(const PackedView& w, const float* x, std::int64_t x_stride, std::int64_t rows,
                     const Finish<float>& finish, float* y, std::int64_t y_stride) {
  const Product product(w, x, x_stride, rows, finish, y, y_stride);
  const std::int64_t panels = product.panels();
  const std::int64_t threads = parallel_threads();
  if (product.is_one_tile()) {
    // Weights are read once, from end to end: a long piece for every thread.
    const Parts pieces(panels, ceil_div(panels, threads));
    return parallel_for(pieces.count, [&](std::int64_t piece) {
      product.multiply(pieces.begin(piece), pieces.begin(piece + 1));
    });
  }
  // Single panels at the end, so that no thread waits long for another.
  const std::int64_t single = threads > 1 ? std::min(panels, kPanels * threads) : 0;
  const std::int64_t groups = (panels - single) / kPanels;
  const auto begin = [groups, panels](std::int64_t task) {
    return std::min(panels,
                    std::min(task, groups) * kPanels + std::max<std::int64_t>(0, task - groups));
  };
  parallel_for(groups + panels - groups * kPanels,
               [&](std::int64_t task) { product.multiply(begin(task), begin(task + 1)); });
}

}  // namespace bridgetower::detail

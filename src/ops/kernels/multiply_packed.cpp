#include <algorithm>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/detail/kernels.hpp>

namespace bridgetower::detail {
namespace {

/// Units summed in one go: a panel's part then stays in the first-level cache, and the sum of twice
/// as many products of int8 and int16 in an int32.
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
      : kernel_(kernels()),
        w_(w),
        units_(is_integer() ? ceil_div(w.inputs, 2) : w.inputs),
        tiles_(rows, kernel_.tile_rows),
        depths_(units_, kDepth),
        rows_(rows),
        x_(Tensor<float>::uninitialized({rows * units_})),
        scales_(Tensor<float>::uninitialized({is_integer() ? rows : 0})),
        finish_(finish),
        y_(y),
        y_stride_(y_stride) {
    parallel_for(tiles_.count, [&](std::int64_t tile) {
      const float* const first = x + tiles_.begin(tile) * x_stride;
      if (!is_integer()) return pack(tile, first, x_stride);
      auto pairs = Tensor<float>::uninitialized({tiles_.size(tile), units_});
      for (std::int64_t r = 0; r < tiles_.size(tile); ++r) {
        scales_.data()[tiles_.begin(tile) + r] =
            kernel_.quantize(first + r * x_stride, w_.inputs, pairs.data() + r * units_);
      }
      pack(tile, pairs.data(), units_);
    });
  }

  std::int64_t panels() const { return ceil_div(w_.outputs, kernel_.panel_columns); }

  /// The columns of y that panels [first, last) make.
  void multiply(std::int64_t first, std::int64_t last) const {
    const std::int64_t block = std::max<std::int64_t>(1, kRows / kernel_.tile_rows);
    auto wide = Tensor<float>::uninitialized(
        {w_.dtype == DType::kF32 ? 0 : depths_.size(0) * kernel_.panel_columns});
    for (std::int64_t tile = 0; tile < tiles_.count; tile += block) {
      const Range tiles{tile, std::min(tiles_.count, tile + block)};
      for (std::int64_t depth = 0; depth < depths_.count; ++depth) {
        for (std::int64_t panel = first; panel < last; ++panel) {
          multiply_panel(tiles, panel, depth,
                         panel + 1 < last            ? weights(panel + 1, depth)
                         : depth + 1 < depths_.count ? weights(first, depth + 1)
                                                     : weights(last, 0),
                         wide.data());
        }
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

  std::int64_t unit_bytes() const { return w_.dtype == DType::kF32 ? 4 : 2; }

  /// Rows of units [rows of the tile, units], for every depth [units of the depth, rows].
  void pack(std::int64_t tile, const float* rows, std::int64_t stride) {
    for (std::int64_t depth = 0; depth < depths_.count; ++depth) {
      kernel_.transpose(rows + depths_.begin(depth), stride, tiles_.size(tile), depths_.size(depth),
                        x_.data() + offset(tile, depth), tiles_.size(tile));
    }
  }

  std::int64_t offset(std::int64_t tile, std::int64_t depth) const {
    return rows_ * depths_.begin(depth) + tiles_.begin(tile) * depths_.size(depth);
  }

  const char* weights(std::int64_t panel, std::int64_t depth) const {
    return w_.values + panel * w_.panel_stride +
           depths_.begin(depth) * kernel_.panel_columns * unit_bytes();
  }

  /// A panel's part as tiles take it: where it lies, or widened into `wide`.
  const void* operand(std::int64_t panel, std::int64_t depth, float* wide) const {
    const char* const stored = weights(panel, depth);
    if (w_.dtype == DType::kF32) return stored;
    const auto widen = is_integer() ? kernel_.widen_int8 : kernel_.widen_bfloat16;
    widen(stored, wide, depths_.size(depth) * kernel_.panel_columns);
    return wide;
  }

  void multiply_panel(Range tiles, std::int64_t panel, std::int64_t depth, const char* next,
                      float* wide) const {
    const std::int64_t column = panel * kernel_.panel_columns;
    Tile tile{};
    tile.columns = std::min(kernel_.panel_columns, w_.outputs - column);
    tile.depth = depths_.size(depth);
    tile.b = operand(panel, depth, wide);
    tile.column_scales = is_integer() ? w_.scales + column : nullptr;
    tile.c_stride = y_stride_;
    tile.first = depth == 0;
    tile.bias = finish_.bias == nullptr ? nullptr : finish_.bias + column;
    tile.residual_stride = finish_.residual_stride;
    tile.next = next;
    // All tiles together fetch the whole of what comes next.
    tile.next_step = ceil_div(4 * unit_bytes() * kernel_.panel_columns, tiles.last - tiles.first);
    for (std::int64_t t = tiles.first; t < tiles.last; ++t) {
      const std::int64_t row = tiles_.begin(t);
      tile.rows = static_cast<int>(tiles_.size(t));
      tile.a = x_.data() + offset(t, depth);
      tile.row_scales = scales_.data() + (is_integer() ? row : 0);
      tile.c = y_ + row * y_stride_ + column;
      if (finish_.residual != nullptr) {
        tile.residual = finish_.residual + row * finish_.residual_stride + column;
      }
      is_integer() ? kernel_.multiply_integer_tile(tile) : kernel_.multiply_tile(tile);
      tile.next += tile.next_step * (tile.depth / 4);
    }
  }

  void activate(Range tiles, std::int64_t first, std::int64_t last) const {
    if (finish_.activation == nullptr) return;
    const std::int64_t column = first * kernel_.panel_columns;
    const std::int64_t columns = std::min(w_.outputs, last * kernel_.panel_columns) - column;
    const std::int64_t end = tiles_.begin(tiles.last - 1) + tiles_.size(tiles.last - 1);
    for (std::int64_t row = tiles_.begin(tiles.first); row < end; ++row) {
      finish_.activation(y_ + row * y_stride_ + column, columns);
    }
  }

  const Kernels& kernel_;
  const PackedView& w_;
  std::int64_t units_;
  Parts tiles_;
  Parts depths_;
  std::int64_t rows_;
  Tensor<float> x_;       // for every depth, for every tile: [units, rows of the tile]
  Tensor<float> scales_;  // of integer products: [rows]
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

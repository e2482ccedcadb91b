#pragma once

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/shape.hpp>
#include <bridgetower/core/workspace.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <utility>
#include <vector>

namespace bridgetower {

/// A dense row-major array that owns its memory (aligned to 64 bytes). Copies copy, moves are free.
/// Reading from several threads is safe.
template <class Scalar>
class Tensor {
 public:
  /// Nothing: rank 1, no elements.
  Tensor() : shape_{0} {}

  /// All zeros. Throws ShapeError for a negative or overflowing size.
  explicit Tensor(Shape shape) : Tensor(uninitialized(std::move(shape))) {
    std::fill_n(data(), size(), Scalar(0));
  }

  Tensor(Shape shape, const std::vector<Scalar>& values) : Tensor(uninitialized(std::move(shape))) {
    if (values.size() != size()) {
      throw ShapeError("Tensor", "values for " + to_string(shape_), std::to_string(size()),
                       std::to_string(values.size()));
    }
    std::copy(values.begin(), values.end(), data());
  }

  /// Memory as it comes, for callers that write every element.
  static Tensor uninitialized(Shape shape) {
    const std::int64_t count = element_count(shape);
    constexpr std::int64_t kLargest = (std::int64_t{1} << 62) / std::int64_t{sizeof(Scalar)};
    if (count < 0 || count > kLargest) {
      throw ShapeError("Tensor", "shape", "sizes with a product below 2^62 bytes",
                       to_string(shape));
    }
    Tensor tensor;
    tensor.shape_ = std::move(shape);
    tensor.storage_ = Storage(static_cast<std::size_t>(count));
    return tensor;
  }

  const Shape& shape() const noexcept { return shape_; }
  std::size_t rank() const noexcept { return shape_.size(); }
  std::size_t size() const noexcept { return storage_.size; }
  bool empty() const noexcept { return size() == 0; }

  /// Size of one axis; negative counts from the last.
  std::int64_t dim(std::ptrdiff_t axis) const {
    const auto n = static_cast<std::ptrdiff_t>(rank());
    const std::ptrdiff_t index = axis < 0 ? axis + n : axis;
    if (index < 0 || index >= n) {
      throw ShapeError("Tensor", "axis of a tensor " + to_string(shape_),
                       "-" + std::to_string(n) + " to " + std::to_string(n - 1),
                       std::to_string(axis));
    }
    return shape_[static_cast<std::size_t>(index)];
  }

  Scalar* data() noexcept { return storage_.data; }
  const Scalar* data() const noexcept { return storage_.data; }
  Scalar* begin() noexcept { return data(); }
  Scalar* end() noexcept { return data() + size(); }
  const Scalar* begin() const noexcept { return data(); }
  const Scalar* end() const noexcept { return data() + size(); }

  /// One element; as many indices as axes, each within its axis (else ShapeError).
  template <class... Index>
  Scalar operator()(Index... index) const {
    return data()[offset({static_cast<std::int64_t>(index)...})];
  }
  template <class... Index>
  Scalar& operator()(Index... index) {
    return data()[offset({static_cast<std::int64_t>(index)...})];
  }

  /// Copy of the slice at `index` of the first axis: [A, ...] -> [...].
  Tensor row(std::int64_t index) const {
    if (rank() == 0 || index < 0 || index >= shape_[0]) {
      throw ShapeError("Tensor", "row of a tensor " + to_string(shape_), "an index inside it",
                       std::to_string(index));
    }
    Tensor result = uninitialized(Shape(shape_.begin() + 1, shape_.end()));
    std::copy_n(data() + static_cast<std::size_t>(index) * result.size(), result.size(),
                result.data());
    return result;
  }

  /// The same elements under another shape of equal size (else ShapeError).
  Tensor reshaped(Shape shape) && {
    if (element_count(shape) != static_cast<std::int64_t>(size())) {
      throw ShapeError("Tensor", "reshape of " + to_string(shape_),
                       std::to_string(size()) + " elements", to_string(shape));
    }
    shape_ = std::move(shape);
    return std::move(*this);
  }

  /// Every element converted to another scalar.
  template <class Other>
  Tensor<Other> cast() const {
    auto result = Tensor<Other>::uninitialized(shape_);
    std::transform(begin(), end(), result.begin(), [](Scalar v) { return static_cast<Other>(v); });
    return result;
  }

 private:
  struct Storage {
    Storage() = default;
    explicit Storage(std::size_t count)
        : data(count == 0
                   ? nullptr
                   : static_cast<Scalar*>(detail::allocate_elements(count * sizeof(Scalar)))),
          size(count) {}
    Storage(const Storage& other) : Storage(other.size) {
      std::copy_n(other.data, other.size, data);
    }
    Storage(Storage&& other) noexcept
        : data(std::exchange(other.data, nullptr)), size(std::exchange(other.size, 0)) {}
    Storage& operator=(Storage other) noexcept {
      std::swap(data, other.data);
      std::swap(size, other.size);
      return *this;
    }
    ~Storage() { detail::release_elements(data); }

    Scalar* data = nullptr;
    std::size_t size = 0;
  };

  std::size_t offset(std::initializer_list<std::int64_t> index) const {
    bool inside = index.size() == rank();
    std::int64_t position = 0;
    if (inside) {
      auto size = shape_.begin();
      for (const std::int64_t i : index) {
        inside = inside && i >= 0 && i < *size;
        position = position * *size++ + i;
      }
    }
    if (!inside) {
      throw ShapeError("Tensor", "element of a tensor " + to_string(shape_), "an index inside it",
                       to_string(Shape(index)));
    }
    return static_cast<std::size_t>(position);
  }

  Shape shape_;
  Storage storage_;
};

/// Throws ShapeError where x is no matrix of this width with at least `rows` rows.
template <class Scalar>
void check_rows(const char* place, const Tensor<Scalar>& x, std::int64_t rows, std::int64_t width) {
  if (x.rank() == 2 && x.dim(1) == width && rows >= 0 && rows <= x.dim(0)) return;
  throw ShapeError(place, "shape",
                   "[" + std::to_string(rows) + " or more, " + std::to_string(width) + "]",
                   to_string(x.shape()));
}

/// Throws ShapeError where two tensors that belong together differ in shape.
template <class Scalar>
void check_same_shape(const char* place, const Tensor<Scalar>& a, const Tensor<Scalar>& b) {
  if (a.shape() == b.shape()) return;
  throw ShapeError(place, "shapes", to_string(a.shape()), to_string(b.shape()));
}

}  // namespace bridgetower

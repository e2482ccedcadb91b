#pragma once

#include <algorithm>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/attention.hpp>
#include <bridgetower/ops/gather.hpp>
#include <cstdint>
#include <utility>
#include <vector>

namespace bridgetower {

/// One item's rows among the rows of several.
struct Sequence {
  std::int64_t begin;
  std::int64_t rows;
  const ops::KeyList* attended = nullptr;  ///< rows that may be attended to; null: all

  /// Rows that are no padding. How attention is computed depends on these, so that padding changes
  /// no bit.
  std::int64_t tokens() const noexcept {
    return attended == nullptr || attended->empty() ? rows
                                                    : static_cast<std::int64_t>(attended->size());
  }
};

/// The rows of several items, one below the other: what treats every row by itself sees one matrix,
/// attention sees the items.
template <class Scalar>
struct Sequences {
  Tensor<Scalar> rows;  ///< [Σ N, D]
  std::vector<Sequence> items;

  static Sequences single(Tensor<Scalar> rows, const ops::KeyList* attended = nullptr) {
    const std::int64_t count = rows.dim(0);
    return {std::move(rows), {{0, count, attended}}};
  }

  /// Item i's rows, copied.
  Tensor<Scalar> item(std::size_t i) const {
    const std::int64_t width = rows.dim(1);
    auto out = Tensor<Scalar>::uninitialized({items[i].rows, width});
    std::copy_n(rows.data() + items[i].begin * width, out.size(), out.data());
    return out;
  }

  /// The items cut into runs of at least `least` rows together, the last one excepted.
  std::vector<std::vector<std::size_t>> groups(std::int64_t least) const {
    std::vector<std::vector<std::size_t>> all;
    std::int64_t in_last = least;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (in_last >= least) {
        all.emplace_back();
        in_last = 0;
      }
      all.back().push_back(i);
      in_last += items[i].rows;
    }
    return all;
  }

  /// The items of `more` after these.
  void append(Sequences more) {
    if (items.empty()) {
      *this = std::move(more);
      return;
    }
    const std::int64_t before = rows.dim(0);
    const std::int64_t width = rows.dim(1);
    auto both = Tensor<Scalar>::uninitialized({before + more.rows.dim(0), width});
    std::copy(more.rows.begin(), more.rows.end(),
              std::copy(rows.begin(), rows.end(), both.begin()));
    rows = std::move(both);
    for (const Sequence& item : more.items) {
      items.push_back({before + item.begin, item.rows, item.attended});
    }
  }

  /// The chosen items, copied.
  Sequences part(const std::vector<std::size_t>& chosen) const {
    Sequences out;
    std::vector<std::int64_t> indices;
    for (const std::size_t i : chosen) {
      out.items.push_back(
          {static_cast<std::int64_t>(indices.size()), items[i].rows, items[i].attended});
      for (std::int64_t r = 0; r < items[i].rows; ++r) indices.push_back(items[i].begin + r);
    }
    out.rows = ops::gather_rows(rows.data(), rows.dim(1), rows.dim(1), indices);
    return out;
  }

  /// The other way: the rows of part(chosen) to their places in `out`, which has a row for each of
  /// these.
  void put(Tensor<Scalar>& out, const std::vector<std::size_t>& chosen,
           const Tensor<Scalar>& part_rows) const {
    const std::int64_t width = out.dim(1);
    const Scalar* from = part_rows.data();
    for (const std::size_t i : chosen) {
      std::copy_n(from, items[i].rows * width, out.data() + items[i].begin * width);
      from += items[i].rows * width;
    }
  }

  /// The chosen rows (counted within their item) of every item.
  Sequences select(const ops::KeyList& chosen) const {
    Sequences out;
    std::vector<std::int64_t> indices;
    for (const Sequence& item : items) {
      out.items.push_back(
          {static_cast<std::int64_t>(indices.size()), static_cast<std::int64_t>(chosen.size())});
      for (const std::int64_t row : chosen) indices.push_back(item.begin + row);
    }
    out.rows = ops::gather_rows(rows.data(), rows.dim(1), rows.dim(1), indices);
    return out;
  }
};

}  // namespace bridgetower

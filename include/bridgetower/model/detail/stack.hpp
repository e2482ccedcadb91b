#pragma once

#include <algorithm>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/layers/sequences.hpp>
#include <cstdint>
#include <vector>

namespace bridgetower::detail {

/// [N, D] -> its first row, [1, D]
template <class Scalar>
Tensor<Scalar> first_row(const Tensor<Scalar>& rows) {
  return ops::gather_rows(rows.data(), rows.dim(1), rows.dim(1), {0});
}

/// tensor(item) [N, D] of every item, one below the other.
template <class Item, class GetTensor>
auto stack_of(const std::vector<Item>& items, const GetTensor& tensor) {
  using Scalar = std::decay_t<decltype(*tensor(items.front()).data())>;
  Sequences<Scalar> out;
  std::int64_t rows = 0;
  for (const Item& item : items) {
    out.items.push_back({rows, tensor(item).dim(0)});
    rows += tensor(item).dim(0);
  }
  out.rows = Tensor<Scalar>::uninitialized({rows, tensor(items.front()).dim(1)});
  Scalar* target = out.rows.data();
  for (const Item& item : items) {
    target = std::copy(tensor(item).begin(), tensor(item).end(), target);
  }
  return out;
}

template <class Scalar>
Sequences<Scalar> stack(const std::vector<Tensor<Scalar>>& tensors) {
  return stack_of(
      tensors, [](const Tensor<Scalar>& tensor) -> const auto& { return tensor; });
}

}  // namespace bridgetower::detail

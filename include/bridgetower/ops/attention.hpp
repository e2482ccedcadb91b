#pragma once

#include <algorithm>
#include <bridgetower/core/backend.hpp>
#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/gather.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <bridgetower/ops/softmax.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace bridgetower::ops {

/// Rows of a matrix whose rows lie `stride` elements apart.
template <class Scalar>
struct RowsView {
  const Scalar* data;
  std::int64_t rows;
  std::int64_t stride;
};

/// Which keys may be attended to, in ascending order.
using KeyList = std::vector<std::int64_t>;

template <class Scalar>
struct AttentionInputs {
  RowsView<Scalar> query;  ///< [M, H * K], scaled by 1 / sqrt(K) already
  RowsView<Scalar> key;    ///< [N, H * K]
  RowsView<Scalar> value;  ///< [N, H * K]
  std::int64_t heads;
  std::int64_t head_size;
  const KeyList* attended = nullptr;  ///< null: every key
  Backend backend = Backend::kAuto;
  DType dtype = DType::kF32;  ///< what keys and values are rounded to
};

/// softmax(q kᵀ) v, head by head, into out [M, H * K]. Keys that are not attended have probability
/// 0; where none is attended all have the same: HF adds finfo.min to the scores of hidden keys,
/// which leaves equal scores then. Into `probabilities` [H, M, N] where that is not null. Throws
/// InputError for an attended key that does not exist.
template <class Scalar>
void attention(const AttentionInputs<Scalar>& in, Scalar* out,
               Tensor<Scalar>* probabilities = nullptr);

namespace detail {

/// One head over all queries, in blocks of rows that stay in the cache.
template <class Scalar>
void attend_head(const AttentionInputs<Scalar>& in, std::int64_t head, Scalar* out,
                 Tensor<Scalar>* probabilities) {
  constexpr std::int64_t kRows = 84;
  const std::int64_t size = in.head_size;
  const std::int64_t keys = in.key.rows;
  const std::int64_t offset = head * size;
  PackedMatrix<Scalar> key(keys, size, in.backend, in.dtype);
  key.set_rows(0, keys, in.key.data + offset, in.key.stride);
  PackedMatrix<Scalar> value(size, keys, in.backend, in.dtype);  // transposed
  value.set_rows(0, size, in.value.data + offset, 1, in.value.stride);

  const bool none_attended = in.attended != nullptr && in.attended->empty();
  auto scores = Tensor<Scalar>::uninitialized({kRows, keys});
  for (std::int64_t first = 0; first < in.query.rows; first += kRows) {
    const std::int64_t rows = std::min(kRows, in.query.rows - first);
    key.multiply(in.query.data + first * in.query.stride + offset, in.query.stride, rows, {},
                 scores.data(), keys);
    if (none_attended) std::fill_n(scores.data(), rows * keys, Scalar(0));
    for (std::int64_t r = 0; r < rows; ++r) softmax(scores.data() + r * keys, keys);
    value.multiply(scores.data(), keys, rows, {}, out + first * in.heads * size + offset,
                   in.heads * size);
    if (probabilities == nullptr) continue;
    std::copy_n(scores.data(), rows * keys,
                probabilities->data() + (head * in.query.rows + first) * keys);
  }
}

/// [H, M, attended] -> [H, M, keys], zero elsewhere.
template <class Scalar>
Tensor<Scalar> spread_columns(const Tensor<Scalar>& values, const KeyList& attended,
                              std::int64_t keys) {
  Tensor<Scalar> wide({values.dim(0), values.dim(1), keys});
  const auto count = static_cast<std::int64_t>(attended.size());
  for (std::int64_t row = 0; row < values.dim(0) * values.dim(1); ++row) {
    for (std::int64_t j = 0; j < count; ++j) {
      wide.data()[row * keys + attended[static_cast<std::size_t>(j)]] =
          values.data()[row * count + j];
    }
  }
  return wide;
}

/// True where some keys, but not all, take part. Throws InputError for one that does not exist.
inline bool some_hidden(const KeyList* attended, std::int64_t keys) {
  if (attended != nullptr) {
    for (const std::int64_t key : *attended) {
      if (key >= 0 && key < keys) continue;
      throw InputError("attention", "attended key", "0 to " + std::to_string(keys - 1),
                       std::to_string(key));
    }
  }
  return attended != nullptr && !attended->empty() &&
         static_cast<std::int64_t>(attended->size()) < keys;
}

}  // namespace detail

template <class Scalar>
void attention(const AttentionInputs<Scalar>& in, Scalar* out, Tensor<Scalar>* probabilities) {
  if (detail::some_hidden(in.attended, in.key.rows)) {
    // Leaving the others out is exact: their probability would be zero.
    const std::int64_t width = in.heads * in.head_size;
    const Tensor<Scalar> key = gather_rows(in.key.data, in.key.stride, width, *in.attended);
    const Tensor<Scalar> value = gather_rows(in.value.data, in.value.stride, width, *in.attended);
    AttentionInputs<Scalar> only = in;
    only.key = {key.data(), key.dim(0), width};
    only.value = {value.data(), value.dim(0), width};
    only.attended = nullptr;
    attention(only, out, probabilities);
    if (probabilities != nullptr) {
      *probabilities = detail::spread_columns(*probabilities, *in.attended, in.key.rows);
    }
    return;
  }
  if (probabilities != nullptr) {
    *probabilities = Tensor<Scalar>::uninitialized({in.heads, in.query.rows, in.key.rows});
  }
  parallel_for(in.heads,
               [&](std::int64_t head) { detail::attend_head(in, head, out, probabilities); });
}

}  // namespace bridgetower::ops

#pragma once

#include <algorithm>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/attention.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <bridgetower/ops/rows.hpp>
#include <cstdint>
#include <numeric>

namespace bridgetower::ops {

/// Multiply-adds of attention from `queries` rows to `keys` rows with all four projections:
/// plainly; keys and values never made (folded_attention); queries and outputs never made
/// (query_folded_attention).
inline std::int64_t plain_work(std::int64_t queries, std::int64_t keys, std::int64_t width) {
  return 2 * (queries + keys) * width * width + 2 * queries * keys * width;
}
inline std::int64_t folded_work(std::int64_t queries, std::int64_t keys, std::int64_t width,
                                std::int64_t heads) {
  return 4 * queries * width * width + 2 * heads * queries * keys * width;
}
inline std::int64_t query_folded_work(std::int64_t queries, std::int64_t keys, std::int64_t width,
                                      std::int64_t heads) {
  return folded_work(keys, queries, width, heads);
}

/// Attention whose keys and values are never made. With projections W_k, W_v of the rows x of the
/// other side,
///
///     q (x W_kᵀ)ᵀ = (q W_k) xᵀ        p (x W_vᵀ + b_v) = (p x) W_vᵀ + b_v
///
/// head by head: for few queries that is far less work. Keys need no bias, as softmax ignores what
/// all scores of a row have in common; probabilities sum to 1, so b_v is added once.
template <class Scalar>
struct FoldedAttentionInputs {
  RowsView<Scalar> query;                   ///< [M, D], scaled by 1 / sqrt(K) already
  RowsView<Scalar> other;                   ///< x [N, D]
  const PackedMatrix<Scalar>& projections;  ///< [3 D, D]: query, key, value
  const Scalar* value_bias;                 ///< [D]
  std::int64_t heads;
  const KeyList* attended = nullptr;  ///< null: every row of x
  Backend backend = Backend::kAuto;
  DType dtype = DType::kF32;  ///< what matrices of activations are rounded to
};

/// The context of every head into out [M, D].
template <class Scalar>
void folded_attention(const FoldedAttentionInputs<Scalar>& in, Scalar* out) {
  if (detail::some_hidden(in.attended, in.other.rows)) {
    const std::int64_t width = in.projections.inputs();
    const Tensor<Scalar> rows = gather_rows(in.other.data, in.other.stride, width, *in.attended);
    FoldedAttentionInputs<Scalar> only = in;
    only.other = {rows.data(), rows.dim(0), width};
    only.attended = nullptr;
    return folded_attention(only, out);
  }
  const std::int64_t width = in.projections.inputs();
  const std::int64_t size = width / in.heads;
  const std::int64_t queries = in.query.rows;
  const std::int64_t keys = in.other.rows;

  auto folded = Tensor<Scalar>::uninitialized({in.heads * queries, width});
  parallel_for(in.heads, [&](std::int64_t head) {
    in.projections.transposed({width + head * size, size})
        .multiply(in.query.data + head * size, in.query.stride, queries, {},
                  folded.data() + head * queries * width, width);
  });

  PackedMatrix<Scalar> rows(keys, width, in.backend, in.dtype);
  rows.set_rows(0, keys, in.other.data, in.other.stride);
  auto scores = Tensor<Scalar>::uninitialized({in.heads * queries, keys});
  rows.multiply(folded.data(), width, in.heads * queries, {}, scores.data(), keys);
  const bool none_attended = in.attended != nullptr && in.attended->empty();
  if (none_attended) std::fill(scores.begin(), scores.end(), Scalar(0));
  for_row_blocks(in.heads * queries, keys, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) softmax(scores.data() + r * keys, keys);
  });

  PackedMatrix<Scalar> columns(width, keys, in.backend, in.dtype);
  columns.set_rows(0, width, in.other.data, 1, in.other.stride);
  columns.multiply(scores.data(), keys, in.heads * queries, {}, folded.data(), width);
  parallel_for(in.heads, [&](std::int64_t head) {
    in.projections.multiply({2 * width + head * size, size}, folded.data() + head * queries * width,
                            width, queries, {in.value_bias + head * size}, out + head * size,
                            width);
  });
}

/// Attention whose queries and context are never made. With the projections W_q of the rows x and
/// W_o of the context,
///
///     (x W_qᵀ + b_q) kᵀ = x (k W_q)ᵀ + b_q kᵀ        (p v) W_oᵀ = p (v W_oᵀ)
///
/// head by head: for few keys that is far less work.
template <class Scalar>
struct QueryFoldedAttentionInputs {
  RowsView<Scalar> x;      ///< [M, D]
  RowsView<Scalar> key;    ///< k [N, D]
  RowsView<Scalar> value;  ///< v [N, D]
  const PackedMatrix<Scalar>&
      projections;                     ///< [3 D, D], query first, scaled by 1 / sqrt(K) already
  const Scalar* query_bias;            ///< [D], scaled likewise
  const PackedMatrix<Scalar>& output;  ///< W_o [D, D]
  const Scalar* output_bias;           ///< [D]
  std::int64_t heads;
  const KeyList* attended = nullptr;  ///< null: every key
  Backend backend = Backend::kAuto;
  DType dtype = DType::kF32;  ///< what matrices of activations are rounded to
};

/// What the output projection makes of the context, into out [M, D].
template <class Scalar>
void query_folded_attention(const QueryFoldedAttentionInputs<Scalar>& in, Scalar* out) {
  const std::int64_t width = in.output.outputs();
  if (detail::some_hidden(in.attended, in.key.rows)) {
    const Tensor<Scalar> key = gather_rows(in.key.data, in.key.stride, width, *in.attended);
    const Tensor<Scalar> value = gather_rows(in.value.data, in.value.stride, width, *in.attended);
    QueryFoldedAttentionInputs<Scalar> only = in;
    only.key = {key.data(), key.dim(0), width};
    only.value = {value.data(), value.dim(0), width};
    only.attended = nullptr;
    return query_folded_attention(only, out);
  }
  const std::int64_t size = width / in.heads;
  const std::int64_t keys = in.key.rows;
  const std::int64_t all_keys = in.heads * keys;

  auto folded_keys = Tensor<Scalar>::uninitialized({all_keys, width});
  auto folded_values = Tensor<Scalar>::uninitialized({all_keys, width});
  auto bias = Tensor<Scalar>::uninitialized({all_keys});
  parallel_for(in.heads, [&](std::int64_t head) {
    const std::int64_t first = head * size;
    const Scalar* const key = in.key.data + first;
    in.projections.transposed({first, size})
        .multiply(key, in.key.stride, keys, {}, folded_keys.data() + head * keys * width, width);
    in.output.multiply({0, width}, {first, size}, in.value.data + first, in.value.stride, keys, {},
                       folded_values.data() + head * keys * width, width);
    for (std::int64_t n = 0; n < keys; ++n) {
      bias.data()[head * keys + n] =
          std::inner_product(key + n * in.key.stride, key + n * in.key.stride + size,
                             in.query_bias + first, Scalar(0));
    }
  });

  PackedMatrix<Scalar> scores_of(all_keys, width, in.backend, in.dtype);
  scores_of.set_rows(0, all_keys, folded_keys.data(), width);
  auto scores = Tensor<Scalar>::uninitialized({in.x.rows, all_keys});
  scores_of.multiply(in.x.data, in.x.stride, in.x.rows, {bias.data()}, scores.data(), all_keys);
  const bool none_attended = in.attended != nullptr && in.attended->empty();
  if (none_attended) std::fill(scores.begin(), scores.end(), Scalar(0));
  for_row_blocks(in.x.rows * in.heads, keys, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) softmax(scores.data() + r * keys, keys);
  });

  PackedMatrix<Scalar> out_of(width, all_keys, in.backend, in.dtype);
  out_of.set_rows(0, width, folded_values.data(), 1, width);
  out_of.multiply(scores.data(), all_keys, in.x.rows, {in.output_bias}, out, width);
}

}  // namespace bridgetower::ops

#pragma once

#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/attention.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <bridgetower/ops/rows.hpp>
#include <cstdint>

namespace bridgetower::ops {

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
};

/// Multiply-adds of attention from `queries` rows to `keys` rows, keys and values included, made
/// or folded.
inline std::int64_t made_work(std::int64_t queries, std::int64_t keys, std::int64_t width) {
  return 2 * keys * width * width + 2 * queries * keys * width;
}
inline std::int64_t folded_work(std::int64_t queries, std::int64_t keys, std::int64_t width,
                                std::int64_t heads) {
  return 2 * queries * width * width + 2 * heads * queries * keys * width;
}

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
        .multiply(in.query.data + head * size, in.query.stride, queries, nullptr,
                  folded.data() + head * queries * width, width);
  });

  PackedMatrix<Scalar> rows(keys, width, in.backend);
  rows.set_rows(0, keys, in.other.data, in.other.stride);
  auto scores = Tensor<Scalar>::uninitialized({in.heads * queries, keys});
  rows.multiply(folded.data(), width, in.heads * queries, nullptr, scores.data(), keys);
  const bool none_attended = in.attended != nullptr && in.attended->empty();
  if (none_attended) std::fill(scores.begin(), scores.end(), Scalar(0));
  for_row_blocks(in.heads * queries, keys, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) softmax(scores.data() + r * keys, keys);
  });

  PackedMatrix<Scalar> columns(width, keys, in.backend);
  columns.set_rows(0, width, in.other.data, 1, in.other.stride);
  columns.multiply(scores.data(), keys, in.heads * queries, nullptr, folded.data(), width);
  parallel_for(in.heads, [&](std::int64_t head) {
    in.projections.multiply({2 * width + head * size, size}, folded.data() + head * queries * width,
                            width, queries, in.value_bias + head * size, out + head * size, width);
  });
}

}  // namespace bridgetower::ops

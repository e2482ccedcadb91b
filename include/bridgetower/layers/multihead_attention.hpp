#pragma once

#include <algorithm>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/layers/sequences.hpp>
#include <bridgetower/ops/attention.hpp>
#include <bridgetower/ops/folded_attention.hpp>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace bridgetower {

/// Query, key and value projections as one matrix, and attention over them.
/// HF: BridgeTowerSelfAttention, torch.nn.MultiheadAttention.
template <class Scalar>
class MultiheadAttention {
 public:
  /// `in_proj` [3 D, D]: query, key, value. 1 / sqrt(K) is folded into the queries.
  MultiheadAttention(Linear<Scalar> in_proj, std::int64_t heads, Backend backend);

  /// Item i of `queries` attends to item i of `others` -> [Σ M, D]. `queries` and `others` may be
  /// the same object. Probabilities [H, M, N] of each item where wanted.
  Tensor<Scalar> forward(const Sequences<Scalar>& queries, const Sequences<Scalar>& others,
                         std::vector<Tensor<Scalar>>* probabilities = nullptr) const;

  /// The same through the output projection `dense`.
  Tensor<Scalar> forward(const Sequences<Scalar>& queries, const Sequences<Scalar>& others,
                         const Linear<Scalar>& dense,
                         std::vector<Tensor<Scalar>>* probabilities = nullptr) const;

 private:
  /// Whichever way of the three is the least work. What one item takes depends on it alone.
  bool folds(const Sequence& query, const Sequence& other) const;
  bool folds_queries(const Sequence& query, const Sequence& other) const;
  Tensor<Scalar> forward_queries_folded(const Sequences<Scalar>& queries,
                                        const Sequences<Scalar>& others,
                                        const Linear<Scalar>& dense) const;

  std::int64_t heads_;
  std::int64_t size_;  // D
  Backend backend_;
  Linear<Scalar> in_proj_;
};

template <class Scalar>
MultiheadAttention<Scalar>::MultiheadAttention(Linear<Scalar> in_proj, std::int64_t heads,
                                               Backend backend)
    : heads_(heads),
      size_(in_proj.out() / 3),
      backend_(without_onednn(backend)),
      in_proj_(std::move(in_proj)) {
  if (size_ == 0) return;  // the checkpoint lacks it
  in_proj_.scale_outputs({0, size_}, Scalar(1) / std::sqrt(static_cast<Scalar>(size_ / heads_)));
}

template <class Scalar>
bool MultiheadAttention<Scalar>::folds(const Sequence& query, const Sequence& other) const {
  return ops::folded_work(query.tokens(), other.tokens(), size_, heads_) <
         ops::plain_work(query.tokens(), other.tokens(), size_);
}

template <class Scalar>
bool MultiheadAttention<Scalar>::folds_queries(const Sequence& query, const Sequence& other) const {
  const std::int64_t m = query.tokens();
  const std::int64_t n = other.tokens();
  return ops::query_folded_work(m, n, size_, heads_) <
         std::min(ops::plain_work(m, n, size_), ops::folded_work(m, n, size_, heads_));
}

template <class Scalar>
Tensor<Scalar> MultiheadAttention<Scalar>::forward(
    const Sequences<Scalar>& queries, const Sequences<Scalar>& others, const Linear<Scalar>& dense,
    std::vector<Tensor<Scalar>>* probabilities) const {
  std::vector<std::size_t> folded, made;
  for (std::size_t i = 0; i < queries.items.size(); ++i) {
    const bool folds = probabilities == nullptr && folds_queries(queries.items[i], others.items[i]);
    (folds ? folded : made).push_back(i);
  }
  if (folded.empty()) return dense.forward(forward(queries, others, probabilities));
  if (made.empty()) return forward_queries_folded(queries, others, dense);
  auto out = Tensor<Scalar>::uninitialized({queries.rows.dim(0), dense.out()});
  queries.put(out, folded,
              forward_queries_folded(queries.part(folded), others.part(folded), dense));
  queries.put(out, made, dense.forward(forward(queries.part(made), others.part(made))));
  return out;
}

template <class Scalar>
Tensor<Scalar> MultiheadAttention<Scalar>::forward_queries_folded(
    const Sequences<Scalar>& queries, const Sequences<Scalar>& others,
    const Linear<Scalar>& dense) const {
  const Tensor<Scalar> made = in_proj_.forward(others.rows, {size_, 2 * size_});
  auto out = Tensor<Scalar>::uninitialized({queries.rows.dim(0), dense.out()});
  parallel_for(static_cast<std::int64_t>(queries.items.size()), [&](std::int64_t index) {
    const Sequence& own = queries.items[static_cast<std::size_t>(index)];
    const Sequence& other = others.items[static_cast<std::size_t>(index)];
    const Scalar* const key = made.data() + other.begin * 2 * size_;
    ops::query_folded_attention<Scalar>({{queries.rows.data() + own.begin * size_, own.rows, size_},
                                         {key, other.rows, 2 * size_},
                                         {key + size_, other.rows, 2 * size_},
                                         in_proj_.weight(),
                                         in_proj_.bias(),
                                         dense.weight(),
                                         dense.bias(),
                                         heads_,
                                         other.attended,
                                         backend_,
                                         in_proj_.weight().activation_dtype()},
                                        out.data() + own.begin * dense.out());
  });
  return out;
}

template <class Scalar>
Tensor<Scalar> MultiheadAttention<Scalar>::forward(
    const Sequences<Scalar>& queries, const Sequences<Scalar>& others,
    std::vector<Tensor<Scalar>>* probabilities) const {
  const std::size_t count = queries.items.size();
  std::vector<char> folded(count);
  bool all_folded = true;
  for (std::size_t i = 0; i < count; ++i) {
    folded[i] = probabilities == nullptr && folds(queries.items[i], others.items[i]) ? 1 : 0;
    all_folded = all_folded && folded[i] != 0;
  }
  // What stands in the columns of `made` depends on what is needed: all three, or keys and values.
  const bool merged = &queries == &others && !all_folded;
  Tensor<Scalar> made;
  Tensor<Scalar> query;
  if (merged) {
    made = in_proj_.forward(queries.rows);
  } else {
    query = in_proj_.forward(queries.rows, {0, size_});
    if (!all_folded) made = in_proj_.forward(others.rows, {size_, 2 * size_});
  }
  const std::int64_t made_width = merged ? 3 * size_ : 2 * size_;
  const Scalar* const query_data = merged ? made.data() : query.data();
  const std::int64_t query_stride = merged ? made_width : size_;
  const std::int64_t key_column = merged ? size_ : 0;

  auto out = Tensor<Scalar>::uninitialized({queries.rows.dim(0), size_});
  if (probabilities != nullptr) probabilities->resize(count);
  parallel_for(static_cast<std::int64_t>(count), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    const Sequence& own = queries.items[i];
    const Sequence& other = others.items[i];
    const ops::RowsView<Scalar> q{query_data + own.begin * query_stride, own.rows, query_stride};
    Scalar* const target = out.data() + own.begin * size_;
    if (folded[i] != 0) {
      ops::folded_attention<Scalar>({q,
                                     {others.rows.data() + other.begin * size_, other.rows, size_},
                                     in_proj_.weight(),
                                     in_proj_.bias() + 2 * size_,
                                     heads_,
                                     other.attended,
                                     backend_,
                                     in_proj_.weight().activation_dtype()},
                                    target);
      return;
    }
    const Scalar* const key = made.data() + other.begin * made_width + key_column;
    ops::attention<Scalar>({q,
                            {key, other.rows, made_width},
                            {key + size_, other.rows, made_width},
                            heads_,
                            size_ / heads_,
                            other.attended,
                            backend_,
                            in_proj_.weight().activation_dtype()},
                           target, probabilities == nullptr ? nullptr : &(*probabilities)[i]);
  });
  return out;
}

BRIDGETOWER_EXTERN_TEMPLATE(MultiheadAttention);

}  // namespace bridgetower

#pragma once

#include <algorithm>
#include <bridgetower/config/text_config.hpp>
#include <bridgetower/layers/layer_norm.hpp>
#include <bridgetower/layers/linear.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bridgetower {

/// Word, position and type rows, summed and normalised. HF: BridgeTowerTextEmbeddings.
template <class Scalar>
class BridgeTowerTextEmbeddings {
 public:
  BridgeTowerTextEmbeddings(const TextConfig& config, const WeightView<Scalar>& weights);

  /// The embeddings of the tokens at `kept` -> [kept, D]. Positions count all `length` tokens: one
  /// that is not padding has pad_token_id + 1 + the number of such tokens before it, padding has
  /// pad_token_id. Throws InputError for an id outside the vocabulary or more tokens than the table
  /// has positions.
  Tensor<Scalar> forward(const std::int64_t* input_ids, std::int64_t length,
                         const std::vector<std::int64_t>& kept) const;

  /// [V, D]; the MLM head's decoder where the two are tied.
  const std::shared_ptr<ops::PackedMatrix<Scalar>>& word_embeddings() const noexcept {
    return word_embeddings_.shared_weight();
  }

 private:
  std::vector<std::int64_t> position_ids(const std::int64_t* input_ids, std::int64_t length) const;

  std::int64_t pad_token_id_;
  Linear<Scalar> word_embeddings_;      // "word_embeddings.weight" [V, D], for its rows
  Tensor<Scalar> position_embeddings_;  // "position_embeddings.weight" [max_position_embeddings, D]
  Tensor<Scalar> token_type_embeddings_;  // "token_type_embeddings.weight" [type_vocab_size, D]
  LayerNorm<Scalar> layer_norm_;          // "LayerNorm"
};

template <class Scalar>
BridgeTowerTextEmbeddings<Scalar>::BridgeTowerTextEmbeddings(const TextConfig& config,
                                                             const WeightView<Scalar>& weights)
    : pad_token_id_(config.pad_token_id),
      word_embeddings_(weights.without_int8(), "word_embeddings.weight",
                       {config.vocab_size, config.hidden_size}, ""),
      position_embeddings_(weights.tensor("position_embeddings.weight",
                                          {config.max_position_embeddings, config.hidden_size})),
      token_type_embeddings_(weights.tensor("token_type_embeddings.weight",
                                            {config.type_vocab_size, config.hidden_size})),
      layer_norm_(weights / "LayerNorm", config.hidden_size, config.layer_norm_eps) {}

template <class Scalar>
std::vector<std::int64_t> BridgeTowerTextEmbeddings<Scalar>::position_ids(
    const std::int64_t* input_ids, std::int64_t length) const {
  const std::int64_t words = word_embeddings_.out();
  const std::int64_t rows = position_embeddings_.dim(0);
  std::vector<std::int64_t> positions;
  std::int64_t position = pad_token_id_;
  for (std::int64_t i = 0; i < length; ++i) {
    if (input_ids[i] < 0 || input_ids[i] >= words) {
      throw InputError("input_ids", "token " + std::to_string(i),
                       "0 to " + std::to_string(words - 1), std::to_string(input_ids[i]));
    }
    const bool padding = input_ids[i] == pad_token_id_;
    positions.push_back(padding ? pad_token_id_ : ++position);
    if (positions.back() >= rows) {
      const std::int64_t most = std::max<std::int64_t>(0, rows - pad_token_id_ - 1);
      throw InputError(
          "input_ids", "tokens other than padding", "at most " + std::to_string(most),
          std::to_string(length - std::count(input_ids, input_ids + length, pad_token_id_)));
    }
  }
  return positions;
}

template <class Scalar>
Tensor<Scalar> BridgeTowerTextEmbeddings<Scalar>::forward(
    const std::int64_t* input_ids, std::int64_t length,
    const std::vector<std::int64_t>& kept) const {
  const std::vector<std::int64_t> positions = position_ids(input_ids, length);
  const std::int64_t size = word_embeddings_.in();
  auto sum = Tensor<Scalar>::uninitialized({static_cast<std::int64_t>(kept.size()), size});
  Scalar* out = sum.data();
  for (const std::int64_t token : kept) {
    word_embeddings_.weight().read_row(input_ids[token], out);
    const Scalar* const position =
        position_embeddings_.data() + positions[static_cast<std::size_t>(token)] * size;
    // HF gives every token type 0, whatever the caller's token_type_ids.
    for (std::int64_t i = 0; i < size; ++i) {
      out[i] = (out[i] + token_type_embeddings_.data()[i]) + position[i];
    }
    out += size;
  }
  return layer_norm_.forward(sum);
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerTextEmbeddings);

}  // namespace bridgetower

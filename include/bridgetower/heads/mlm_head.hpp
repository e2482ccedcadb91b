#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/layers/layer_norm.hpp>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/ops/activations.hpp>
#include <memory>

namespace bridgetower {

/// Text features -> a score for every word of the vocabulary.
/// HF: BridgeTowerMLMHead with BridgeTowerPredictionHeadTransform.
template <class Scalar>
class BridgeTowerMLMHead {
 public:
  using Table = std::shared_ptr<ops::PackedMatrix<Scalar>>;

  /// `weights` is "mlm_score". Where the checkpoint has no decoder of its own, the word embeddings
  /// [V, D] serve, and where it has one that is used, whatever tie_word_embeddings says: HF saves
  /// tied models without a decoder, and 4.x did so with tie_word_embeddings false too (HF 5 gives
  /// such a file a random decoder).
  BridgeTowerMLMHead(const BridgeTowerConfig& config, const WeightView<Scalar>& weights,
                     const Table& word_embeddings);

  /// text_features [N, D] -> logits [N, V]
  Tensor<Scalar> forward(const Tensor<Scalar>& text_features) const;

 private:
  static Linear<Scalar> make_decoder(const BridgeTowerConfig& config,
                                     const WeightView<Scalar>& weights,
                                     const Table& word_embeddings);

  ops::Activation activation_;    // the top-level hidden_act
  Linear<Scalar> dense_;          // "transform.dense" [D, D]
  LayerNorm<Scalar> layer_norm_;  // "transform.LayerNorm", top-level eps
  Linear<Scalar> decoder_;        // "decoder.weight" [V, D] and, beside it, "bias" [V]
};

template <class Scalar>
Linear<Scalar> BridgeTowerMLMHead<Scalar>::make_decoder(const BridgeTowerConfig& config,
                                                        const WeightView<Scalar>& weights,
                                                        const Table& word_embeddings) {
  const Shape shape{config.text_config.vocab_size, config.hidden_size};
  if (weights.has("decoder.weight")) return {weights, "decoder.weight", shape, "bias"};
  return {word_embeddings, weights.tensor("bias", {shape[0]})};
}

template <class Scalar>
BridgeTowerMLMHead<Scalar>::BridgeTowerMLMHead(const BridgeTowerConfig& config,
                                               const WeightView<Scalar>& weights,
                                               const Table& word_embeddings)
    : activation_(ops::activation_from_name(config.hidden_act)),
      dense_(weights.without_int8() / "transform" / "dense", config.hidden_size,
             config.hidden_size),
      layer_norm_(weights / "transform" / "LayerNorm", config.hidden_size, config.layer_norm_eps),
      decoder_(make_decoder(config, weights.without_int8(), word_embeddings)) {}

template <class Scalar>
Tensor<Scalar> BridgeTowerMLMHead<Scalar>::forward(const Tensor<Scalar>& text_features) const {
  return decoder_.forward(layer_norm_.forward(dense_.forward(text_features, activation_)));
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerMLMHead);

}  // namespace bridgetower

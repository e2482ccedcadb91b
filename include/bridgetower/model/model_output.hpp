#pragma once

#include <bridgetower/core/tensor.hpp>
#include <optional>
#include <vector>

namespace bridgetower {

/// HF: the three tuples in `hidden_states`.
template <class Scalar>
struct HiddenStates {
  std::vector<Tensor<Scalar>> text;  ///< embeddings, then after each text layer: [B, L, D]
  std::vector<Tensor<Scalar>>
      image;  ///< ln_pre's output, then after each block: [P, B, D], as in HF
  std::vector<Tensor<Scalar>> cross_text;   ///< after each cross-modal layer: [B, L, D]
  std::vector<Tensor<Scalar>> cross_image;  ///< after each cross-modal layer: [B, P, D]
};

/// HF: `attentions`, the probabilities of the cross-modal layers' self-attention.
template <class Scalar>
struct Attentions {
  std::vector<Tensor<Scalar>> text;   ///< [B, H, L, L]
  std::vector<Tensor<Scalar>> image;  ///< [B, H, P, P]
};

/// What every forward returns where it was asked for.
template <class Scalar>
struct CommonOutput {
  std::optional<HiddenStates<Scalar>> hidden_states;
  std::optional<Attentions<Scalar>> attentions;
};

/// HF: BridgeTowerModelOutput.
template <class Scalar>
struct BridgeTowerModelOutput : CommonOutput<Scalar> {
  Tensor<Scalar> text_features;   ///< [B, L, D]
  Tensor<Scalar> image_features;  ///< [B, P, D]
  Tensor<Scalar> pooler_output;   ///< [B, 2D]: text, then image
};

/// HF: SequenceClassifierOutput (matching) and MaskedLMOutput.
template <class Scalar>
struct BridgeTowerLogitsOutput : CommonOutput<Scalar> {
  Tensor<Scalar> logits;       ///< matching: [B, 2], no match and match; masked words: [B, L, V]
  std::optional<Scalar> loss;  ///< with labels
};

/// HF: BridgeTowerContrastiveOutput.
template <class Scalar>
struct BridgeTowerContrastiveOutput : CommonOutput<Scalar> {
  Tensor<Scalar> logits;        ///< [B, 3, E]: the three vectors below, not similarities
  Tensor<Scalar> text_embeds;   ///< [B, E], rows of length 1
  Tensor<Scalar> image_embeds;  ///< [B, E], rows of length 1
  Tensor<Scalar> cross_embeds;  ///< [B, E], rows of length 1
  std::optional<Scalar> loss;   ///< with return_loss
};

}  // namespace bridgetower

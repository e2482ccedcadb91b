#pragma once

#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/attention.hpp>
#include <cstdint>
#include <optional>
#include <vector>

namespace bridgetower {

/// What the fusion needs of one image. Information flows from the towers to the cross-modal layers
/// and never back, so a state serves any number of texts.
template <class Scalar>
struct ImageState {
  /// Per cross-modal layer what it takes from the tower, [P, D]: projected, type row added; the
  /// first one normed.
  std::vector<Tensor<Scalar>> layers;
  Tensor<Scalar> attended_own;  ///< [P, D]: the first cross-modal layer's part without the text
  Tensor<Scalar> cls;           ///< [1, D]: first row of the last projection
  std::uint64_t model = 0;      ///< BridgeTowerModel::fingerprint of the model that made it
  std::vector<Tensor<Scalar>> hidden_states;  ///< only where asked for: [P, D of the vision tower]
};

/// What the fusion needs of one text.
template <class Scalar>
struct TextState {
  std::vector<Tensor<Scalar>> layers;  ///< as an ImageState's, [L, D]
  Tensor<Scalar> attended_own;  ///< [L, D]: the first cross-modal layer's part without the image
  Tensor<Scalar> cls;           ///< first row of the last text layer, [1, D of the text tower]
  std::optional<ops::KeyList> attended;       ///< rows that may be attended to; absent: all
  std::uint64_t model = 0;                    ///< as an ImageState's
  std::vector<Tensor<Scalar>> hidden_states;  ///< only where asked for: [L, D of the text tower]
};

/// One image and one text to fuse; both outlive the call.
template <class Scalar>
struct StatePair {
  const ImageState<Scalar>* image;
  const TextState<Scalar>* text;
};

/// What is wanted of a fusion; the rest is not computed.
struct Wanted {
  bool text_features = false;   ///< every text row of the last layer
  bool image_features = false;  ///< every image row of the last layer
  bool pooler_output = false;
  bool hidden_states = false;     ///< implies both features
  bool attentions = false;        ///< implies both features
  bool cross_attentions = false;  ///< from the text to the image; implies text_features
  ops::KeyList text_rows;         ///< these text rows of the last layer, where not all are wanted

  bool all_text() const noexcept {
    return text_features || hidden_states || attentions || cross_attentions ||
           (pooler_output && !text_rows.empty());
  }
  bool all_image() const noexcept { return image_features || hidden_states || attentions; }
};

/// One text fused with one image.
template <class Scalar>
struct FusedState {
  Tensor<Scalar> text;   ///< the wanted rows [.., D]; [1, D] where only the pooler wanted it
  Tensor<Scalar> image;  ///< [P, D], or [1, D] where only the pooler wanted it
  Tensor<Scalar> pooler_output;                                   ///< [1, 2D]
  std::vector<Tensor<Scalar>> text_states, image_states;          ///< after each layer
  std::vector<Tensor<Scalar>> text_attentions, image_attentions;  ///< of each layer, [H, N, N]
  std::vector<Tensor<Scalar>> text_cross_attentions;              ///< of each layer, [H, L, P]
};

}  // namespace bridgetower

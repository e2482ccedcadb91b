#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/batch_encoding.hpp>
#include <bridgetower/core/limits.hpp>
#include <bridgetower/core/tensor.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace bridgetower {

/// The arguments of forward, under Hugging Face's names. Absent tensors are not given.
template <class Scalar>
struct ForwardInputs {
  ForwardInputs() = default;

  /// What a processor made: input_ids, attention_mask, pixel_values, pixel_mask.
  explicit ForwardInputs(const BatchEncoding& encoding)
      : input_ids(encoding.input_ids),
        attention_mask(encoding.attention_mask),
        pixel_values(encoding.pixel_values.template cast<Scalar>()),
        pixel_mask(encoding.pixel_mask) {}

  std::optional<Tensor<std::int64_t>> input_ids;       ///< [B, L], required
  std::optional<Tensor<std::int64_t>> attention_mask;  ///< [B, L]; 0 hides a token; default all 1
  std::optional<Tensor<std::int64_t>> token_type_ids;  ///< taken and ignored, as in HF
  std::optional<Tensor<Scalar>>
      pixel_values;  ///< [B, C, height, width]; required without image_embeds
  std::optional<Tensor<std::int64_t>> pixel_mask;  ///< taken and ignored, as in HF
  std::optional<Tensor<Scalar>>
      inputs_embeds;  ///< ignored beside input_ids; refused alone, as in HF
  /// [B, P, D of the vision tower]: the first block's input, instead of pixel_values.
  std::optional<Tensor<Scalar>> image_embeds;
  std::int64_t image_token_type_idx = 1;  ///< 0 means 1, as in HF; nothing else exists
  bool interpolate_pos_encoding = false;  ///< allow images of another size than the model's
  /// ITM: [B], 0 or 1. MLM: [B, L], token ids. -100: not counted. The base model ignores them.
  std::optional<Tensor<std::int64_t>> labels;
  bool return_loss = false;  ///< ITC only
  bool output_hidden_states = false;
  bool output_attentions = false;
  std::int64_t max_batch = Limits().batch;  ///< LimitError beyond

  std::int64_t batch() const { return input_ids->dim(0); }
  std::int64_t length() const { return input_ids->dim(1); }
  std::int64_t images() const { return image_embeds ? image_embeds->dim(0) : pixel_values->dim(0); }

  /// Throws InputError or ShapeError for what a model of this configuration cannot take; the other
  /// two look at one side only.
  /// All throw LimitError for more than max_batch items.
  void check(const BridgeTowerConfig& config) const;
  void check_text() const;
  void check_image(const BridgeTowerConfig& config) const;
};

namespace detail {

inline void check_shape(const char* argument, const Shape& got, const Shape& expected) {
  if (got != expected) throw ShapeError(argument, "shape", to_string(expected), to_string(got));
}

/// Rank and emptiness; `form` describes the axes.
inline void check_rank(const char* argument, const Shape& got, std::size_t rank, const char* form) {
  if (got.size() != rank || element_count(got) == 0) {
    throw ShapeError(argument, "shape", std::string(form) + ", none of them 0", to_string(got));
  }
}

inline void check_batch(const char* argument, std::int64_t items, std::int64_t most) {
  if (items <= most) return;
  throw LimitError(argument, "batch", "at most " + std::to_string(most), std::to_string(items));
}

inline void check_item(std::int64_t b, std::int64_t batch) {
  if (b >= 0 && b < batch) return;
  throw InputError("inputs", "item", "0 to " + std::to_string(batch - 1), std::to_string(b));
}

}  // namespace detail

template <class Scalar>
void ForwardInputs<Scalar>::check_text() const {
  if (!input_ids) {
    throw InputError("input_ids",
                     inputs_embeds ? "missing; inputs_embeds cannot replace them" : "missing");
  }
  detail::check_rank("input_ids", input_ids->shape(), 2, "[batch, tokens]");
  detail::check_batch("input_ids", batch(), max_batch);
  if (attention_mask) {
    detail::check_shape("attention_mask", attention_mask->shape(), input_ids->shape());
  }
}

template <class Scalar>
void ForwardInputs<Scalar>::check_image(const BridgeTowerConfig& config) const {
  if (image_embeds) {
    detail::check_rank("image_embeds", image_embeds->shape(), 3, "[batch, positions, hidden]");
    detail::check_shape(
        "image_embeds", image_embeds->shape(),
        {image_embeds->dim(0), image_embeds->dim(1), config.vision_config.hidden_size});
  } else if (pixel_values) {
    detail::check_rank("pixel_values", pixel_values->shape(), 4,
                       "[batch, channels, height, width]");
    detail::check_shape("pixel_values", pixel_values->shape(),
                        {pixel_values->dim(0), config.vision_config.num_channels,
                         pixel_values->dim(2), pixel_values->dim(3)});
  } else {
    throw InputError("pixel_values", "missing, and image_embeds too");
  }
  detail::check_batch(image_embeds ? "image_embeds" : "pixel_values", images(), max_batch);
  if (image_token_type_idx != 0 && image_token_type_idx != 1) {
    throw InputError("image_token_type_idx", "value", "0 or 1",
                     std::to_string(image_token_type_idx));
  }
}

template <class Scalar>
void ForwardInputs<Scalar>::check(const BridgeTowerConfig& config) const {
  check_text();
  check_image(config);
  if (images() != batch()) {
    throw ShapeError("input_ids", "texts, one for each image", std::to_string(images()),
                     std::to_string(batch()));
  }
}

}  // namespace bridgetower

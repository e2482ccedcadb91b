#pragma once

#include <algorithm>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/model/model_output.hpp>
#include <bridgetower/model/states.hpp>
#include <cstdint>
#include <vector>

namespace bridgetower::detail {

/// Item b of [batch, item's shape], which the first item creates.
template <class Scalar>
void set_item(Tensor<Scalar>& all, std::int64_t batch, std::int64_t b, const Tensor<Scalar>& item) {
  if (b == 0) {
    Shape shape = item.shape();
    shape.insert(shape.begin(), batch);
    all = Tensor<Scalar>::uninitialized(std::move(shape));
  }
  std::copy(item.begin(), item.end(), all.data() + static_cast<std::size_t>(b) * item.size());
}

/// Item b of [P, batch, D], the order of HF's image hidden states; item [P, D].
template <class Scalar>
void set_column(Tensor<Scalar>& all, std::int64_t batch, std::int64_t b,
                const Tensor<Scalar>& item) {
  const std::int64_t rows = item.dim(0);
  const std::int64_t width = item.dim(1);
  if (b == 0) all = Tensor<Scalar>::uninitialized({rows, batch, width});
  for (std::int64_t row = 0; row < rows; ++row) {
    std::copy_n(item.data() + row * width, width, all.data() + (row * batch + b) * width);
  }
}

template <class Scalar, class Set>
void set_items(std::vector<Tensor<Scalar>>& all, std::int64_t batch, std::int64_t b,
               const std::vector<Tensor<Scalar>>& items, const Set& set) {
  all.resize(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) set(all[i], batch, b, items[i]);
}

/// Puts one item's states and attentions where HF returns them.
template <class Scalar>
void collect_item(CommonOutput<Scalar>& out, std::int64_t batch, std::int64_t b,
                  const ImageState<Scalar>& image, const TextState<Scalar>& text,
                  const FusedState<Scalar>& fused, const Wanted& wanted) {
  if (wanted.hidden_states) {
    if (!out.hidden_states) out.hidden_states.emplace();
    set_items(out.hidden_states->text, batch, b, text.hidden_states, set_item<Scalar>);
    set_items(out.hidden_states->image, batch, b, image.hidden_states, set_column<Scalar>);
    set_items(out.hidden_states->cross_text, batch, b, fused.text_states, set_item<Scalar>);
    set_items(out.hidden_states->cross_image, batch, b, fused.image_states, set_item<Scalar>);
  }
  if (wanted.attentions) {
    if (!out.attentions) out.attentions.emplace();
    set_items(out.attentions->text, batch, b, fused.text_attentions, set_item<Scalar>);
    set_items(out.attentions->image, batch, b, fused.image_attentions, set_item<Scalar>);
  }
}

}  // namespace bridgetower::detail

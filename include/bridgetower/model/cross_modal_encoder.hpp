#pragma once

#include <algorithm>
#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/encoders/cross_modal/cross_modal_stream.hpp>
#include <bridgetower/model/detail/check_state.hpp>
#include <bridgetower/model/detail/stack.hpp>
#include <bridgetower/model/states.hpp>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace bridgetower {

/// The cross-modal layers over pairs of states: the second half of HF's BridgeTowerModel.forward.
template <class Scalar>
class CrossModalEncoder {
 public:
  /// `root` is the model's.
  CrossModalEncoder(const BridgeTowerConfig& config, const WeightView<Scalar>& root)
      : CrossModalEncoder(config, root,
                          root.tensor("token_type_embeddings.weight", {2, config.hidden_size})) {}

  const CrossModalStream<Scalar>& text() const noexcept { return text_; }
  const CrossModalStream<Scalar>& image() const noexcept { return image_; }

  /// Pairs, layer by layer, so that a layer's weights serve all of them. The states are checked
  /// (BridgeTowerModel::check). Throws InputError for wanted rows that a text does not have.
  std::vector<FusedState<Scalar>> fuse(const std::vector<StatePair<Scalar>>& pairs,
                                       const Wanted& wanted) const;

 private:
  using Pairs = std::vector<StatePair<Scalar>>;
  using Probabilities = std::vector<Tensor<Scalar>>;

  CrossModalEncoder(const BridgeTowerConfig& config, const WeightView<Scalar>& root,
                    const Tensor<Scalar>& token_types)
      : config_(config),
        text_(config, root, "text", config.text_config.hidden_size, token_types, 0),
        image_(config, root, "image", config.vision_config.hidden_size, token_types, 1) {}

  void pool(const Sequences<Scalar>& text, const Sequences<Scalar>& image,
            std::vector<FusedState<Scalar>>& out) const;

  BridgeTowerConfig config_;
  CrossModalStream<Scalar> text_;
  CrossModalStream<Scalar> image_;
};

namespace detail {

/// What `get` takes of every pair's text, or image, one below the other.
template <class Scalar, class Get>
Sequences<Scalar> texts_of(const std::vector<StatePair<Scalar>>& pairs, const Get& get) {
  Sequences<Scalar> out = stack_of(
      pairs, [&](const StatePair<Scalar>& pair) -> const auto& { return get(*pair.text); });
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].text->attended) out.items[i].attended = &*pairs[i].text->attended;
  }
  return out;
}

template <class Scalar, class Get>
Sequences<Scalar> images_of(const std::vector<StatePair<Scalar>>& pairs, const Get& get) {
  return stack_of(
      pairs, [&](const StatePair<Scalar>& pair) -> const auto& { return get(*pair.image); });
}

}  // namespace detail

template <class Scalar>
std::vector<FusedState<Scalar>> CrossModalEncoder<Scalar>::fuse(const Pairs& pairs,
                                                                const Wanted& wanted) const {
  for (const StatePair<Scalar>& pair : pairs) {
    detail::check_text_rows(wanted.text_rows, *pair.text);
  }
  std::vector<FusedState<Scalar>> out(pairs.size());
  if (pairs.empty()) return out;

  // Of the last layer the heads read some rows only; of the others every row is needed.
  const ops::KeyList first_row = wanted.pooler_output ? ops::KeyList{0} : ops::KeyList{};
  const ops::KeyList last_text = wanted.text_rows.empty() ? first_row : wanted.text_rows;
  const auto rows_of = [](bool all, const ops::KeyList& some) {
    return all ? std::nullopt : std::optional<ops::KeyList>(some);
  };

  const auto own = [](const auto& state) -> const auto& { return state.attended_own; };
  Tensor<Scalar> own_text = detail::texts_of(pairs, own).rows;
  Tensor<Scalar> own_image = detail::images_of(pairs, own).rows;
  Sequences<Scalar> t, m;                 // what a layer takes
  Sequences<Scalar> text_out, image_out;  // what it gives
  const auto layers = static_cast<std::size_t>(config_.num_hidden_layers);
  for (std::size_t j = 0; j < layers; ++j) {
    const auto layer = [j](const auto& state) -> const auto& { return state.layers[j]; };
    t = detail::texts_of(pairs, layer);
    m = detail::images_of(pairs, layer);
    if (j > 0) {
      t.rows = text_.link(j, std::move(t.rows), text_out.rows);
      m.rows = image_.link(j, std::move(m.rows), image_out.rows);
    }
    const bool last = j + 1 == layers;
    Probabilities of_text, of_image, of_cross;
    text_out = text_.run(
        j, t, m, rows_of(!last || wanted.all_text(), last_text), j == 0 ? &own_text : nullptr,
        {wanted.attentions ? &of_text : nullptr, wanted.cross_attentions ? &of_cross : nullptr});
    image_out = image_.run(j, m, t, rows_of(!last || wanted.all_image(), first_row),
                           j == 0 ? &own_image : nullptr,
                           {wanted.attentions ? &of_image : nullptr, nullptr});
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (wanted.attentions) {
        out[i].text_attentions.push_back(std::move(of_text[i]));
        out[i].image_attentions.push_back(std::move(of_image[i]));
      }
      if (wanted.cross_attentions) out[i].text_cross_attentions.push_back(std::move(of_cross[i]));
      if (wanted.hidden_states) {
        out[i].text_states.push_back(text_out.item(i));
        out[i].image_states.push_back(image_out.item(i));
      }
    }
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!text_out.items.empty()) out[i].text = text_out.item(i);
    if (!image_out.items.empty()) out[i].image = image_out.item(i);
  }
  if (wanted.pooler_output) pool(text_out, image_out, out);
  return out;
}

template <class Scalar>
void CrossModalEncoder<Scalar>::pool(const Sequences<Scalar>& text, const Sequences<Scalar>& image,
                                     std::vector<FusedState<Scalar>>& out) const {
  const Tensor<Scalar> of_text = text_.pool(text.select({0}).rows);
  const Tensor<Scalar> of_image = image_.pool(image.select({0}).rows);
  const std::int64_t size = config_.hidden_size;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].pooler_output = Tensor<Scalar>::uninitialized({1, 2 * size});
    const auto offset = static_cast<std::int64_t>(i) * size;
    Scalar* const target = out[i].pooler_output.data();
    std::copy_n(of_image.data() + offset, size, std::copy_n(of_text.data() + offset, size, target));
  }
}

BRIDGETOWER_EXTERN_TEMPLATE(CrossModalEncoder);

}  // namespace bridgetower

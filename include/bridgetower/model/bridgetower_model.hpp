#pragma once

#include <algorithm>
#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/load_options.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/encoders/cross_modal/bert_cross_layer.hpp>
#include <bridgetower/encoders/cross_modal/link_tower.hpp>
#include <bridgetower/encoders/text/text_model.hpp>
#include <bridgetower/encoders/vision/vision_model.hpp>
#include <bridgetower/layers/pooler.hpp>
#include <bridgetower/model/detail/batch.hpp>
#include <bridgetower/model/detail/check_state.hpp>
#include <bridgetower/model/detail/collect.hpp>
#include <bridgetower/model/detail/stack.hpp>
#include <bridgetower/model/forward_inputs.hpp>
#include <bridgetower/model/model_output.hpp>
#include <bridgetower/model/states.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bridgetower {

/// Two towers and the cross-modal layers that bridge them. HF: BridgeTowerModel.
///
/// Every task is a composition of encode_image, encode_text and fuse, one item at a time: an item's
/// bits depend on nothing beside it. Immutable; every call may run from any thread.
template <class Scalar>
class BridgeTowerModel {
 public:
  /// Reads a model in Hugging Face layout: a directory, or ORG/NAME of one in the Hugging Face
  /// cache (core/hub_cache.hpp). Throws IoError, FormatError, ConfigError, WeightError or
  /// LimitError. Defined in pipeline/from_pretrained.hpp.
  static BridgeTowerModel from_pretrained(const std::filesystem::path& model,
                                          const LoadOptions& options = {});

  /// `weights` is the checkpoint's root. See model/load.hpp for the usual way.
  BridgeTowerModel(const BridgeTowerConfig& config, const WeightView<Scalar>& weights,
                   std::shared_ptr<ThreadPool> threads);

  const BridgeTowerConfig& config() const noexcept { return config_; }
  ThreadPool* threads() const noexcept { return threads_.get(); }
  const BridgeTowerTextEmbeddings<Scalar>& text_embeddings() const noexcept {
    return text_model_.embeddings();
  }

  /// The whole batch; throws InputError or ShapeError for inputs the model cannot take.
  BridgeTowerModelOutput<Scalar> forward(const ForwardInputs<Scalar>& inputs) const;
  BridgeTowerModelOutput<Scalar> forward(const BatchEncoding& inputs) const {
    return forward(ForwardInputs<Scalar>(inputs));
  }

  /// Item `b`. Throws InputError or ShapeError for inputs the model cannot take.
  ImageState<Scalar> encode_image(const ForwardInputs<Scalar>& inputs, std::int64_t b) const;

  /// Items, their rows in one matrix; throws likewise. Without `all_rows`, tokens that nobody may
  /// attend to are left out, except the first, which the heads read.
  std::vector<TextState<Scalar>> encode_texts(const ForwardInputs<Scalar>& inputs,
                                              const std::vector<std::int64_t>& items,
                                              bool all_rows) const;
  TextState<Scalar> encode_text(const ForwardInputs<Scalar>& inputs, std::int64_t b,
                                bool all_rows) const {
    return std::move(encode_texts(inputs, {b}, all_rows).front());
  }

  /// What the contrastive head reads of one side, without the rest: [1, D] of item `b`, and [items,
  /// D of the text tower]. Both throw likewise.
  Tensor<Scalar> encode_image_cls(const ForwardInputs<Scalar>& inputs, std::int64_t b) const;
  Tensor<Scalar> encode_text_cls(const ForwardInputs<Scalar>& inputs,
                                 const std::vector<std::int64_t>& items) const;

  /// Pairs, layer by layer, so that a layer's weights serve all of them. Throws InputError when the
  /// states are not of a model like this one.
  std::vector<FusedState<Scalar>> fuse(const std::vector<StatePair<Scalar>>& pairs,
                                       const Wanted& wanted) const;
  FusedState<Scalar> fuse(const ImageState<Scalar>& image, const TextState<Scalar>& text,
                          const Wanted& wanted) const {
    return std::move(fuse({{&image, &text}}, wanted).front());
  }

  /// Encodes and fuses item by item, equal images and equal texts once; calls visit(item, image
  /// state, text state, fused state) for each, and collects the hidden states and attentions that
  /// the inputs ask for. What the heads are made of.
  template <class Visit>
  CommonOutput<Scalar> run_batch(const ForwardInputs<Scalar>& inputs, Wanted wanted,
                                 const Visit& visit) const;

 private:
  using CrossLayer = BridgeTowerBertCrossLayer<Scalar>;
  using Pairs = std::vector<StatePair<Scalar>>;

  /// Text layers (and vision blocks) that run before the first cross-modal layer.
  std::int64_t first_link() const {
    return config_.text_config.num_hidden_layers - config_.num_hidden_layers + 1;
  }

  /// Texts on their way through the tower, and which rows of each may be attended to.
  struct TextRows {
    std::vector<std::optional<ops::KeyList>> attended;
    Sequences<Scalar> x;
  };
  TextRows embed_texts(const ForwardInputs<Scalar>& inputs, const std::vector<std::int64_t>& items,
                       bool all_rows) const;
  Tensor<Scalar> embed_image(const ForwardInputs<Scalar>& inputs, std::int64_t b) const;

  static const Linear<Scalar>& transform(const std::vector<Linear<Scalar>>& transforms,
                                         std::int64_t link) {
    return transforms[transforms.size() == 1 ? 0 : static_cast<std::size_t>(link)];
  }
  Tensor<Scalar> image_link(const Tensor<Scalar>& state, std::int64_t link) const {
    return transform(cross_modal_image_transform_, link).forward(vision_model_.forward_post(state));
  }

  /// One layer of one modality; of its output the chosen rows, or all.
  Sequences<Scalar> run_layer(const CrossLayer& layer, const Sequences<Scalar>& own,
                              const Sequences<Scalar>& other,
                              const std::optional<ops::KeyList>& chosen,
                              const Tensor<Scalar>* attended_own,
                              std::vector<Tensor<Scalar>>* probabilities) const;
  void pool(const Sequences<Scalar>& text, const Sequences<Scalar>& image,
            std::vector<FusedState<Scalar>>& out) const;

  BridgeTowerConfig config_;
  std::shared_ptr<ThreadPool> threads_;
  BridgeTowerVisionModel<Scalar> vision_model_;
  BridgeTowerTextModel<Scalar> text_model_;
  // One, or one a link where not shared; the rows of "token_type_embeddings" are in their biases.
  std::vector<Linear<Scalar>> cross_modal_text_transform_;
  std::vector<Linear<Scalar>> cross_modal_image_transform_;
  LayerNorm<Scalar> cross_modal_text_layernorm_;
  LayerNorm<Scalar> cross_modal_image_layernorm_;
  std::vector<BridgeTowerLinkTower<Scalar>> cross_modal_text_link_tower_;
  std::vector<BridgeTowerLinkTower<Scalar>> cross_modal_image_link_tower_;
  std::vector<CrossLayer> cross_modal_text_layers_;
  std::vector<CrossLayer> cross_modal_image_layers_;
  BridgeTowerPooler<Scalar> cross_modal_text_pooler_;
  BridgeTowerPooler<Scalar> cross_modal_image_pooler_;
};

template <class Scalar>
BridgeTowerModel<Scalar>::BridgeTowerModel(const BridgeTowerConfig& config,
                                           const WeightView<Scalar>& weights,
                                           std::shared_ptr<ThreadPool> threads)
    : config_(config),
      threads_(std::move(threads)),
      vision_model_(config.vision_config, weights / "bridgetower" / "vision_model"),
      text_model_(config.text_config, weights / "bridgetower" / "text_model"),
      cross_modal_text_layernorm_(weights / "bridgetower" / "cross_modal_text_layernorm",
                                  config.hidden_size, config.layer_norm_eps),
      cross_modal_image_layernorm_(weights / "bridgetower" / "cross_modal_image_layernorm",
                                   config.hidden_size, config.layer_norm_eps),
      cross_modal_text_pooler_(weights / "bridgetower" / "cross_modal_text_pooler",
                               config.hidden_size),
      cross_modal_image_pooler_(weights / "bridgetower" / "cross_modal_image_pooler",
                                config.hidden_size) {
  const WeightView<Scalar> root = weights / "bridgetower";
  const VisionConfig& vision = config.vision_config;
  const std::int64_t blocks = vision.num_hidden_layers - (vision.remove_last_layer ? 1 : 0);
  for (std::int64_t i = 0; i < std::min(blocks, config.text_config.num_hidden_layers); ++i) {
    vision_model_.add_block(vision, root / "vision_model");
  }

  const WeightView<Scalar> text_transform = root / "cross_modal_text_transform";
  const WeightView<Scalar> image_transform = root / "cross_modal_image_transform";
  const bool shared = config.share_cross_modal_transformer_layers;
  const Tensor<Scalar> token_types =
      root.tensor("token_type_embeddings.weight", {2, config.hidden_size});
  for (std::int64_t i = 0; i < (shared ? 1 : config.num_hidden_layers); ++i) {
    cross_modal_text_transform_.emplace_back(shared ? text_transform : text_transform / i,
                                             config.hidden_size, config.text_config.hidden_size);
    cross_modal_text_transform_.back().add_to_bias(token_types, 0);
    cross_modal_image_transform_.emplace_back(shared ? image_transform : image_transform / i,
                                              config.hidden_size, vision.hidden_size);
    cross_modal_image_transform_.back().add_to_bias(token_types, 1);
  }
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    cross_modal_text_layers_.emplace_back(config.text_config, root / "cross_modal_text_layers" / i);
    cross_modal_image_layers_.emplace_back(config.text_config,
                                           root / "cross_modal_image_layers" / i);
    if (i == 0) continue;
    cross_modal_text_link_tower_.emplace_back(config,
                                              root / "cross_modal_text_link_tower" / (i - 1));
    cross_modal_image_link_tower_.emplace_back(config,
                                               root / "cross_modal_image_link_tower" / (i - 1));
  }
}

template <class Scalar>
Tensor<Scalar> BridgeTowerModel<Scalar>::embed_image(const ForwardInputs<Scalar>& inputs,
                                                     std::int64_t b) const {
  inputs.check_image(config_);
  detail::check_item(b, inputs.images());
  if (inputs.image_embeds) return inputs.image_embeds->row(b);
  const Tensor<Scalar>& pixels = *inputs.pixel_values;
  return vision_model_.forward_pre(
      pixels.data() + b * pixels.dim(1) * pixels.dim(2) * pixels.dim(3), pixels.dim(2),
      pixels.dim(3), inputs.interpolate_pos_encoding);
}

template <class Scalar>
ImageState<Scalar> BridgeTowerModel<Scalar>::encode_image(const ForwardInputs<Scalar>& inputs,
                                                          std::int64_t b) const {
  const ParallelScope scope(threads());
  ImageState<Scalar> state;
  Tensor<Scalar> x = embed_image(inputs, b);
  if (inputs.output_hidden_states) state.hidden_states.push_back(x);
  const auto& blocks = vision_model_.blocks();
  const std::int64_t layers = config_.text_config.num_hidden_layers;
  for (std::int64_t done = 0; done <= layers; ++done) {
    if (done >= first_link()) state.layers.push_back(image_link(x, done - first_link()));
    // With one cross-modal layer HF tolerates a vision tower that is a block short.
    if (done == layers || static_cast<std::size_t>(done) >= blocks.size()) continue;
    x = blocks[static_cast<std::size_t>(done)].forward(x);
    if (inputs.output_hidden_states) state.hidden_states.push_back(x);
  }
  state.cls = detail::first_row(state.layers.back());
  auto first = Sequences<Scalar>::single(cross_modal_image_layernorm_.forward(state.layers[0]));
  state.attended_own = cross_modal_image_layers_[0].attend_own(first, first);
  state.layers[0] = std::move(first.rows);
  return state;
}

template <class Scalar>
Tensor<Scalar> BridgeTowerModel<Scalar>::encode_image_cls(const ForwardInputs<Scalar>& inputs,
                                                          std::int64_t b) const {
  const ParallelScope scope(threads());
  Tensor<Scalar> x = embed_image(inputs, b);
  const auto& blocks = vision_model_.blocks();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    x = i + 1 < blocks.size() ? blocks[i].forward(x) : blocks[i].forward_first(x);
  }
  return image_link(detail::first_row(x), config_.num_hidden_layers - 1);
}

template <class Scalar>
typename BridgeTowerModel<Scalar>::TextRows BridgeTowerModel<Scalar>::embed_texts(
    const ForwardInputs<Scalar>& inputs, const std::vector<std::int64_t>& items,
    bool all_rows) const {
  inputs.check_text();
  for (const std::int64_t b : items) detail::check_item(b, inputs.batch());
  const std::int64_t length = inputs.length();
  TextRows out;
  out.attended.resize(items.size());
  std::vector<Tensor<Scalar>> parts;
  for (std::size_t n = 0; n < items.size(); ++n) {
    const std::int64_t* const mask =
        inputs.attention_mask ? inputs.attention_mask->data() + items[n] * length : nullptr;
    const std::int64_t hidden = mask == nullptr ? 0 : std::count(mask, mask + length, 0);
    std::vector<std::int64_t> kept;
    if (hidden > 0) out.attended[n].emplace();
    for (std::int64_t i = 0; i < length; ++i) {
      const bool attended = hidden == 0 || mask[i] != 0;
      if (hidden > 0 && attended) {
        out.attended[n]->push_back(static_cast<std::int64_t>(kept.size()));
      }
      // Where all are hidden HF attends to all alike, so all are needed.
      if (attended || all_rows || i == 0 || hidden == length) kept.push_back(i);
    }
    parts.push_back(text_model_.embeddings().forward(inputs.input_ids->data() + items[n] * length,
                                                     length, kept));
  }
  out.x = detail::stack(parts);
  for (std::size_t n = 0; n < items.size(); ++n) {
    if (out.attended[n]) out.x.items[n].attended = &*out.attended[n];
  }
  return out;
}

template <class Scalar>
std::vector<TextState<Scalar>> BridgeTowerModel<Scalar>::encode_texts(
    const ForwardInputs<Scalar>& inputs, const std::vector<std::int64_t>& items,
    bool all_rows) const {
  const ParallelScope scope(threads());
  std::vector<TextState<Scalar>> states(items.size());
  if (items.empty()) return states;
  TextRows text = embed_texts(inputs, items, all_rows);
  Sequences<Scalar>& x = text.x;
  const auto give = [&states](const Sequences<Scalar>& rows, auto member) {
    for (std::size_t n = 0; n < states.size(); ++n) (states[n].*member).push_back(rows.item(n));
  };
  const auto add_link = [&](std::int64_t link) {
    if (link < 0) return;
    Sequences<Scalar> rows{transform(cross_modal_text_transform_, link).forward(x.rows), x.items};
    if (link > 0) return give(rows, &TextState<Scalar>::layers);
    rows.rows = cross_modal_text_layernorm_.forward(rows.rows);
    give(rows, &TextState<Scalar>::layers);
    rows.rows = cross_modal_text_layers_[0].attend_own(rows, rows);
    for (std::size_t n = 0; n < states.size(); ++n) states[n].attended_own = rows.item(n);
  };
  if (inputs.output_hidden_states) give(x, &TextState<Scalar>::hidden_states);
  std::int64_t link = -first_link();
  add_link(link);
  for (const BridgeTowerTextLayer<Scalar>& layer : text_model_.layers()) {
    x.rows = layer.forward(x);
    if (inputs.output_hidden_states) give(x, &TextState<Scalar>::hidden_states);
    add_link(++link);
  }
  for (std::size_t n = 0; n < states.size(); ++n) {
    states[n].cls = detail::first_row(x.item(n));
    states[n].attended = std::move(text.attended[n]);
  }
  return states;
}

template <class Scalar>
Tensor<Scalar> BridgeTowerModel<Scalar>::encode_text_cls(
    const ForwardInputs<Scalar>& inputs, const std::vector<std::int64_t>& items) const {
  const ParallelScope scope(threads());
  TextRows text = embed_texts(inputs, items, false);
  const auto& layers = text_model_.layers();
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) text.x.rows = layers[i].forward(text.x);
  const Sequences<Scalar> first = text.x.select({0});
  return layers.empty() ? first.rows : layers.back().forward(first, text.x);
}

template <class Scalar>
Sequences<Scalar> BridgeTowerModel<Scalar>::run_layer(
    const CrossLayer& layer, const Sequences<Scalar>& own, const Sequences<Scalar>& other,
    const std::optional<ops::KeyList>& chosen, const Tensor<Scalar>* attended_own,
    std::vector<Tensor<Scalar>>* probabilities) const {
  Sequences<Scalar> out;
  if (chosen && chosen->empty()) return out;
  if (attended_own != nullptr && probabilities == nullptr) {
    out = {*attended_own, own.items};
    if (chosen) out = out.select(*chosen);
  } else {
    std::optional<Sequences<Scalar>> some;
    if (chosen) some = own.select(*chosen);
    const Sequences<Scalar>& rows = some ? *some : own;
    out = {layer.attend_own(rows, own, probabilities), rows.items};
  }
  out.rows = layer.attend_other(out, other);
  return out;
}

template <class Scalar>
std::vector<FusedState<Scalar>> BridgeTowerModel<Scalar>::fuse(const Pairs& pairs,
                                                               const Wanted& wanted) const {
  for (const StatePair<Scalar>& pair : pairs) {
    detail::check_state("image state", *pair.image, config_);
    detail::check_state("text state", *pair.text, config_);
    detail::check_text_rows(wanted.text_rows, *pair.text);
  }
  std::vector<FusedState<Scalar>> out(pairs.size());
  if (pairs.empty()) return out;
  const ParallelScope scope(threads());

  const auto images = [&pairs](const auto& tensor) {
    return detail::stack_of(
        pairs, [&](const auto& pair) -> const auto& { return tensor(*pair.image); });
  };
  const auto texts = [&pairs](const auto& tensor) {
    return detail::stack_of(
        pairs, [&](const auto& pair) -> const auto& { return tensor(*pair.text); });
  };
  const auto layer = [](std::size_t j) {
    return [j](const auto& state) -> const auto& { return state.layers[j]; };
  };
  const auto attended_own = [](const auto& state) -> const auto& { return state.attended_own; };

  // Of the last layer the heads read some rows only; of the others every row is needed.
  const ops::KeyList first_row = wanted.pooler_output ? ops::KeyList{0} : ops::KeyList{};
  std::optional<ops::KeyList> last_text, last_image;
  if (!wanted.all_text()) last_text = wanted.text_rows.empty() ? first_row : wanted.text_rows;
  if (!wanted.all_image()) last_image = first_row;

  Sequences<Scalar> t = texts(layer(0)), m = images(layer(0));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].text->attended) t.items[i].attended = &*pairs[i].text->attended;
  }
  Sequences<Scalar> text_out, image_out;
  const std::size_t last = cross_modal_text_layers_.size() - 1;
  for (std::size_t j = 0; j <= last; ++j) {
    if (j > 0) {
      t.rows = cross_modal_text_link_tower_[j - 1].forward(texts(layer(j)).rows, text_out.rows);
      m.rows = cross_modal_image_link_tower_[j - 1].forward(images(layer(j)).rows, image_out.rows);
    }
    Tensor<Scalar> own_text, own_image;
    if (j == 0) own_text = texts(attended_own).rows, own_image = images(attended_own).rows;
    std::vector<Tensor<Scalar>> text_attention, image_attention;
    text_out =
        run_layer(cross_modal_text_layers_[j], t, m, j < last ? std::nullopt : last_text,
                  j == 0 ? &own_text : nullptr, wanted.attentions ? &text_attention : nullptr);
    image_out =
        run_layer(cross_modal_image_layers_[j], m, t, j < last ? std::nullopt : last_image,
                  j == 0 ? &own_image : nullptr, wanted.attentions ? &image_attention : nullptr);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (wanted.attentions) {
        out[i].text_attentions.push_back(std::move(text_attention[i]));
        out[i].image_attentions.push_back(std::move(image_attention[i]));
      }
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
void BridgeTowerModel<Scalar>::pool(const Sequences<Scalar>& text, const Sequences<Scalar>& image,
                                    std::vector<FusedState<Scalar>>& out) const {
  const Tensor<Scalar> text_pooled = cross_modal_text_pooler_.forward(text.select({0}).rows);
  const Tensor<Scalar> image_pooled = cross_modal_image_pooler_.forward(image.select({0}).rows);
  const std::int64_t size = config_.hidden_size;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].pooler_output = Tensor<Scalar>::uninitialized({1, 2 * size});
    const auto offset = static_cast<std::int64_t>(i) * size;
    Scalar* const target =
        std::copy_n(text_pooled.data() + offset, size, out[i].pooler_output.data());
    std::copy_n(image_pooled.data() + offset, size, target);
  }
}

template <class Scalar>
template <class Visit>
CommonOutput<Scalar> BridgeTowerModel<Scalar>::run_batch(const ForwardInputs<Scalar>& inputs,
                                                         Wanted wanted, const Visit& visit) const {
  inputs.check(config_);
  wanted.hidden_states = inputs.output_hidden_states;
  wanted.attentions = inputs.output_attentions;
  const std::vector<std::int64_t> same_image = detail::first_equal_images(inputs);
  const std::vector<std::int64_t> same_text = detail::first_equal_texts(inputs);
  const detail::Uses image_uses(same_image), text_uses(same_text);
  std::map<std::int64_t, ImageState<Scalar>> images;
  std::map<std::int64_t, TextState<Scalar>> texts;
  CommonOutput<Scalar> common;
  for (std::int64_t begin = 0; begin < inputs.batch(); begin += detail::kPairsAtOnce) {
    const std::int64_t end = std::min(inputs.batch(), begin + detail::kPairsAtOnce);
    std::vector<std::int64_t> new_texts;
    for (std::int64_t b = begin; b < end; ++b) {
      const auto i = static_cast<std::size_t>(b);
      if (images.count(same_image[i]) == 0) images[same_image[i]] = encode_image(inputs, b);
      if (texts.count(same_text[i]) != 0) continue;
      texts[same_text[i]];
      new_texts.push_back(b);
    }
    std::vector<TextState<Scalar>> encoded = encode_texts(inputs, new_texts, wanted.all_text());
    for (std::size_t n = 0; n < new_texts.size(); ++n) {
      texts[same_text[static_cast<std::size_t>(new_texts[n])]] = std::move(encoded[n]);
    }
    Pairs pairs;
    for (std::int64_t b = begin; b < end; ++b) {
      const auto i = static_cast<std::size_t>(b);
      pairs.push_back({&images[same_image[i]], &texts[same_text[i]]});
    }
    const std::vector<FusedState<Scalar>> fused = fuse(pairs, wanted);
    const ParallelScope scope(threads());
    for (std::int64_t b = begin; b < end; ++b) {
      const auto n = static_cast<std::size_t>(b - begin);
      detail::collect_item(common, inputs.batch(), b, *pairs[n].image, *pairs[n].text, fused[n],
                           wanted);
      visit(b, *pairs[n].image, *pairs[n].text, fused[n]);
    }
    image_uses.drop_unused(images, end);
    text_uses.drop_unused(texts, end);
  }
  return common;
}

template <class Scalar>
BridgeTowerModelOutput<Scalar> BridgeTowerModel<Scalar>::forward(
    const ForwardInputs<Scalar>& inputs) const {
  BridgeTowerModelOutput<Scalar> out;
  Wanted wanted;
  wanted.text_features = wanted.image_features = wanted.pooler_output = true;
  static_cast<CommonOutput<Scalar>&>(out) = run_batch(
      inputs, wanted,
      [&](std::int64_t b, const auto&, const auto&, const FusedState<Scalar>& fused) {
        detail::set_item(out.text_features, inputs.batch(), b, fused.text);
        detail::set_item(out.image_features, inputs.batch(), b, fused.image);
        detail::set_item(out.pooler_output, inputs.batch(), b, fused.pooler_output.row(0));
      });
  return out;
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerModel);

}  // namespace bridgetower

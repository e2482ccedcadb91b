#pragma once

#include <algorithm>
#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/config/config_json.hpp>
#include <bridgetower/core/fingerprint.hpp>
#include <bridgetower/core/load_options.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/encoders/text/text_model.hpp>
#include <bridgetower/encoders/vision/vision_model.hpp>
#include <bridgetower/model/cross_modal_encoder.hpp>
#include <bridgetower/model/detail/batch.hpp>
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

  /// Of the configuration and the tensors that this class reads (WeightLoader::fingerprint), so
  /// the same in every head class that is loaded from one checkpoint. States carry it.
  std::uint64_t fingerprint() const noexcept { return fingerprint_; }

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
  ImageState<Scalar> encode_image(const ForwardInputs<Scalar>& inputs, std::int64_t b) const {
    return encode_image(inputs, b, nullptr);
  }

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

  /// Throws InputError for a state that another model made, or of another shape.
  void check(const ImageState<Scalar>& state) const {
    detail::check_state("image state", state, config_, fingerprint_);
  }
  void check(const TextState<Scalar>& state) const {
    detail::check_state("text state", state, config_, fingerprint_);
  }

  /// Pairs, layer by layer, so that a layer's weights serve all of them. Throws InputError when the
  /// states are not of this model.
  std::vector<FusedState<Scalar>> fuse(const std::vector<StatePair<Scalar>>& pairs,
                                       const Wanted& wanted) const {
    for (const StatePair<Scalar>& pair : pairs) {
      check(*pair.image);
      check(*pair.text);
    }
    const CallScope scope(threads());
    return cross_modal_encoder_.fuse(pairs, wanted);
  }
  FusedState<Scalar> fuse(const ImageState<Scalar>& image, const TextState<Scalar>& text,
                          const Wanted& wanted) const {
    return std::move(fuse({{&image, &text}}, wanted).front());
  }

  /// encode_image and encode_image_cls, bit for bit, in one run of the tower.
  std::pair<ImageState<Scalar>, Tensor<Scalar>> encode_image_and_cls(
      const ForwardInputs<Scalar>& inputs, std::int64_t b) const {
    Tensor<Scalar> cls;
    ImageState<Scalar> state = encode_image(inputs, b, &cls);
    return {std::move(state), std::move(cls)};
  }

  /// Encodes and fuses item by item, equal images and equal texts once; calls visit(item, image
  /// state, text state, fused state) for each, and collects the hidden states and attentions that
  /// the inputs ask for. What the heads are made of.
  template <class Visit>
  CommonOutput<Scalar> run_batch(const ForwardInputs<Scalar>& inputs, Wanted wanted,
                                 const Visit& visit) const;

 private:
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

  /// With what encode_image_cls returns, where `cls` is not null.
  ImageState<Scalar> encode_image(const ForwardInputs<Scalar>& inputs, std::int64_t b,
                                  Tensor<Scalar>* cls) const;

  Tensor<Scalar> image_link(const Tensor<Scalar>& state, std::int64_t link) const {
    return cross_modal_encoder_.image().project(vision_model_.forward_post(state),
                                                static_cast<std::size_t>(link));
  }

  BridgeTowerConfig config_;
  std::shared_ptr<ThreadPool> threads_;
  BridgeTowerVisionModel<Scalar> vision_model_;
  BridgeTowerTextModel<Scalar> text_model_;
  CrossModalEncoder<Scalar> cross_modal_encoder_;
  std::uint64_t fingerprint_;
};

template <class Scalar>
BridgeTowerModel<Scalar>::BridgeTowerModel(const BridgeTowerConfig& config,
                                           const WeightView<Scalar>& weights,
                                           std::shared_ptr<ThreadPool> threads)
    : config_(config),
      threads_(std::move(threads)),
      vision_model_(config.vision_config, config.text_config.num_hidden_layers,
                    weights / "bridgetower" / "vision_model"),
      text_model_(config.text_config, weights / "bridgetower" / "text_model"),
      cross_modal_encoder_(config, weights / "bridgetower"),
      fingerprint_([&] {
        const std::uint64_t tensors = weights.fingerprint();
        return Fingerprint().add(to_json(config)).add(&tensors, sizeof tensors).value();
      }()) {}

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
                                                          std::int64_t b,
                                                          Tensor<Scalar>* cls) const {
  const CallScope scope(threads());
  ImageState<Scalar> state;
  state.model = fingerprint_;
  Tensor<Scalar> x = embed_image(inputs, b);
  if (inputs.output_hidden_states) state.hidden_states.push_back(x);
  const auto& blocks = vision_model_.blocks();
  const std::int64_t layers = config_.text_config.num_hidden_layers;
  Tensor<Scalar> last = blocks.empty() ? detail::first_row(x) : Tensor<Scalar>();
  for (std::int64_t done = 0; done <= layers; ++done) {
    if (done >= first_link()) state.layers.push_back(image_link(x, done - first_link()));
    // With one cross-modal layer HF tolerates a vision tower that is a block short.
    if (done == layers || static_cast<std::size_t>(done) >= blocks.size()) continue;
    const auto& block = blocks[static_cast<std::size_t>(done)];
    // One row alone is worked out in another order: its bits are not those of all rows.
    if (cls != nullptr && &block == &blocks.back()) last = block.forward_first(x);
    x = block.forward(x);
    if (inputs.output_hidden_states) state.hidden_states.push_back(x);
  }
  state.cls = detail::first_row(state.layers.back());
  if (cls != nullptr) *cls = image_link(last, config_.num_hidden_layers - 1);
  auto first = Sequences<Scalar>::single(cross_modal_encoder_.image().begin(state.layers[0]));
  state.attended_own = cross_modal_encoder_.image().attend_own(first);
  state.layers[0] = std::move(first.rows);
  return state;
}

template <class Scalar>
Tensor<Scalar> BridgeTowerModel<Scalar>::encode_image_cls(const ForwardInputs<Scalar>& inputs,
                                                          std::int64_t b) const {
  const CallScope scope(threads());
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
  const CallScope scope(threads());
  std::vector<TextState<Scalar>> states(items.size());
  if (items.empty()) return states;
  TextRows text = embed_texts(inputs, items, all_rows);
  Sequences<Scalar>& x = text.x;
  const CrossModalStream<Scalar>& stream = cross_modal_encoder_.text();
  const auto give = [&states](const Sequences<Scalar>& rows, auto member) {
    for (std::size_t n = 0; n < states.size(); ++n) (states[n].*member).push_back(rows.item(n));
  };
  const auto add_link = [&](std::int64_t link) {
    if (link < 0) return;
    Sequences<Scalar> rows{stream.project(x.rows, static_cast<std::size_t>(link)), x.items};
    if (link > 0) return give(rows, &TextState<Scalar>::layers);
    rows.rows = stream.begin(rows.rows);
    give(rows, &TextState<Scalar>::layers);
    rows.rows = stream.attend_own(rows);
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
    states[n].model = fingerprint_;
    states[n].cls = detail::first_row(x.item(n));
    states[n].attended = std::move(text.attended[n]);
  }
  return states;
}

template <class Scalar>
Tensor<Scalar> BridgeTowerModel<Scalar>::encode_text_cls(
    const ForwardInputs<Scalar>& inputs, const std::vector<std::int64_t>& items) const {
  const CallScope scope(threads());
  TextRows text = embed_texts(inputs, items, false);
  const auto& layers = text_model_.layers();
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) text.x.rows = layers[i].forward(text.x);
  const Sequences<Scalar> first = text.x.select({0});
  return layers.empty() ? first.rows : layers.back().forward(first, text.x);
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
    std::vector<StatePair<Scalar>> pairs;
    for (std::int64_t b = begin; b < end; ++b) {
      const auto i = static_cast<std::size_t>(b);
      pairs.push_back({&images[same_image[i]], &texts[same_text[i]]});
    }
    const std::vector<FusedState<Scalar>> fused = fuse(pairs, wanted);
    const CallScope scope(threads());
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

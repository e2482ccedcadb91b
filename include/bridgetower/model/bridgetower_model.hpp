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
#include <bridgetower/model/detail/collect.hpp>
#include <bridgetower/model/forward_inputs.hpp>
#include <bridgetower/model/model_output.hpp>
#include <bridgetower/model/states.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
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

  /// Item `b` of checked inputs.
  ImageState<Scalar> encode_image(const ForwardInputs<Scalar>& inputs, std::int64_t b) const;

  /// Item `b` of checked inputs. Without `all_rows`, tokens that nobody may attend to are left out,
  /// except the first, which the heads read.
  TextState<Scalar> encode_text(const ForwardInputs<Scalar>& inputs, std::int64_t b,
                                bool all_rows) const;

  /// One pair. Throws InputError when the states are not of a model like this one.
  FusedState<Scalar> fuse(const ImageState<Scalar>& image, const TextState<Scalar>& text,
                          const Wanted& wanted) const;

  /// Encodes and fuses item by item, calls visit(item, image state, text state, fused state) for
  /// each, and collects the hidden states and attentions that the inputs ask for. What the heads
  /// are made of.
  template <class Visit>
  CommonOutput<Scalar> run_batch(const ForwardInputs<Scalar>& inputs, Wanted wanted,
                                 const Visit& visit) const;

  /// [1, D]: the image's first row as the contrastive head sees it.
  Tensor<Scalar> image_cls(const ImageState<Scalar>& image) const {
    const Tensor<Scalar>& last = image.layers.back();
    return ops::gather_rows(last.data(), last.dim(1), last.dim(1), {0});
  }

 private:
  using CrossLayer = BridgeTowerBertCrossLayer<Scalar>;

  /// Text layers (and vision blocks) that run before the first cross-modal layer.
  std::int64_t first_link() const {
    return config_.text_config.num_hidden_layers - config_.num_hidden_layers + 1;
  }
  Tensor<Scalar> link_input(const std::vector<Linear<Scalar>>& transforms, std::int64_t link,
                            const Tensor<Scalar>& state, std::int64_t token_type) const;
  Tensor<Scalar> pool(const FusedState<Scalar>& fused) const;
  void check_states(const ImageState<Scalar>& image, const TextState<Scalar>& text) const;

  BridgeTowerConfig config_;
  std::shared_ptr<ThreadPool> threads_;
  BridgeTowerVisionModel<Scalar> vision_model_;
  BridgeTowerTextModel<Scalar> text_model_;
  std::vector<Linear<Scalar>> cross_modal_text_transform_;   // one, or one a link where not shared
  std::vector<Linear<Scalar>> cross_modal_image_transform_;  // likewise
  Tensor<Scalar> token_type_embeddings_;                     // [2, D]: text, image
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
      token_type_embeddings_((weights / "bridgetower")
                                 .tensor("token_type_embeddings.weight", {2, config.hidden_size})),
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
  for (std::int64_t i = 0; i < (shared ? 1 : config.num_hidden_layers); ++i) {
    cross_modal_text_transform_.emplace_back(shared ? text_transform : text_transform / i,
                                             config.hidden_size, config.text_config.hidden_size);
    cross_modal_image_transform_.emplace_back(shared ? image_transform : image_transform / i,
                                              config.hidden_size, vision.hidden_size);
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
Tensor<Scalar> BridgeTowerModel<Scalar>::link_input(const std::vector<Linear<Scalar>>& transforms,
                                                    std::int64_t link, const Tensor<Scalar>& state,
                                                    std::int64_t token_type) const {
  const std::size_t index = transforms.size() == 1 ? 0 : static_cast<std::size_t>(link);
  Tensor<Scalar> out = transforms[index].forward(state);
  ops::add_row_to(out, token_type_embeddings_.data() + token_type * config_.hidden_size);
  return out;
}

template <class Scalar>
ImageState<Scalar> BridgeTowerModel<Scalar>::encode_image(const ForwardInputs<Scalar>& inputs,
                                                          std::int64_t b) const {
  const ParallelScope scope(threads());
  ImageState<Scalar> state;
  Tensor<Scalar> x;
  if (inputs.image_embeds) {
    x = inputs.image_embeds->row(b);
  } else {
    const Tensor<Scalar>& pixels = *inputs.pixel_values;
    x = vision_model_.forward_pre(pixels.data() + b * pixels.dim(1) * pixels.dim(2) * pixels.dim(3),
                                  pixels.dim(2), pixels.dim(3), inputs.interpolate_pos_encoding);
  }
  if (inputs.output_hidden_states) state.hidden_states.push_back(x);
  const auto& blocks = vision_model_.blocks();
  for (std::int64_t done = 0;; ++done) {
    if (done >= first_link()) {
      state.layers.push_back(link_input(cross_modal_image_transform_, done - first_link(),
                                        vision_model_.forward_post(x), 1));
    }
    if (done == config_.text_config.num_hidden_layers) return state;
    // With one cross-modal layer HF tolerates a vision tower that is a block short.
    if (static_cast<std::size_t>(done) >= blocks.size()) continue;
    x = blocks[static_cast<std::size_t>(done)].forward(x);
    if (inputs.output_hidden_states) state.hidden_states.push_back(x);
  }
}

template <class Scalar>
TextState<Scalar> BridgeTowerModel<Scalar>::encode_text(const ForwardInputs<Scalar>& inputs,
                                                        std::int64_t b, bool all_rows) const {
  const ParallelScope scope(threads());
  const std::int64_t length = inputs.length();
  const std::int64_t* const mask =
      inputs.attention_mask ? inputs.attention_mask->data() + b * length : nullptr;
  std::int64_t hidden = 0;
  for (std::int64_t i = 0; mask != nullptr && i < length; ++i) hidden += mask[i] == 0 ? 1 : 0;
  TextState<Scalar> state;
  std::vector<std::int64_t> kept;
  if (hidden > 0) state.attended.emplace();
  for (std::int64_t i = 0; i < length; ++i) {
    const bool attended = hidden == 0 || mask[i] != 0;
    if (hidden > 0 && attended) {
      state.attended->push_back(static_cast<std::int64_t>(kept.size()));
    }
    // Where all are hidden HF attends to all alike, so all are needed.
    if (attended || all_rows || i == 0 || hidden == length) kept.push_back(i);
  }

  Tensor<Scalar> x =
      text_model_.embeddings().forward(inputs.input_ids->data() + b * length, length, kept);
  const ops::KeyList* const keys = state.attended ? &*state.attended : nullptr;
  if (inputs.output_hidden_states) state.hidden_states.push_back(x);
  std::int64_t done = 0;
  const auto add_link = [&] {
    if (done < first_link()) return;
    state.layers.push_back(link_input(cross_modal_text_transform_, done - first_link(), x, 0));
  };
  add_link();
  for (const BridgeTowerTextLayer<Scalar>& layer : text_model_.layers()) {
    x = layer.forward(x, keys);
    if (inputs.output_hidden_states) state.hidden_states.push_back(x);
    ++done;
    add_link();
  }
  state.cls = ops::gather_rows(x.data(), x.dim(1), x.dim(1), {0});
  return state;
}

template <class Scalar>
void BridgeTowerModel<Scalar>::check_states(const ImageState<Scalar>& image,
                                            const TextState<Scalar>& text) const {
  const auto check = [this](const char* what, const std::vector<Tensor<Scalar>>& layers) {
    const auto expected = static_cast<std::size_t>(config_.num_hidden_layers);
    if (layers.size() == expected && layers.front().dim(-1) == config_.hidden_size) return;
    throw InputError("fuse", what, "one of a model like this one", "another model's");
  };
  check("image state", image.layers);
  check("text state", text.layers);
}

template <class Scalar>
FusedState<Scalar> BridgeTowerModel<Scalar>::fuse(const ImageState<Scalar>& image,
                                                  const TextState<Scalar>& text,
                                                  const Wanted& wanted) const {
  check_states(image, text);
  const ParallelScope scope(threads());
  const ops::KeyList* const keys = text.attended ? &*text.attended : nullptr;
  FusedState<Scalar> out;
  Tensor<Scalar> t = cross_modal_text_layernorm_.forward(text.layers.front());
  Tensor<Scalar> m = cross_modal_image_layernorm_.forward(image.layers.front());
  const std::size_t last = cross_modal_text_layers_.size() - 1;
  for (std::size_t j = 0; j <= last; ++j) {
    if (j > 0) {
      t = cross_modal_text_link_tower_[j - 1].forward(text.layers[j], out.text);
      m = cross_modal_image_link_tower_[j - 1].forward(image.layers[j], out.image);
    }
    // Of the last layer the pooler reads the first row only; of the others every row is needed.
    const std::int64_t pooled = wanted.pooler_output ? 1 : 0;
    const std::int64_t text_rows = j < last || wanted.all_text() ? t.dim(0) : pooled;
    const std::int64_t image_rows = j < last || wanted.all_image() ? m.dim(0) : pooled;
    const typename CrossLayer::Stream text_stream{t, keys};
    const typename CrossLayer::Stream image_stream{m, nullptr};
    Tensor<Scalar> text_attention;
    Tensor<Scalar> image_attention;
    if (text_rows > 0) {
      out.text = cross_modal_text_layers_[j].forward(text_stream, image_stream, text_rows,
                                                     wanted.attentions ? &text_attention : nullptr);
    }
    if (image_rows > 0) {
      out.image = cross_modal_image_layers_[j].forward(
          image_stream, text_stream, image_rows, wanted.attentions ? &image_attention : nullptr);
    }
    if (wanted.attentions) {
      out.text_attentions.push_back(std::move(text_attention));
      out.image_attentions.push_back(std::move(image_attention));
    }
    if (wanted.hidden_states) {
      out.text_states.push_back(out.text);
      out.image_states.push_back(out.image);
    }
  }
  if (wanted.pooler_output) out.pooler_output = pool(out);
  return out;
}

template <class Scalar>
Tensor<Scalar> BridgeTowerModel<Scalar>::pool(const FusedState<Scalar>& fused) const {
  const Tensor<Scalar> text = cross_modal_text_pooler_.forward(fused.text);
  const Tensor<Scalar> image = cross_modal_image_pooler_.forward(fused.image);
  auto out = Tensor<Scalar>::uninitialized({1, 2 * config_.hidden_size});
  std::copy(image.begin(), image.end(), std::copy(text.begin(), text.end(), out.begin()));
  return out;
}

template <class Scalar>
template <class Visit>
CommonOutput<Scalar> BridgeTowerModel<Scalar>::run_batch(const ForwardInputs<Scalar>& inputs,
                                                         Wanted wanted, const Visit& visit) const {
  inputs.check(config_);
  wanted.hidden_states = inputs.output_hidden_states;
  wanted.attentions = inputs.output_attentions;
  CommonOutput<Scalar> common;
  for (std::int64_t b = 0; b < inputs.batch(); ++b) {
    const ImageState<Scalar> image = encode_image(inputs, b);
    const TextState<Scalar> text = encode_text(inputs, b, wanted.all_text());
    const FusedState<Scalar> fused = fuse(image, text, wanted);
    detail::collect_item(common, inputs.batch(), b, image, text, fused, wanted);
    const ParallelScope scope(threads());
    visit(b, image, text, fused);
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

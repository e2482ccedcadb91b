#include <algorithm>
#include <bridgetower/heads/mlm_head.hpp>
#include <bridgetower/ops/gather.hpp>
#include <bridgetower/pipeline/attention.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/pipeline/inputs.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <utility>

#include "pipeline/fill_position.hpp"

namespace bridgetower {
namespace {

/// The model, and the head of masked words where the checkpoint has one.
template <class Scalar>
class ModelWithMaskHead {
 public:
  ModelWithMaskHead(const BridgeTowerConfig& config, const WeightView<Scalar>& weights,
                    std::shared_ptr<ThreadPool> threads)
      : model_(config, weights, std::move(threads)) {
    const WeightView<Scalar> head = weights / "mlm_score";
    if (!head.has("transform.dense.weight")) return;
    head_.emplace(config, head, model_.text_embeddings().word_embeddings());
  }

  const BridgeTowerModel<Scalar>& model() const { return model_; }
  const std::optional<BridgeTowerMLMHead<Scalar>>& head() const { return head_; }

 private:
  BridgeTowerModel<Scalar> model_;
  std::optional<BridgeTowerMLMHead<Scalar>> head_;
};

void check_index(const char* name, std::int64_t value, std::int64_t first, std::int64_t count) {
  if (value >= first && value < count) return;
  throw InputError(name, "index", std::to_string(first) + " to " + std::to_string(count - 1),
                   std::to_string(value));
}

/// Byte offset of every code point of UTF-8, and of the end.
std::vector<std::size_t> code_points(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

/// A word of the text: tokens [first, last), code points [begin, end).
struct Word {
  std::size_t first;
  std::size_t last;
  std::int64_t begin;
  std::int64_t end;
  std::string_view text;
};

bool is_white(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Tokens of one word id; white space around a word, and words of nothing else, are left out.
std::vector<Word> words_of(std::string_view text, const Encoding& encoding) {
  const std::vector<std::size_t> starts = code_points(text);
  std::vector<Word> words;
  for (std::size_t first = 0, last = 0; first < encoding.size(); first = last) {
    const auto& id = encoding.word_ids[first];
    for (last = first; last < encoding.size() && encoding.word_ids[last] == id;) ++last;
    if (!id) continue;
    std::int64_t begin = encoding.offset_mapping[first].first;
    std::int64_t end = encoding.offset_mapping[last - 1].second;
    const auto byte = [&starts](std::int64_t i) { return starts.at(static_cast<std::size_t>(i)); };
    while (begin < end && is_white(text[byte(begin)])) ++begin;
    while (begin < end && is_white(text[byte(end - 1)])) --end;
    if (begin >= end) continue;
    words.push_back({first, last, begin, end, text.substr(byte(begin), byte(end) - byte(begin))});
  }
  return words;
}

/// The mean over heads (or one head) and over a word's rows. probabilities [H, L, P]
std::vector<double> mean_row(const Tensor<float>& probabilities, const Word& word,
                             const std::optional<std::int64_t>& head) {
  const std::int64_t positions = probabilities.dim(2);
  const std::int64_t first_head = head.value_or(0);
  const std::int64_t last_head = head ? *head + 1 : probabilities.dim(0);
  std::vector<double> sum(static_cast<std::size_t>(positions));
  for (std::int64_t h = first_head; h < last_head; ++h) {
    for (std::size_t token = word.first; token < word.last; ++token) {
      const std::int64_t row = h * probabilities.dim(1) + static_cast<std::int64_t>(token);
      const float* const values = probabilities.data() + row * positions;
      std::transform(sum.begin(), sum.end(), values, sum.begin(),
                     [](double s, float v) { return s + static_cast<double>(v); });
    }
  }
  const double rows =
      static_cast<double>(last_head - first_head) * static_cast<double>(word.last - word.first);
  for (double& value : sum) value /= rows;
  return sum;
}

}  // namespace

void AttentionOptions::check(const BridgeTowerConfig& config) const {
  check_index("layer", layer, -config.num_hidden_layers, config.num_hidden_layers);
  if (head) check_index("head", *head, 0, config.text_config.num_attention_heads);
  detail::check_top_k(top_k, config.text_config.vocab_size);
}

class AttentionExplainer::Model {
 public:
  Model(BridgeTowerProcessor processor, ModelWithMaskHead<float> model)
      : processor_(std::move(processor)), model_(std::move(model)) {}

  AttentionMap explain(const Image& image, std::string_view text,
                       const AttentionOptions& options) const {
    const BridgeTowerConfig& config = model_.model().config();
    options.check(config);
    EncodeOptions encode;
    encode.invalid_utf8 = InvalidUtf8::kError;
    const Encoding encoding = processor_.tokenizer().encode(text, encode);
    const std::vector<Word> words = words_of(text, encoding);
    if (words.empty()) throw InputError("text", "words", "at least one", "none");
    const std::vector<std::int64_t> masks = masks_of(encoding);

    const TextState<float> text_state = encode_text(model_.model(), processor_, text);
    const ForwardInputs<float> pixels = image_inputs(model_.model(), processor_, image);
    Wanted wanted;
    wanted.cross_attentions = true;
    const FusedState<float> fused =
        model_.model().fuse(model_.model().encode_image(pixels, 0), text_state, wanted);

    AttentionMap map{options.layer < 0 ? options.layer + config.num_hidden_layers : options.layer,
                     options.head,
                     processor_.image_processor().prepare(image),
                     {}};
    const Tensor<float>& probabilities =
        fused.text_cross_attentions[static_cast<std::size_t>(map.layer)];
    const Shape grid{pixels.pixel_values->dim(2) / config.vision_config.patch_size,
                     pixels.pixel_values->dim(3) / config.vision_config.patch_size};
    for (const Word& word : words) {
      map.words.push_back(describe(encoding, word));
      const std::vector<double> row = mean_row(probabilities, word, map.head);
      map.words.back().cls = static_cast<float>(row.front());
      const std::vector<float> patches(row.begin() + 1, row.end());
      map.words.back().patches = Tensor<float>(grid, patches);
    }
    fill(encoding, masks, fused, options.top_k, words, map);
    return map;
  }

 private:
  /// Positions of the masks. Throws InputError where there is no head to fill them.
  std::vector<std::int64_t> masks_of(const Encoding& encoding) const {
    std::vector<std::int64_t> masks;
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      if (encoding.input_ids[i] == processor_.tokenizer().mask_token_id()) {
        masks.push_back(static_cast<std::int64_t>(i));
      }
    }
    if (!masks.empty() && !model_.head()) {
      throw InputError("text", "mask tokens", "none: the model has no mlm_score to fill them",
                       std::to_string(masks.size()));
    }
    return masks;
  }

  static WordAttention describe(const Encoding& encoding, const Word& word) {
    WordAttention out;
    out.word = word.text;
    out.tokens.assign(encoding.tokens.begin() + static_cast<std::ptrdiff_t>(word.first),
                      encoding.tokens.begin() + static_cast<std::ptrdiff_t>(word.last));
    out.begin = word.begin;
    out.end = word.end;
    return out;
  }

  /// Proposals for the words that are masks.
  void fill(const Encoding& encoding, const std::vector<std::int64_t>& masks,
            const FusedState<float>& fused, std::int64_t top_k, const std::vector<Word>& words,
            AttentionMap& map) const {
    if (masks.empty()) return;
    const CallScope scope(model_.model().threads());
    const Tensor<float> logits = model_.head()->forward(
        ops::gather_rows(fused.text.data(), fused.text.dim(1), fused.text.dim(1), masks));
    for (std::size_t i = 0; i < masks.size(); ++i) {
      const auto at = static_cast<std::size_t>(masks[i]);
      const auto found = std::find_if(words.begin(), words.end(), [at](const Word& word) {
        return at >= word.first && at < word.last;
      });
      if (found == words.end()) continue;
      map.words[static_cast<std::size_t>(found - words.begin())].candidates =
          detail::fill_position(processor_, encoding.input_ids, masks[i],
                                logits.row(static_cast<std::int64_t>(i)), top_k)
              .candidates;
    }
  }

  BridgeTowerProcessor processor_;
  ModelWithMaskHead<float> model_;
};

AttentionExplainer AttentionExplainer::from_pretrained(const std::filesystem::path& model,
                                                       const LoadOptions& options) {
  return AttentionExplainer(std::make_shared<const Model>(
      BridgeTowerProcessor::from_pretrained(model, options.revision, options.limits),
      detail::load_pretrained<ModelWithMaskHead, float>(model, options)));
}

AttentionMap AttentionExplainer::explain(const Image& image, std::string_view text,
                                         const AttentionOptions& options) const {
  return model_->explain(image, text, options);
}

}  // namespace bridgetower

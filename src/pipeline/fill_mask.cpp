#include <algorithm>
#include <bridgetower/ops/softmax.hpp>
#include <bridgetower/pipeline/fill_mask.hpp>
#include <bridgetower/pipeline/inputs.hpp>
#include <cmath>

#include "pipeline/fill_position.hpp"

namespace bridgetower {
namespace {

/// The `count` largest values' indices, best first; among equal values the smaller index, NaN last.
std::vector<std::int64_t> largest(const Tensor<float>& values, std::int64_t count) {
  std::vector<std::int64_t> order = ops::all_rows(values.dim(0));
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&values](std::int64_t a, std::int64_t b) {
                      const float x = values.data()[a];
                      const float y = values.data()[b];
                      if (std::isnan(x) || std::isnan(y))
                        return !std::isnan(x) || (std::isnan(y) && a < b);
                      return x > y || (x == y && a < b);
                    });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

Tensor<std::int64_t> as_tensor(const std::vector<std::int64_t>& ids) {
  return {Shape{static_cast<std::int64_t>(ids.size())}, ids};
}

}  // namespace

MaskFiller MaskFiller::from_pretrained(const std::filesystem::path& model,
                                       const LoadOptions& options) {
  return {BridgeTowerProcessor::from_pretrained(model, options.revision, options.limits),
          BridgeTowerForMaskedLM<float>::from_pretrained(model, options)};
}

void detail::check_top_k(std::int64_t top_k, std::int64_t vocabulary) {
  if (top_k >= 1 && top_k <= vocabulary) return;
  throw InputError("top_k", "number of words", "1 to " + std::to_string(vocabulary),
                   std::to_string(top_k));
}

FilledMask detail::fill_position(const BridgeTowerProcessor& processor,
                                 const std::vector<std::int64_t>& ids, std::int64_t position,
                                 Tensor<float> logits, std::int64_t top_k) {
  FilledMask filled{position, {}};
  ops::softmax(logits.data(), logits.dim(0));
  for (const std::int64_t token_id : largest(logits, top_k)) {
    std::vector<std::int64_t> sequence = ids;
    sequence[static_cast<std::size_t>(position)] = token_id;
    filled.candidates.push_back({token_id, processor.decode(as_tensor({token_id})),
                                 logits(token_id), processor.decode(as_tensor(sequence), true)});
  }
  return filled;
}

MaskFiller::MaskedText MaskFiller::find_masks(std::string_view text, std::int64_t top_k) const {
  detail::check_top_k(top_k, model_.model().config().text_config.vocab_size);
  const Tensor<std::int64_t> row =
      processor_.encode_texts({std::string(text)}, {}).input_ids.row(0);
  MaskedText masked{{row.begin(), row.end()}, {}};
  const std::int64_t mask = processor_.tokenizer().mask_token_id();
  for (std::size_t i = 0; i < masked.ids.size(); ++i) {
    if (masked.ids[i] == mask) masked.positions.push_back(static_cast<std::int64_t>(i));
  }
  if (masked.positions.empty()) {
    throw InputError("text", "mask tokens", "at least one " + processor_.decode(as_tensor({mask})),
                     "none");
  }
  return masked;
}

ImageState<float> MaskFiller::encode(const Image& image) const {
  return encode_image(model_.model(), processor_, image);
}

std::vector<FilledMask> MaskFiller::fill(const Image& image, std::string_view text,
                                         std::int64_t top_k) const {
  find_masks(text, top_k);  // a text without masks is refused before the long work
  return fill(encode(image), text, top_k);
}

std::vector<FilledMask> MaskFiller::fill(const ImageState<float>& image, std::string_view text,
                                         std::int64_t top_k) const {
  const MaskedText masked = find_masks(text, top_k);
  const Tensor<float> logits =
      model_.masked_logits(image, encode_text(model_.model(), processor_, text), masked.positions);
  std::vector<FilledMask> masks;
  for (std::size_t i = 0; i < masked.positions.size(); ++i) {
    masks.push_back(detail::fill_position(processor_, masked.ids, masked.positions[i],
                                          logits.row(static_cast<std::int64_t>(i)), top_k));
  }
  return masks;
}

}  // namespace bridgetower

#include <algorithm>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/inputs.hpp>

namespace bridgetower {

Embedder Embedder::from_pretrained(const std::filesystem::path& model, const LoadOptions& options) {
  return {BridgeTowerProcessor::from_pretrained(model, options.revision, options.limits),
          BridgeTowerForContrastiveLearning<float>::from_pretrained(model, options)};
}

Tensor<float> Embedder::embed(const Image& image) const {
  return model_.image_embed(image_inputs(model_.model(), processor_, image), 0);
}

Tensor<float> Embedder::embed(std::string_view text) const {
  return embed(std::vector<std::string>{std::string(text)}).row(0);
}

Tensor<float> Embedder::embed(const std::vector<std::string>& texts) const {
  constexpr std::size_t kTextsAtOnce = 64;  // enough rows to read the weights rarely
  Tensor<float> all({static_cast<std::int64_t>(texts.size()), size()});
  float* out = all.data();
  for (std::size_t first = 0; first < texts.size(); first += kTextsAtOnce) {
    const std::size_t count = std::min(kTextsAtOnce, texts.size() - first);
    const auto begin = texts.begin() + static_cast<std::ptrdiff_t>(first);
    const Tensor<float> vectors = model_.text_embeds(
        text_inputs(processor_, {begin, begin + static_cast<std::ptrdiff_t>(count)}),
        ops::all_rows(static_cast<std::int64_t>(count)));
    out = std::copy(vectors.begin(), vectors.end(), out);
  }
  return all;
}

Tensor<float> Embedder::embed_images(const std::vector<Image>& images) const {
  Tensor<float> all({static_cast<std::int64_t>(images.size()), size()});
  float* out = all.data();
  for (const Image& image : images) {
    const Tensor<float> vector = embed(image);
    out = std::copy(vector.begin(), vector.end(), out);
  }
  return all;
}

Tensor<float> Embedder::embed(const Image& image, std::string_view text) const {
  Wanted wanted;
  wanted.pooler_output = true;
  return model_.cross_embed(model_.model().fuse(encode_image(model_.model(), processor_, image),
                                                encode_text(model_.model(), processor_, text),
                                                wanted));
}

std::pair<Tensor<float>, ImageState<float>> Embedder::embed_and_encode(const Image& image) const {
  auto [state, cls] =
      model_.model().encode_image_and_cls(image_inputs(model_.model(), processor_, image), 0);
  return {model_.image_embed(cls), std::move(state)};
}

}  // namespace bridgetower

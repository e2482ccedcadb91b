#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/inputs.hpp>

namespace bridgetower {

Embedder Embedder::from_pretrained(const std::filesystem::path& model, const LoadOptions& options) {
  return {BridgeTowerProcessor::from_pretrained(model, options.revision),
          BridgeTowerForContrastiveLearning<float>::from_pretrained(model, options)};
}

Tensor<float> Embedder::embed(const Image& image) const {
  return model_.image_embed(image_inputs(model_.model(), processor_, image), 0);
}

Tensor<float> Embedder::embed(std::string_view text) const {
  return embed(std::vector<std::string>{std::string(text)}).row(0);
}

Tensor<float> Embedder::embed(const std::vector<std::string>& texts) const {
  if (texts.empty()) return Tensor<float>({0, size()});
  return model_.text_embeds(text_inputs(processor_, texts),
                            ops::all_rows(static_cast<std::int64_t>(texts.size())));
}

Tensor<float> Embedder::embed(const Image& image, std::string_view text) const {
  Wanted wanted;
  wanted.pooler_output = true;
  return model_.cross_embed(model_.model().fuse(encode_image(model_.model(), processor_, image),
                                                encode_text(model_.model(), processor_, text),
                                                wanted));
}

}  // namespace bridgetower

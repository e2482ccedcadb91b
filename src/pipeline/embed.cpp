#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/pipeline/inputs.hpp>

namespace bridgetower {

Embedder Embedder::from_pretrained(const std::filesystem::path& model, const LoadOptions& options) {
  return {BridgeTowerProcessor::from_pretrained(model, options.revision),
          BridgeTowerForContrastiveLearning<float>::from_pretrained(model, options)};
}

Tensor<float> Embedder::embed(const Image& image) const {
  return model_.image_embed(encode_image(model_.model(), processor_, image));
}

Tensor<float> Embedder::embed(std::string_view text) const {
  return model_.text_embed(encode_text(model_.model(), processor_, text));
}

Tensor<float> Embedder::embed(const Image& image, std::string_view text) const {
  Wanted wanted;
  wanted.pooler_output = true;
  return model_.cross_embed(model_.model().fuse(encode_image(model_.model(), processor_, image),
                                                encode_text(model_.model(), processor_, text),
                                                wanted));
}

}  // namespace bridgetower

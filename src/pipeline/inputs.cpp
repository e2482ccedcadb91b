#include <bridgetower/pipeline/inputs.hpp>

namespace bridgetower {

ForwardInputs<float> image_inputs(const BridgeTowerModel<float>& model,
                                  const BridgeTowerProcessor& processor, const Image& image) {
  ForwardInputs<float> inputs;
  inputs.pixel_values = processor.encode_images({image}).pixel_values;
  inputs.check_image(model.config());
  return inputs;
}

ForwardInputs<float> text_inputs(const BridgeTowerProcessor& processor,
                                 const std::vector<std::string>& texts) {
  EncodeOptions options;
  options.padding = Padding::kLongest;
  BatchEncoding encoding = processor.encode_texts(texts, options);
  ForwardInputs<float> inputs;
  inputs.input_ids = std::move(encoding.input_ids);
  inputs.attention_mask = std::move(encoding.attention_mask);
  inputs.check_text();
  return inputs;
}

ImageState<float> encode_image(const BridgeTowerModel<float>& model,
                               const BridgeTowerProcessor& processor, const Image& image) {
  return model.encode_image(image_inputs(model, processor, image), 0);
}

TextState<float> encode_text(const BridgeTowerModel<float>& model,
                             const BridgeTowerProcessor& processor, std::string_view text) {
  return model.encode_text(text_inputs(processor, {std::string(text)}), 0, true);
}

}  // namespace bridgetower

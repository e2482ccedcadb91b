#include <bridgetower/pipeline/inputs.hpp>
#include <string>

namespace bridgetower {

ImageState<float> encode_image(const BridgeTowerModel<float>& model,
                               const BridgeTowerProcessor& processor, const Image& image) {
  ForwardInputs<float> inputs;
  inputs.pixel_values = processor.encode_images({image}).pixel_values;
  return model.encode_image(inputs, 0);
}

TextState<float> encode_text(const BridgeTowerModel<float>& model,
                             const BridgeTowerProcessor& processor, std::string_view text) {
  ForwardInputs<float> inputs;
  inputs.input_ids = processor.encode_texts({std::string(text)}, {}).input_ids;
  return model.encode_text(inputs, 0, true);
}

}  // namespace bridgetower

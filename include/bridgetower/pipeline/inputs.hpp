#pragma once

#include <bridgetower/model/bridgetower_model.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// One picture, or texts padded to the longest, as a model's checked inputs of that side.
ForwardInputs<float> image_inputs(const BridgeTowerModel<float>& model,
                                  const BridgeTowerProcessor& processor, const Image& image);
ForwardInputs<float> text_inputs(const BridgeTowerProcessor& processor,
                                 const std::vector<std::string>& texts);

/// One picture through the processor and the vision tower.
ImageState<float> encode_image(const BridgeTowerModel<float>& model,
                               const BridgeTowerProcessor& processor, const Image& image);

/// One text through the processor and the text tower; all its rows are kept, as it has no padding.
TextState<float> encode_text(const BridgeTowerModel<float>& model,
                             const BridgeTowerProcessor& processor, std::string_view text);

}  // namespace bridgetower

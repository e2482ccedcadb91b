#pragma once

#include <bridgetower/core/tensor.hpp>
#include <bridgetower/preprocessing/image/image.hpp>

namespace bridgetower::cli {

/// The picture, RGB, enlarged or reduced so that its longer side is `side` pixels.
Image scaled_to(const Image& image, std::int64_t side);

/// The picture with what is attended to in warm colours and the rest darkened. patches [rows,
/// columns], not negative; the largest is drawn at full strength, in between it is bilinear.
Image with_heat(const Image& picture, const Tensor<float>& patches);

}  // namespace bridgetower::cli

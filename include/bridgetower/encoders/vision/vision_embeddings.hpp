#pragma once

#include <algorithm>
#include <bridgetower/config/vision_config.hpp>
#include <bridgetower/layers/linear.hpp>
#include <bridgetower/ops/add.hpp>
#include <bridgetower/ops/gather.hpp>
#include <bridgetower/ops/interpolate.hpp>
#include <bridgetower/ops/patchify.hpp>
#include <cstdint>
#include <string>

namespace bridgetower {

/// Patches through one linear map, the class vector in front, positions added.
/// HF: BridgeTowerVisionEmbeddings.
template <class Scalar>
class BridgeTowerVisionEmbeddings {
 public:
  BridgeTowerVisionEmbeddings(const VisionConfig& config, const WeightView<Scalar>& weights);

  /// pixels [C, height, width] -> [1 + (height / patch) (width / patch), D].
  /// Without `interpolate_pos_encoding` the image must have the model's size (else ShapeError).
  Tensor<Scalar> forward(const Scalar* pixels, std::int64_t height, std::int64_t width,
                         bool interpolate_pos_encoding) const;

 private:
  Tensor<Scalar> patch_positions(std::int64_t height, std::int64_t width) const;

  VisionConfig config_;
  Linear<Scalar> patch_embedding_;  // "patch_embedding.weight" [D, C, patch, patch], no bias
  // "position_embedding.weight" [P, D], "class_embedding" [D] added to row 0
  Tensor<Scalar> position_embedding_;
};

namespace detail {
inline std::int64_t position_rows(const VisionConfig& config) {
  const std::int64_t grid = config.image_size / config.patch_size;
  return grid * grid + 1;
}
}  // namespace detail

template <class Scalar>
BridgeTowerVisionEmbeddings<Scalar>::BridgeTowerVisionEmbeddings(const VisionConfig& config,
                                                                 const WeightView<Scalar>& weights)
    : config_(config),
      patch_embedding_(
          weights, "patch_embedding.weight",
          {config.hidden_size, config.num_channels, config.patch_size, config.patch_size}, ""),
      position_embedding_(weights.tensor("position_embedding.weight",
                                         {detail::position_rows(config), config.hidden_size})) {
  const Tensor<Scalar> class_embedding = weights.tensor("class_embedding", {config.hidden_size});
  if (position_embedding_.empty()) return;  // the checkpoint lacks it
  for (std::size_t i = 0; i < class_embedding.size(); ++i) {
    position_embedding_.data()[i] += class_embedding.data()[i];
  }
}

template <class Scalar>
Tensor<Scalar> BridgeTowerVisionEmbeddings<Scalar>::patch_positions(std::int64_t height,
                                                                    std::int64_t width) const {
  const std::int64_t size = config_.hidden_size;
  const std::int64_t grid = config_.image_size / config_.patch_size;
  const std::int64_t rows = height / config_.patch_size;
  const std::int64_t columns = width / config_.patch_size;
  const Scalar* const table = position_embedding_.data() + size;
  // HF compares the number of patches and the pixels' sides, not the grids.
  if (rows * columns == grid * grid && height == width) {
    return ops::gather_rows(table, size, size, ops::all_rows(grid * grid));
  }
  return ops::interpolate_bicubic(table, grid, grid, size, rows, columns);
}

template <class Scalar>
Tensor<Scalar> BridgeTowerVisionEmbeddings<Scalar>::forward(const Scalar* pixels,
                                                            std::int64_t height, std::int64_t width,
                                                            bool interpolate_pos_encoding) const {
  if (!interpolate_pos_encoding && (height != config_.image_size || width != config_.image_size)) {
    const std::string side = std::to_string(config_.image_size);
    throw ShapeError("pixel_values", "height and width without interpolate_pos_encoding",
                     side + " x " + side, std::to_string(height) + " x " + std::to_string(width));
  }
  if (height < config_.patch_size || width < config_.patch_size) {
    throw ShapeError("pixel_values", "height and width",
                     "at least one patch of " + std::to_string(config_.patch_size) + " pixels",
                     std::to_string(height) + " x " + std::to_string(width));
  }
  const std::int64_t size = config_.hidden_size;
  Tensor<Scalar> patches = patch_embedding_.forward(
      ops::patchify(pixels, config_.num_channels, height, width, config_.patch_size));
  ops::add_to(patches, patch_positions(height, width));

  auto out = Tensor<Scalar>::uninitialized({1 + patches.dim(0), size});
  std::copy_n(position_embedding_.data(), size, out.data());
  std::copy(patches.begin(), patches.end(), out.data() + size);
  return out;
}

BRIDGETOWER_EXTERN_TEMPLATE(BridgeTowerVisionEmbeddings);

}  // namespace bridgetower

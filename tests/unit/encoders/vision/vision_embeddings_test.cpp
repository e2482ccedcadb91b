#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/encoders/vision/vision_embeddings.hpp>
#include <vector>

#include "tests/support/map_weights.hpp"

namespace bridgetower {
namespace {

Tensor<double> of(Shape shape, const std::vector<double>& values) {
  Tensor<double> tensor(std::move(shape));
  std::copy(values.begin(), values.end(), tensor.begin());
  return tensor;
}

// A strip of as many patches as the square grid has is no square: HF interpolates there too.
TEST(VisionEmbeddings, InterpolateForAStripWithThePatchesOfTheGrid) {
  VisionConfig config;
  config.hidden_size = 2;
  config.num_channels = 1;
  config.patch_size = 2;
  config.image_size = 4;
  const testing::MapWeights weights(
      {{"patch_embedding.weight", {Tensor<double>({2, 1, 2, 2})}},
       {"class_embedding", {of({2}, {0.5, 0.25})}},
       {"position_embedding.weight", {of({5, 2}, {3, 7, 1, 10, 2, -20, 4, 40, 8, -80})}}});
  WeightLoader<double> loader(weights);
  const BridgeTowerVisionEmbeddings<double> layer(config, WeightView<double>(loader));
  loader.finish();

  const Tensor<double> pixels({1, 2, 8});
  const Tensor<double> strip = layer.forward(pixels.data(), 2, 8, true);
  ASSERT_EQ(strip.shape(), (Shape{5, 2}));
  EXPECT_EQ(strip(0, 0), 3.5);
  EXPECT_EQ(strip(0, 1), 7.25);
  // torch.nn.functional.interpolate(size=(1, 4), mode="bicubic", align_corners=False)
  const double expected[][2] = {{2.236328125, 32.91015625},
                                {3.06640625, 8.0078125},
                                {4.43359375, -33.0078125},
                                {5.263671875, -57.91015625}};
  for (std::int64_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(strip(i + 1, 0), expected[i][0], 1e-12);
    EXPECT_NEAR(strip(i + 1, 1), expected[i][1], 1e-12);
  }
}

}  // namespace
}  // namespace bridgetower

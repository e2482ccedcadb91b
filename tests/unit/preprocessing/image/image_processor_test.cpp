#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/preprocessing/image/image_processor.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::expect_error;

const std::filesystem::path kFolder = std::filesystem::path(testing::test_data()) / "images";

TEST(ImageProcessor, GivesTheBitsOfHuggingFace) {
  const SafetensorsFile golden(kFolder / "images.safetensors");
  EXPECT_EQ(golden.metadata().size(), 22U);
  for (const auto& [name, text] : golden.metadata()) {
    SCOPED_TRACE(name);
    const json facts = json::parse(text);
    ImageProcessorConfig config;
    for (const auto& [key, value] : facts["settings"].items()) config.set(key, value.dump());
    std::vector<Image> images;
    for (const std::string file : facts["files"]) images.push_back(Image::load(kFolder / file));
    const ImageFeatures features = BridgeTowerImageProcessor(config)(images);
    const auto mask = golden.tensor<std::uint8_t>("mask." + name);
    ASSERT_EQ(features.pixel_mask.shape(), mask.shape());
    EXPECT_TRUE(std::equal(mask.begin(), mask.end(), features.pixel_mask.begin()));
    if (golden.find("processed." + name)->dtype == DType::kU8) {
      const auto expected = golden.tensor<std::uint8_t>("processed." + name);
      ASSERT_EQ(features.pixel_bytes.shape(), expected.shape());
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), features.pixel_bytes.begin()));
    } else {
      const auto expected = golden.tensor<float>("processed." + name);
      ASSERT_EQ(features.pixel_values.shape(), expected.shape());
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), features.pixel_values.begin()));
    }
  }
}

TEST(ImageProcessor, CropsToTheSizeWhereNoCropSizeIsGiven) {
  const auto config = ImageProcessorConfig::from_json(
      R"({"size": {"shortest_edge": 294}, "crop_size": null})", "file");
  const ImageFeatures features = BridgeTowerImageProcessor(config)(Image(480, 640, 3));
  EXPECT_EQ(features.pixel_values.shape(), (Shape{1, 3, 294, 294}));
}

TEST(ImageProcessor, RefusesWhatItCannotMake) {
  const BridgeTowerImageProcessor processor;
  expect_error(ErrorCode::kInput, "images: number of pictures: expected at least 1, got 0",
               [&] { processor(std::vector<Image>{}); });
  expect_error(
      ErrorCode::kInput,
      "image: a picture of 10 x 1000: expected sides that fit a multiple of 32 pixels after "
      "resizing, got 0 x 448",
      [&] { processor(Image(10, 1000, 3)); });
  expect_error(ErrorCode::kInput, "images: channels: expected 3, got 1", [&] {
    processor({Image(40, 40, 3), Image(40, 40, 1)});
  });
  expect_error(ErrorCode::kInput,
               "images: channels, one for each image_mean and image_std: expected 3, got 1",
               [&] { processor(Image(40, 40, 1)); });
  ImageProcessorConfig config;
  config.do_pad = config.do_center_crop = config.do_resize = false;
  expect_error(ErrorCode::kInput, "images: sizes without do_pad: expected 5 x 6, got 5 x 5", [&] {
    const BridgeTowerImageProcessor ragged(config);
    ragged({Image(5, 6, 3), Image(5, 5, 3)});
  });
}

/// Each is small; filled up to one another they are not.
TEST(ImageProcessor, LimitsWhatPicturesArePaddedTo) {
  ImageProcessorConfig config;
  config.do_resize = config.do_center_crop = false;
  config.do_pad = true;
  Limits limits;
  limits.pixels = 96 * 96 - 1;
  const BridgeTowerImageProcessor processor(config, limits);
  EXPECT_EQ(processor({Image(96, 32, 3)}).pixel_values.shape(), (Shape{1, 3, 96, 32}));
  expect_error(ErrorCode::kLimit,
               "image processor: prepared picture: expected at most 9215 pixels, got 96 x 96", [&] {
                 processor({Image(96, 32, 3), Image(32, 96, 3)});
               });
}

TEST(ImageProcessor, RefusesAConfigurationThatCannotBeRun) {
  ImageProcessorConfig config;
  config.size_divisor = 0;
  expect_error(ErrorCode::kConfig,
               "image processor: size_divisor: expected an integer from 1 to 16384, got 0",
               [&] { const BridgeTowerImageProcessor processor(config); });
}

}  // namespace
}  // namespace bridgetower

#include <gtest/gtest.h>

#include <bridgetower/config/image_processor_config.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::expect_error;
using testing::read_all;
using testing::TemporaryDirectory;

ImageProcessorConfig from(const std::string& text) {
  return ImageProcessorConfig::from_json(text, "file");
}

TEST(ImageProcessorConfig, HasTheDefaultsOfHuggingFace) {
  const std::string file = testing::test_data() + "/config_defaults.json";
  const json theirs = json::parse(read_all(file))["image_processor"];
  const ImageProcessorConfig ours = from("{}");
  EXPECT_EQ(ours.do_resize, theirs["do_resize"]);
  EXPECT_EQ(ours.size, theirs["size"]["shortest_edge"]);
  EXPECT_EQ(ours.size_divisor, theirs["size_divisor"]);
  EXPECT_EQ(ours.resample, theirs["resample"]);
  EXPECT_EQ(ours.do_center_crop, theirs["do_center_crop"]);
  EXPECT_EQ(ours.crop(), theirs["crop_size"]["shortest_edge"]);
  EXPECT_EQ(ours.do_rescale, theirs["do_rescale"]);
  EXPECT_EQ(ours.rescale_factor, theirs["rescale_factor"]);
  EXPECT_EQ(ours.do_normalize, theirs["do_normalize"]);
  EXPECT_EQ(json(ours.image_mean), theirs["image_mean"]);
  EXPECT_EQ(json(ours.image_std), theirs["image_std"]);
  EXPECT_EQ(ours.do_pad, theirs["do_pad"]);
}

TEST(ImageProcessorConfig, ReadsEveryKey) {
  const auto config = from(
      R"({"do_resize": false, "size": {"shortest_edge": 64, "longest_edge": 9}, "size_divisor": 7,
          "resample": 5, "do_center_crop": false, "crop_size": {"shortest_edge": 48},
          "do_rescale": false, "rescale_factor": 2, "do_normalize": false, "image_mean": [0, 1, 2],
          "image_std": 0.5, "do_pad": false})");
  EXPECT_FALSE(config.do_resize || config.do_center_crop || config.do_rescale ||
               config.do_normalize || config.do_pad);
  EXPECT_EQ(config.size, 64);
  EXPECT_EQ(config.size_divisor, 7);
  EXPECT_EQ(config.resample, 5);
  EXPECT_EQ(config.crop(), 48);
  EXPECT_EQ(config.rescale_factor, 2.0);
  EXPECT_EQ(config.image_mean, (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(config.image_std, std::vector<double>{0.5});
  EXPECT_EQ(from(R"({"size": 64})").size, 64);
  EXPECT_EQ(from(R"({"size": 64})").crop(), 64);
  EXPECT_EQ(from(R"({"size": 64, "crop_size": null})").crop(), 64);
}

TEST(ImageProcessorConfig, IgnoresLegacyAndUnknownKeys) {
  const auto config = from(
      R"({"pad_and_return_pixel_mask": false, "feature_extractor_type": "x", "pad_size": {},
          "do_convert_rgb": null, "image_processor_type": 7, "nonsense": [1]})");
  EXPECT_TRUE(config.do_pad);
  EXPECT_EQ(config.size, 288);
}

TEST(ImageProcessorConfig, TakesNullAsHuggingFaceDoes) {
  // A switch is off.
  EXPECT_FALSE(from(R"({"do_resize": null})").do_resize);
  EXPECT_FALSE(from(R"({"do_center_crop": null})").do_center_crop);
  EXPECT_FALSE(from(R"({"do_rescale": null})").do_rescale);
  EXPECT_FALSE(from(R"({"do_normalize": null})").do_normalize);
  EXPECT_FALSE(from(R"({"do_pad": null})").do_pad);
  // What a step needs may be null where the step is off.
  EXPECT_EQ(from(R"({"do_resize": false, "size": null, "resample": null})").size, 288);
  EXPECT_NO_THROW(from(R"({"do_rescale": false, "rescale_factor": null})"));
  EXPECT_NO_THROW(from(R"({"do_normalize": null, "image_mean": null, "image_std": null})"));
}

void expect_refused(const std::string& key, const std::string& expected,
                    const std::vector<std::pair<std::string, std::string>>& wrong) {
  for (const auto& [value, shown] : wrong) {
    SCOPED_TRACE(value);
    const std::string text = "{\"" + key.substr(0, key.find('.')) + "\": " + value + "}";
    expect_error(ErrorCode::kConfig, "file: " + key + ": expected " + expected + ", got " + shown,
                 [&] { from(text); });
  }
}

TEST(ImageProcessorConfig, RefusesEveryKeyOfAnotherTypeOrOutOfRange) {
  for (const char* key : {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_pad"}) {
    expect_refused(
        key, "true or false",
        {{"1", "1"}, {"\"x\"", "string \"x\""}, {"[]", "an array"}, {"{}", "an object"}});
  }
  expect_refused("size", "an integer from 1 to 16384",
                 {{"0", "0"},
                  {"-1", "-1"},
                  {"16385", "16385"},
                  {"48.0", "48.0"},
                  {"18446744073709551615", "18446744073709551615"}});
  for (const char* key : {"size", "crop_size"}) {
    expect_refused(key, "an object with shortest_edge",
                   {{"\"48\"", "string \"48\""},
                    {"[48]", "an array"},
                    {"{}", "an object"},
                    {R"({"longest_edge": 48})", "an object"},
                    {R"({"height": 48, "width": 48})", "an object"}});
    expect_refused(std::string(key) + ".shortest_edge", "an integer from 1 to 16384",
                   {{R"({"shortest_edge": 0})", "0"},
                    {R"({"shortest_edge": -48})", "-48"},
                    {R"({"shortest_edge": 48.5})", "48.5"},
                    {R"({"shortest_edge": null})", "null"},
                    {R"({"shortest_edge": true})", "true"},
                    {R"({"shortest_edge": "48"})", "string \"48\""},
                    {R"({"shortest_edge": 1000000})", "1000000"}});
  }
  expect_refused("size", "an object with shortest_edge", {{"null", "null"}});
  expect_refused("crop_size", "an object with shortest_edge", {{"48", "48"}});
  expect_refused("size_divisor", "an integer from 1 to 16384",
                 {{"0", "0"},
                  {"-16", "-16"},
                  {"16.0", "16.0"},
                  {"null", "null"},
                  {"\"16\"", "string \"16\""}});
  expect_refused("resample", "one of Pillow's codes 0 to 5",
                 {{"-1", "-1"},
                  {"6", "6"},
                  {"3.0", "3.0"},
                  {"true", "true"},
                  {"null", "null"},
                  {"\"bicubic\"", "string \"bicubic\""}});
  expect_refused("rescale_factor", "a number that float can hold",
                 {{"1e39", "1e+39"},
                  {"null", "null"},
                  {"true", "true"},
                  {"\"x\"", "string \"x\""},
                  {"[1]", "an array"}});
  for (const char* key : {"image_mean", "image_std"}) {
    expect_refused(key, "a number that float can hold",
                   {{"null", "null"},
                    {"\"x\"", "string \"x\""},
                    {"[0.5, 0.5, null]", "null"},
                    {"[0.5, 0.5, 1e39]", "1e+39"},
                    {"{}", "an object"}});
    expect_refused(key, "1 or 3 numbers",
                   {{"[]", "an array"}, {"[1, 2]", "an array"}, {"[1, 2, 3, 4]", "an array"}});
  }
  expect_refused("image_std", "numbers other than 0",
                 {{"0", "0"}, {"[1, 0.0, 1]", "an array"}, {"1e-50", "1e-50"}});
}

TEST(ImageProcessorConfig, RefusesWhatIsNoJsonObject) {
  expect_error(ErrorCode::kFormat, "file: JSON: expected an object, got null",
               [] { from("null"); });
  expect_error(ErrorCode::kFormat, "file: byte 1: expected JSON, got the end of the text",
               [] { from("{"); });
  expect_error(ErrorCode::kFormat,
               "file: byte 23: expected JSON, got a number beyond double precision",
               [] { from("{\"rescale_factor\": 1e999}"); });
  const TemporaryDirectory directory;
  expect_error(ErrorCode::kIo,
               (directory.path() / "preprocessor_config.json").string() +
                   ": open: expected a regular file, got No such file or directory",
               [&] { ImageProcessorConfig::from_pretrained(directory.path()); });
}

TEST(ImageProcessorConfig, SetsKnownKeysOnly) {
  ImageProcessorConfig config;
  config.set("size", "64");
  config.set("crop_size", "null");
  config.set("pad_and_return_pixel_mask", "true");
  EXPECT_EQ(config.crop(), 64);
  expect_error(ErrorCode::kConfig,
               "image processor: \"nonsense\" is no key of preprocessor_config.json",
               [&] { config.set("nonsense", "1"); });
  expect_error(ErrorCode::kConfig,
               "image processor: size: expected an integer from 1 to 16384, got 0",
               [&] { config.set("size", "0"); });
  expect_error(ErrorCode::kFormat, "image processor: size: byte 0: expected JSON, got \"x\"",
               [&] { config.set("size", "x"); });
}

TEST(ImageProcessorConfig, ChecksFieldsSetByHand) {
  const auto refuse = [](const std::string& message, const auto& change) {
    ImageProcessorConfig config;
    change(config);
    expect_error(ErrorCode::kConfig, "image processor: " + message, [&] { config.validate(); });
  };
  const std::string side = ": expected an integer from 1 to 16384, got ";
  refuse("size" + side + "0", [](auto& c) { c.size = 0; });
  refuse("size_divisor" + side + "0", [](auto& c) { c.size_divisor = 0; });
  refuse("crop_size" + side + "-1", [](auto& c) { c.crop_size = -1; });
  refuse("crop_size" + side + "1099511627776",
         [](auto& c) { c.crop_size = std::int64_t{1} << 40; });
  refuse("resample: expected one of Pillow's codes 0 to 5, got 6", [](auto& c) { c.resample = 6; });
  refuse("rescale_factor: expected a number that float can hold, got null",
         [](auto& c) { c.rescale_factor = std::nan(""); });
  refuse("image_mean: expected 1 or 3 numbers, got an array", [](auto& c) {
    c.image_mean = {1, 2};
  });
  refuse("image_std: expected a number that float can hold, got null",
         [](auto& c) { c.image_std = {std::numeric_limits<double>::infinity()}; });
  refuse("image_std: expected numbers other than 0, got an array", [](auto& c) {
    c.image_std = {1, 1, 0};
  });
}

}  // namespace
}  // namespace bridgetower

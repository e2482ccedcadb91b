#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/preprocessing/image/image.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;
using testing::read_all;

const std::filesystem::path kFolder = std::filesystem::path(BRIDGETOWER_TEST_DATA) / "images";

/// Largest difference of a channel from what Pillow decodes.
int difference(const Image& image, const Tensor<std::uint8_t>& expected) {
  EXPECT_EQ((Shape{image.height(), image.width(), image.channels()}), expected.shape());
  int largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(image.data()[i] - expected.data()[i]));
  }
  return largest;
}

TEST(Image, DecodesEveryKindAsPillowDoes) {
  const SafetensorsFile golden(kFolder / "images.safetensors");
  int files = 0;
  for (const std::string& name : golden.names()) {
    if (name.rfind("pixels.", 0) != 0) continue;
    SCOPED_TRACE(name);
    const std::string file = name.substr(7);
    const bool jpeg = file.find(".jpg") != std::string::npos;
    // Another decoder than Pillow's: its inverse transform and colour conversion round differently.
    EXPECT_LE(difference(Image::load(kFolder / file), golden.tensor<std::uint8_t>(name)),
              jpeg ? 4 : 0);
    ++files;
  }
  EXPECT_EQ(files, 30);
}

void expect_refused(const std::string& bytes, ErrorCode code, const std::string& message) {
  expect_error(code, "picture: " + message, [&] { Image::decode(bytes, "picture"); });
}

TEST(Image, RefusesOtherFormats) {
  expect_refused("", ErrorCode::kFormat, "format: expected PNG or JPEG, got an empty file");
  expect_refused("GIF89a", ErrorCode::kFormat, "format: expected PNG or JPEG, got GIF");
  expect_refused("BM1234", ErrorCode::kFormat, "format: expected PNG or JPEG, got BMP");
  expect_refused("RIFF1234WEBP", ErrorCode::kFormat, "format: expected PNG or JPEG, got WebP");
  expect_refused("II*\n", ErrorCode::kFormat, "format: expected PNG or JPEG, got TIFF");
  expect_refused("hello", ErrorCode::kFormat, "format: expected PNG or JPEG, got something else");
}

TEST(Image, RefusesEveryTruncationOfAPng) {
  const std::string whole = read_all(kFolder / "grey-4bit.png");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(Image::decode(whole.substr(0, size), "picture"), FormatError) << size;
  }
}

TEST(Image, RefusesEveryTruncationOfAJpeg) {
  const std::string whole = read_all(kFolder / "grey.jpg");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(Image::decode(whole.substr(0, size), "picture"), FormatError) << size;
  }
}

TEST(Image, RefusesABrokenChecksum) {
  std::string bytes = read_all(kFolder / "grey-4bit.png");
  bytes[45] = static_cast<char>(bytes[45] ^ 1);
  expect_refused(bytes, ErrorCode::kFormat, "chunk at byte 33: its checksum does not fit its data");
}

TEST(Image, ChecksSizesBeforeItDecodes) {
  const std::string bytes = read_all(kFolder / "rgb.png");
  ImageLimits limits;
  limits.max_pixels = 40 * 56 - 1;
  expect_error(ErrorCode::kLimit, "picture: picture size: expected 1 to 2239 pixels, got 56 x 40",
               [&] { Image::decode(bytes, "picture", limits); });
  limits = {};
  limits.max_bytes = 100;
  expect_error(
      ErrorCode::kLimit,
      "picture: file size: expected at most 100 bytes, got " + std::to_string(bytes.size()),
      [&] { Image::decode(bytes, "picture", limits); });
  // A header of 2^30 x 2^30 pixels.
  std::string huge = bytes;
  huge[16] = huge[20] = 0x40;
  EXPECT_THROW(Image::decode(huge, "picture"), Error);
}

TEST(Image, RefusesFilesThatAreNone) {
  expect_error(ErrorCode::kIo,
               "/nowhere/x.png: open: expected a regular file, got No such file or directory",
               [] { Image::load("/nowhere/x.png"); });
  expect_error(ErrorCode::kIo, "/dev/null: open: expected a regular file, got a device",
               [] { Image::load("/dev/null"); });
}

TEST(Image, SurvivesAnyChangedByte) {
  for (const char* name : {"rgb.jpg", "palette.png", "exif-6.jpg", "rgba-16bit.png"}) {
    const std::string whole = read_all(kFolder / name);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << i % 8));
      try {
        Image::decode(bytes, name);
      } catch (const Error&) {
      }
    }
  }
}

TEST(Image, TakesPixelsFromMemory) {
  const Image image(1, 2, 1, {7, 9});
  EXPECT_EQ(image.data()[1], 9);
  expect_error(ErrorCode::kInput, "Image: values: expected 2, got 1", [] { Image(1, 2, 1, {7}); });
  expect_error(
      ErrorCode::kInput,
      "Image: size: expected height and width of at least 1, 1 or 3 channels, got 0 x 2 x 3",
      [] { Image(0, 2, 3); });
}

}  // namespace
}  // namespace bridgetower

#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/preprocessing/image/image.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/picture_bytes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using testing::big_endian;
using testing::chunk;
using testing::expect_error;
using testing::kPngSignature;
using testing::png_header;
using testing::read_all;
using testing::segment;
using testing::stored;

const std::filesystem::path kFolder = std::filesystem::path(testing::test_data()) / "images";

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
    // stb_image's inverse transform and colour conversion round differently.
    const bool exact = !jpeg || jpeg_decoder().rfind("libjpeg-turbo", 0) == 0;
    EXPECT_LE(difference(Image::load(kFolder / file), golden.tensor<std::uint8_t>(name)),
              exact ? 0 : 8);
    ++files;
  }
  EXPECT_EQ(files, 37);
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
  for (const char* name : {"grey.jpg", "rgb-progressive-444.jpg"}) {
    const std::string whole = read_all(kFolder / name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_THROW(Image::decode(whole.substr(0, size), "picture"), FormatError) << name << size;
    }
  }
}

/// A grey PNG of 2 x 2 pixels with this image data.
std::string png(const std::string& data) {
  return kPngSignature + png_header(2, 2, 8, 0) + chunk("IDAT", data) + chunk("IEND", "");
}

const std::string kRows("\0\x10\x20\0\x30\x40", 6);  // a filter byte and two pixels each

TEST(Image, RefusesBrokenPngs) {
  const Image good = Image::decode(png(stored(kRows)), "picture");
  EXPECT_EQ(good.data()[9], 0x40);
  const std::string empty_first = kPngSignature + png_header(2, 2, 8, 0) + chunk("IDAT", "") +
                                  chunk("IDAT", stored(kRows)) + chunk("IEND", "");
  EXPECT_EQ(Image::decode(empty_first, "picture").data()[9], 0x40);
  const auto refuse = [](const std::string& bytes, const std::string& message) {
    expect_refused(bytes, ErrorCode::kFormat, message);
  };
  const std::string data = chunk("IDAT", stored(kRows));
  const std::string end = chunk("IEND", "");
  refuse(kPngSignature + data + end,
         "chunk at byte 8: expected IHDR with 13 bytes, got another chunk");
  refuse(kPngSignature + png_header(2, 2, 8, 0) + end, "the picture is broken: no IDAT");
  refuse(kPngSignature + png_header(2, 2, 8, 0) + data,
         "chunk at byte 62: expected a chunk; the file has no IEND, got 0 bytes");
  refuse(kPngSignature + png_header(2, 2, 8, 0) + big_endian(0xFFFFFFFF, 4) + "IDAT1234",
         "chunk at byte 33: expected 4294967295 bytes of data, got 0");
  refuse(kPngSignature + png_header(2, 2, 9, 0) + data + end,
         "header: expected the size of a picture, got none that can be read");
  refuse(kPngSignature + png_header(2, 2, 8, 5) + data + end,
         "header: expected the size of a picture, got none that can be read");
  refuse(kPngSignature + png_header(2, 2, 8, 3) + data + end,
         "header: expected the size of a picture, got none that can be read");  // no palette
  refuse(png(stored(kRows.substr(0, 5))), "the picture is broken: not enough pixels");
  refuse(png(stored(kRows).substr(0, 9)), "the picture is broken: read past buffer");
  refuse(png(""), "the picture is broken: no IDAT");
  refuse(png("nonsense"), "the picture is broken: bad zlib header");
  refuse(png(stored("\x09" + kRows.substr(1))), "the picture is broken: invalid filter");
}

TEST(Image, RefusesPngsThatInflateBeyondTheirHeader) {
  expect_refused(png(stored(kRows + std::string(5'000'000, '\0'))), ErrorCode::kFormat,
                 "the picture is broken: outofmem");
  EXPECT_NO_THROW(Image::decode(png(stored(kRows + std::string(1000, '\0'))), "picture"));
}

TEST(Image, ChecksTheSizesInAHeader) {
  const auto sized = [](std::uint64_t width, std::uint64_t height) {
    return kPngSignature + png_header(width, height, 8, 0) + chunk("IDAT", "") + chunk("IEND", "");
  };
  const auto too_large = [&](std::uint64_t width, std::uint64_t height) {
    expect_refused(sized(width, height), ErrorCode::kLimit,
                   "picture size: expected 1 to 178956970 pixels, got " + std::to_string(width) +
                       " x " + std::to_string(height));
  };
  too_large(13378, 13378);
  too_large(16'000'000, 64);
  for (const auto& [width, height] : {std::pair<std::uint64_t, std::uint64_t>{0, 2},
                                      {2, 0},
                                      {1 << 25, 1},
                                      {1, 1ULL << 31},
                                      {16'000'000, 16'000'000}}) {
    expect_refused(sized(width, height), ErrorCode::kFormat,
                   "header: expected the size of a picture, got none that can be read");
  }
}

/// grey.jpg with a segment before the marker at `position`.
std::string jpeg_with(const std::string& segment, std::size_t position) {
  return read_all(kFolder / "grey.jpg").insert(position, segment);
}

TEST(Image, RefusesHuffmanTablesOfTooManyCodes) {
  const std::size_t end = read_all(kFolder / "grey.jpg").size() - 2;
  // A table: its number, 16 counts, and as many values as these say.
  const std::string small = std::string("\0\1", 2) + std::string(15, '\0') + '\7';
  const std::string large = '\1' + std::string(16, '\xFF');
  for (const std::size_t position : {std::size_t{2}, end}) {
    const std::string message = "Huffman table at byte " + std::to_string(position + 1) +
                                ": expected at most 256 codes, got 4080";
    expect_refused(jpeg_with(segment('\xC4', large), position), ErrorCode::kFormat, message);
    expect_refused(jpeg_with(segment('\xC4', small + large), position), ErrorCode::kFormat,
                   message);
    EXPECT_NO_THROW(Image::decode(jpeg_with(segment('\xC4', small), position), "picture"));
    // stb_image would read the counts of the second table from behind the segment.
    const std::string where = "Huffman table at byte " + std::to_string(position + 1);
    expect_refused(jpeg_with(segment('\xC4', small + std::string(9, '\1')), position),
                   ErrorCode::kFormat, where + ": expected 25 bytes, got 9");
    expect_refused(jpeg_with(segment('\xC4', small.substr(0, 17)), position), ErrorCode::kFormat,
                   where + ": expected 18 bytes, got 17");
  }
}

// Phones append films and second pictures; their bytes mean nothing here.
TEST(Image, IgnoresWhatFollowsTheEnd) {
  const std::string junk = "\xFF\xC4" + std::string(60, '\xFE') + "\xFF\xDA" + "\xFF";
  for (const char* name : {"grey.jpg", "rgb-progressive-444.jpg", "grey-4bit.png"}) {
    const std::string whole = read_all(kFolder / name);
    const Image expected = Image::decode(whole, name);
    const Image image = Image::decode(whole + junk, name);
    ASSERT_EQ(image.height(), expected.height());
    EXPECT_TRUE(std::equal(image.data(), image.data() + image.height() * image.width() * 3,
                           expected.data()));
  }
}

TEST(Image, RefusesBrokenSegmentsOfAJpeg) {
  const auto refuse = [](const std::string& bytes, const std::string& message) {
    expect_refused(bytes, ErrorCode::kFormat, message);
  };
  const std::string truncated =
      "JPEG data: expected an end marker, got the end of the file: it is truncated";
  refuse("\xFF\xD8\xFF", truncated);
  refuse("\xFF\xD8\xFF\xFF\xFF", truncated);
  refuse("\xFF\xD8\xFF\xE0", "segment at byte 3: expected a length, got the end of the file");
  refuse(std::string("\xFF\xD8\xFF\xE0\0\1\0\0", 8),
         "segment at byte 3: expected a length inside the file, got 1");
  refuse("\xFF\xD8\xFF\xE0\x7F\x7F--",
         "segment at byte 3: expected a length inside the file, got 32639");
  refuse("\xFF\xD8\xFF\xD9", "JPEG data: expected a scan, got none");
}

TEST(Image, LimitsTheScansOfAJpeg) {
  std::string bytes = "\xFF\xD8";
  for (int i = 0; i < 1001; ++i) bytes += segment('\xDA', "");
  expect_refused(bytes + "\xFF\xD9", ErrorCode::kLimit, "scans: expected at most 1000, got more");
}

TEST(Image, TakesGarbageInExifForNothing) {
  const auto entry = [](std::uint64_t tag, std::uint64_t type, std::uint64_t value) {
    return big_endian(tag, 2) + big_endian(type, 2) + big_endian(1, 4) + big_endian(value, 2) +
           std::string(2, '\0');
  };
  const auto tiff = [](const std::string& rest) { return "MM" + big_endian(42, 2) + rest; };
  const auto height = [](const std::string& exif) {
    const std::string payload = std::string("Exif\0\0", 6) + exif;
    return Image::decode(jpeg_with(segment('\xE1', payload), 2), "picture").height();
  };
  ASSERT_EQ(height(tiff(big_endian(8, 4) + big_endian(1, 2) + entry(0x112, 3, 6))), 26);  // turned
  ASSERT_EQ(
      height(tiff(big_endian(8, 4) + big_endian(2, 2) + entry(0x10F, 3, 1) + entry(0x112, 3, 6))),
      26)
      << "behind another entry";
  for (const std::string& exif : {
           std::string(),
           std::string("MM"),
           std::string("xxxxxxxxxxxx"),
           tiff(big_endian(0xFFFFFFFF, 4)),
           tiff(big_endian(7, 4)),
           tiff(big_endian(8, 4)),
           tiff(big_endian(8, 4) + big_endian(65535, 2) + entry(0x111, 3, 6)),
           tiff(big_endian(8, 4) + big_endian(1, 2) + entry(0x112, 3, 6).substr(0, 11)),
           tiff(big_endian(8, 4) + big_endian(1, 2) + entry(0x112, 4, 6)),
           tiff(big_endian(8, 4) + big_endian(1, 2) + entry(0x112, 3, 6).replace(4, 1, "\1")),
           tiff(big_endian(8, 4) + big_endian(1, 2) + entry(0x112, 3, 0)),
           tiff(big_endian(8, 4) + big_endian(1, 2) + entry(0x112, 3, 9)),
       }) {
    EXPECT_EQ(height(exif), 20);
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

#include <bridgetower/bridgetower.hpp>
#include <bridgetower/preprocessing/image/resize.hpp>

#include "tests/hostile/hostile.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/picture_bytes.hpp"

namespace bridgetower::hostile {
namespace {

using testing::big_endian;
using testing::chunk;
using testing::kPngSignature;
using testing::png_header;
using testing::segment;
using testing::stored;
constexpr ErrorCode kFormat = ErrorCode::kFormat;
constexpr ErrorCode kInput = ErrorCode::kInput;
constexpr ErrorCode kLimit = ErrorCode::kLimit;

std::string read_picture(const std::string& bytes) {
  const Image image = Image::load(put("picture", bytes));
  return std::to_string(image.height()) + " x " + std::to_string(image.width());
}

const std::string kEnd = chunk("IEND", "");

/// A picture with this header and these zlib data.
std::string png(const std::string& header, const std::string& data) {
  return kPngSignature + header + chunk("IDAT", data) + kEnd;
}

const std::string kRows("\0\x10\x20\0\x30\x40", 6);  // 2 x 2 grey pixels

std::string small_png() { return png(png_header(2, 2, 8, 0), stored(kRows)); }

/// Deflate's best: a run of zeros, 1032 to 1.
std::string many_zeros(std::size_t count) {
  // One block of fixed codes: a zero, then its repetition 258 times, each 8 + 5 bits.
  std::string bits;
  const auto put_code = [&bits](std::uint32_t code, int length) {
    while (length-- > 0) bits += (code >> length & 1) != 0 ? '1' : '0';
  };
  bits = "110";       // last block, fixed codes
  put_code(0x30, 8);  // the byte 0
  for (std::size_t done = 1; done + 258 <= count; done += 258) {
    put_code(0xC5, 8);  // a run of 258
    put_code(0, 5);     // of the byte before
  }
  put_code(0, 7);  // the end
  std::string stream = "\x78\x01";
  for (std::size_t i = 0; i < bits.size(); i += 8) {
    int byte = 0;
    for (std::size_t k = 0; k < 8 && i + k < bits.size(); ++k) byte |= (bits[i + k] - '0') << k;
    stream += static_cast<char>(byte);
  }
  return stream + std::string(4, '\0');
}

void add_png_headers(Cases& cases) {
  const auto size = [&](const std::string& name, std::uint64_t width, std::uint64_t height,
                        ErrorCode code, const std::string& message) {
    cases.refused(name, png(png_header(width, height, 8, 2), stored(kRows)), code, message);
  };
  size("4 billion pixels", 65535, 65535, kFormat, "the size of a picture");
  size("one row more than the limit", 13378, 13378, kLimit, "got 13378 x 13378");
  size("2^32 - 1 columns", 0xFFFFFFFF, 1, kFormat, "the size of a picture");
  size("2^32 - 1 columns and rows", 0xFFFFFFFF, 0xFFFFFFFF, kFormat, "the size of a picture");
  size("no columns", 0, 2, kFormat, "the size of a picture");
  size("no rows", 2, 0, kFormat, "the size of a picture");
  size("100 million pixels in 100 bytes", 10000, 10000, kFormat, "");
  const auto header = [&](const std::string& name, const std::string& text,
                          const std::string& message) {
    cases.refused(name, png(text, stored(kRows)), kFormat, message);
  };
  header("9 bits a pixel", png_header(2, 2, 9, 0), "the size of a picture");
  header("an unknown kind of colour", png_header(2, 2, 8, 5), "the size of a picture");
  header("a palette that is missing", png_header(2, 2, 8, 3), "the size of a picture");
  header("an unknown interlacing", png_header(2, 2, 8, 0, 7), "the size of a picture");
  cases.refused("interlaced rows that are not",
                png(png_header(200, 200, 8, 0, 1), stored(std::string(201 * 200, '\0'))), kFormat,
                "not enough pixels");
  header("16 bits in rows of 8", png_header(2, 2, 16, 2), "the picture is broken");
  header("a header of 12 bytes", chunk("IHDR", std::string(12, '\1')), "IHDR with 13 bytes");
  header("another chunk first", chunk("gAMA", "1234"), "IHDR with 13 bytes, got another chunk");
}

void add_png_bodies(Cases& cases) {
  cases.answered("as it should be", small_png(), "2 x 2");
  cases.refused("an empty file", "", kFormat, "PNG or JPEG, got an empty file");
  cases.refused("another format", "GIF89a", kFormat, "PNG or JPEG, got GIF");
  cases.refused("its signature and nothing else", kPngSignature, kFormat, "the file has no IEND");
  cases.refused("the last byte missing", small_png().substr(0, small_png().size() - 1), kFormat,
                "chunk at byte ");
  std::string damaged = small_png();
  damaged[45] ^= 1;
  cases.refused("a wrong checksum", damaged, kFormat, "its checksum does not fit its data");
  cases.refused("a chunk of 4 GB",
                kPngSignature + png_header(2, 2, 8, 0) + big_endian(0xFFFFFFFF, 4) + "IDAT1234",
                kFormat, "expected 4294967295 bytes of data");
  cases.refused("no pixels", kPngSignature + png_header(2, 2, 8, 0) + kEnd, kFormat, "no IDAT");
  const auto body = [&](const std::string& name, const std::string& data,
                        const std::string& message) {
    cases.refused(name, png(png_header(2, 2, 8, 0), data), kFormat, message);
  };
  body("data that are no zlib", "nonsense", "bad zlib header");
  body("zlib data cut off", stored(kRows).substr(0, 9), "read past buffer");
  body("a byte too few", stored(kRows.substr(0, 5)), "not enough pixels");
  body("a filter that does not exist", stored("\x09" + kRows.substr(1)), "invalid filter");
  cases.refused(
      "a bomb: 400 MB of zeros for 4 pixels",
      [] { return png(png_header(2, 2, 8, 0), many_zeros(400'000'000)); }, kFormat, "outofmem");
  cases.answered(
      "10000 empty chunks",
      [] {
        return kPngSignature + png_header(2, 2, 8, 0) + repeated(chunk("tEXt", ""), 10000) +
               chunk("IDAT", stored(kRows)) + kEnd;
      },
      "2 x 2");
  cases.answered("an orientation beyond the file",
                 kPngSignature + png_header(2, 2, 8, 0) +
                     chunk("eXIf", "MM" + big_endian(42, 2) + big_endian(0xFFFFFFFF, 4)) +
                     chunk("IDAT", stored(kRows)) + kEnd,
                 "2 x 2");
}

/// rgb.jpg with a segment behind its first marker.
std::string jpeg_with(const std::string& more) {
  return file_bytes(testing::test_data() + "/images/grey.jpg").insert(2, more);
}

/// The frame header of grey.jpg with other sizes.
std::string jpeg_sized(int height, int width) {
  std::string bytes = jpeg_with("");
  const std::size_t at = bytes.find("\xFF\xC0");
  return bytes.replace(
      at + 5, 4,
      big_endian(static_cast<unsigned>(height), 2) + big_endian(static_cast<unsigned>(width), 2));
}

}  // namespace

std::vector<Case> png_cases() {
  Cases cases("PNG", read_picture);
  add_png_bodies(cases);
  add_png_headers(cases);
  return cases.take();
}

std::vector<Case> jpeg_cases() {
  Cases cases("JPEG", read_picture);
  const std::string whole = jpeg_with("");
  cases.answered("as it should be", whole, "20 x 26");
  cases.refused("three bytes", "\xFF\xD8\xFF", kFormat, "an end marker");
  cases.refused("its first half", whole.substr(0, whole.size() / 2), kFormat, "it is truncated");
  cases.refused("the end marker missing", whole.substr(0, whole.size() - 2), kFormat,
                "it is truncated");
  cases.refused("a beginning and an end", "\xFF\xD8\xFF\xD9", kFormat, "a scan, got none");
  cases.refused("65500 x 65500 pixels", jpeg_sized(65500, 65500), kLimit,
                "expected 1 to 178956970 pixels, got 65500 x 65500");
  cases.refused("no rows", jpeg_sized(0, 26), ErrorCode::kFormat, "");
  cases.refused("no columns", jpeg_sized(20, 0), ErrorCode::kFormat, "");
  cases.refused("a segment beyond the file", "\xFF\xD8\xFF\xE0\x7F\x7F--", kFormat,
                "a length inside the file, got 32639");
  cases.refused("a segment of one byte", std::string("\xFF\xD8\xFF\xE0\0\1\0\0", 8), kFormat,
                "a length inside the file, got 1");
  cases.refused("a Huffman table of 4080 codes",
                jpeg_with(segment('\xC4', '\1' + std::string(16, '\xFF'))), kFormat,
                "at most 256 codes, got 4080");
  cases.refused("half of a Huffman table", jpeg_with(segment('\xC4', std::string(9, '\1'))),
                kFormat, "Huffman table");
  cases.refused(
      "1001 scans", [] { return "\xFF\xD8" + repeated(segment('\xDA', ""), 1001) + "\xFF\xD9"; },
      kLimit, "at most 1000, got more");
  const std::string arithmetic = replaced(whole, "\xFF\xC0", "\xFF\xC9");
  if (jpeg_decoder() == "stb_image") {
    cases.refused("arithmetic coding that is none", arithmetic, kFormat, "the picture is broken");
  } else {
    cases.answered("arithmetic coding that is none", arithmetic, "20 x 26");
  }
  cases.refused("lossless coding", replaced(whole, "\xFF\xC0", "\xFF\xC3"), kFormat, "");
  cases.refused("no frame", replaced(whole, "\xFF\xC0", "\xFF\xE5"), kFormat, "");
  cases.refused("two frames", jpeg_with(whole.substr(whole.find("\xFF\xC0"), 13)), kFormat, "");
  cases.refused(
      "12 bits a pixel",
      [whole] {
        std::string bytes = whole;
        bytes[bytes.find("\xFF\xC0") + 4] = 12;
        return bytes;
      },
      kFormat, "");
  cases.refused(
      "two components",
      [whole] {
        std::string bytes = whole;
        bytes[bytes.find("\xFF\xC0") + 9] = 2;
        return bytes;
      },
      kFormat, "");
  cases.answered("EXIF that leads outside",
                 jpeg_with(segment('\xE1', std::string("Exif\0\0MM", 8) + big_endian(42, 2) +
                                               big_endian(0xFFFFFFFF, 4))),
                 "20 x 26");
  cases.answered("EXIF of 65535 entries that are not there",
                 jpeg_with(segment('\xE1', std::string("Exif\0\0MM", 8) + big_endian(42, 2) +
                                               big_endian(8, 4) + big_endian(65535, 2))),
                 "20 x 26");
  return cases.take();
}

std::vector<Case> pixel_cases() {
  Cases cases("pixels", [](const std::string&) { return std::string(); });
  const auto call = [&](const std::string& name, std::function<void()> what, ErrorCode code,
                        const std::string& message) {
    cases.refused_call(name, std::move(what), code, message);
  };
  const auto run = [](const ImageProcessorConfig& config, const std::vector<Image>& images) {
    BridgeTowerImageProcessor processor(config);
    processor(images);
  };
  call(
      "a picture of no rows", [] { Image(0, 2, 3); }, kInput, "got 0 x 2 x 3");
  call(
      "a picture of -1 columns", [] { Image(2, -1, 3); }, kInput, "got 2 x -1 x 3");
  call(
      "2^62 rows", [] { Image(std::int64_t{1} << 62, 4, 1); }, kInput, "Image: size");
  call(
      "five channels", [] { Image(2, 2, 5); }, kInput, "got 2 x 2 x 5");
  call(
      "fewer values than pixels",
      [] {
        Image(2, 2, 1, {1, 2, 3});
      },
      kInput, "expected 4, got 3");
  call(
      "resizing to nothing", [] { resize(Image(2, 2, 1), 0, 2, Resample::kBicubic); }, kInput,
      "at least 1 x 1, got 0 x 2");
  call(
      "resizing to -1", [] { resize(Image(2, 2, 1), 2, -1, Resample::kBox); }, kInput,
      "got 2 x -1");
  call(
      "no pictures", [=] { run({}, {}); }, kInput, "at least 1, got 0");
  call(
      "grey beside colour",
      [=] {
        run({}, {Image(40, 40, 3), Image(40, 40, 1)});
      },
      kInput, "channels: expected 3, got 1");
  call(
      "three means for grey", [=] { run({}, {Image(40, 40, 1)}); }, kInput,
      "one for each image_mean");
  call(
      "a strip that becomes nothing", [=] { run({}, {Image(1, 2000, 3)}); }, kInput,
      "sides that fit a multiple of 32 pixels");
  call(
      "different sizes without padding",
      [=] {
        ImageProcessorConfig config;
        config.do_resize = config.do_center_crop = config.do_pad = false;
        run(config, {Image(40, 40, 3), Image(41, 40, 3)});
      },
      kInput, "sizes without do_pad: expected 41 x 40, got 40 x 40");
  return cases.take();
}

}  // namespace bridgetower::hostile

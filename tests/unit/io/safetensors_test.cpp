#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bridgetower/io/safetensors.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/expect_error.hpp"
#include "tests/support/safetensors_bytes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;
using testing::read_all;
using testing::safetensors_bytes;
using testing::safetensors_header;
using testing::TemporaryDirectory;

void expect_refused(const std::string& bytes, const std::string& message) {
  SCOPED_TRACE(message);
  const TemporaryDirectory directory;
  const auto file = directory.write("f", bytes);
  expect_error(ErrorCode::kFormat, file.string() + ": " + message,
               [&] { SafetensorsFile opened(file); });
}

/// A header of one tensor "w", which the named part makes wrong.
std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return safetensors_header("w", dtype, shape, offsets);
}

/// A program may have closed its standard input: the next file is number 0 then.
TEST(Safetensors, MayBeTheFirstFileOfTheSystem) {
  const TemporaryDirectory directory;
  const auto file = directory.write("f", safetensors_bytes(tensor("U8", "[3]", "[0,3]"), "abc"));
  const int standard_input = ::dup(0);
  ::close(0);
  {
    const SafetensorsFile opened(file);
    char bytes[3];
    opened.read_stored("w", 0, 3, bytes);
    EXPECT_EQ(std::string(bytes, 3), "abc");
    EXPECT_NE(::fcntl(0, F_GETFD), -1);
  }
  EXPECT_EQ(::fcntl(0, F_GETFD), -1) << "it is still open";
  if (standard_input >= 0) {
    ::dup2(standard_input, 0);
    ::close(standard_input);
  }
}

TEST(Safetensors, RefusesABrokenLengthOfTheHeader) {
  const std::string header = "{}";
  expect_refused("", "header: expected at least 8 bytes, got 0");
  expect_refused("1234567", "header: expected at least 8 bytes, got 7");
  expect_refused(safetensors_bytes(header, "", 0),
                 "header: expected a JSON object that begins with '{', got nothing");
  expect_refused(safetensors_bytes(header, "", 1),
                 "byte 1: expected JSON, got the end of the text");
  expect_refused(safetensors_bytes(header, "", 3), "header length: expected at most 2, got 3");
  expect_refused(safetensors_bytes(header, "", std::numeric_limits<std::uint64_t>::max()),
                 "header length: expected at most 2, got 18446744073709551615");
  expect_refused(safetensors_bytes(header, "", std::uint64_t{1} << 63),
                 "header length: expected at most 2, got 9223372036854775808");
  expect_refused(safetensors_bytes("", "", 2), "header length: expected at most 0, got 2");
}

TEST(Safetensors, LimitsTheHeaderWhateverTheSizeOfTheFile) {
  const TemporaryDirectory directory;
  const auto file = directory.write("f", safetensors_bytes("{", "", 100'000'001));
  std::filesystem::resize_file(file, 200'000'000);  // sparse
  expect_error(ErrorCode::kLimit,
               file.string() + ": header length: expected at most 100000000 bytes, got 100000001",
               [&] { SafetensorsFile opened(file); });
}

TEST(Safetensors, RefusesAHeaderThatIsNoJsonObject) {
  expect_refused(safetensors_bytes("[]"),
                 "header: expected a JSON object that begins with '{', got \"[]\"");
  expect_refused(safetensors_bytes(" {}"),
                 "header: expected a JSON object that begins with '{', got \" {}\"");
  expect_refused(safetensors_bytes("\x80\x02}q"),
                 "header: expected a JSON object that begins with '{', got \"\\x80\\x02}q\"");
  expect_refused(safetensors_bytes("{\"a\":}"), "byte 5: expected JSON, got \"\\\"a\\\":}\"");
  expect_refused(safetensors_bytes("{} x"), "byte 3: expected JSON, got \"{} x\"");
  expect_refused(safetensors_bytes(std::string("{}\0", 3)), "byte 2: expected JSON, got \"\\x00\"");
  expect_refused(safetensors_bytes("{\"a\":NaN}"), "byte 5: expected JSON, got \"\\\"a\\\":N\"");
  expect_refused(safetensors_bytes("{\"\xFF\":1}"), "byte 2: expected JSON, got \"\\\"\\xff\"");
  expect_refused(safetensors_bytes("{\"__metadata__\":{},\"__metadata__\":{}}"),
                 "byte 32: expected every key once, got \"__metadata__\" again");
  const std::string w = R"("w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  expect_refused(safetensors_bytes("{" + w + "," + w + "}", "x"),
                 "byte 55: expected every key once, got \"w\" again");
}

TEST(Safetensors, RefusesABrokenDescriptionOfATensor) {
  const auto refuse = [](const std::string& value, const std::string& message) {
    expect_refused(safetensors_bytes("{\"w\":" + value + "}", "abcd"), message);
  };
  refuse("7", "\"w\": expected an object, got 7");
  refuse("{}", "\"w\": dtype is missing");
  refuse(R"({"dtype":"F32","shape":[1]})", "\"w\": data_offsets is missing");
  refuse(R"({"dtype":"F32","data_offsets":[0,4]})", "\"w\": shape is missing");
  const auto described = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string("{\"dtype\":") + dtype + ",\"shape\":" + shape +
           ",\"data_offsets\":" + offsets + "}";
  };
  refuse(described("\"F33\"", "[1]", "[0,4]"),
         "\"w\": dtype: expected a safetensors dtype, got string \"F33\"");
  refuse(described("\"f32\"", "[1]", "[0,4]"),
         "\"w\": dtype: expected a safetensors dtype, got string \"f32\"");
  refuse(described("null", "[1]", "[0,4]"), "\"w\": dtype: expected a safetensors dtype, got null");
  refuse(described("\"F32\"", "4", "[0,4]"), "\"w\": shape: expected an array, got 4");
  const std::string integer = "expected an integer from 0 to 2^62, got ";
  refuse(described("\"F32\"", "[-1]", "[0,4]"), "\"w\": shape: " + integer + "-1");
  refuse(described("\"F32\"", "[1.0]", "[0,4]"), "\"w\": shape: " + integer + "1.0");
  refuse(described("\"F32\"", "[\"1\"]", "[0,4]"), "\"w\": shape: " + integer + "string \"1\"");
  refuse(described("\"F32\"", "[true]", "[0,4]"), "\"w\": shape: " + integer + "true");
  refuse(described("\"F32\"", "[9223372036854775808]", "[0,4]"),
         "\"w\": shape: " + integer + "9223372036854775808");
  refuse(described("\"F32\"", "[99999999999999999999]", "[0,4]"),
         "\"w\": shape: " + integer + "1e+20");
  refuse(described("\"F32\"", "[1e999]", "[0,4]"),
         "byte 33: expected JSON, got a number beyond double precision");
  refuse(described("\"F32\"", "[1]", "4"), "\"w\": data_offsets: expected two integers, got 4");
  refuse(described("\"F32\"", "[1]", "[0]"),
         "\"w\": data_offsets: expected two integers, got an array");
  refuse(described("\"F32\"", "[1]", "[0,4,4]"),
         "\"w\": data_offsets: expected two integers, got an array");
  refuse(described("\"F32\"", "[1]", "[0,null]"), "\"w\": data_offsets: " + integer + "null");
  refuse(described("\"F32\"", "[1]", "[-4,0]"), "\"w\": data_offsets: " + integer + "-4");
  refuse(described("\"F32\"", "[1]", "[0.5,4]"), "\"w\": data_offsets: " + integer + "0.5");
}

TEST(Safetensors, RefusesRangesThatAreNotTheData) {
  const std::string inside =
      "\"w\": data_offsets: expected a range inside the 8 bytes of data, got ";
  const std::string data = "12345678";
  expect_refused(safetensors_bytes(tensor("F32", "[1]", "[8,4]"), data), inside + "8 to 4");
  expect_refused(safetensors_bytes(tensor("F32", "[2]", "[4,12]"), data), inside + "4 to 12");
  expect_refused(
      safetensors_bytes(tensor("F32", "[1]", "[4611686018427387900,4611686018427387904]"), data),
      inside + "4611686018427387900 to 4611686018427387904");
  const auto two = [](const char* first, const char* second) {
    const auto entry = [](const std::string& name, const std::string& offsets) {
      return "\"" + name + R"(":{"dtype":"U8","shape":[4],"data_offsets":)" + offsets + "}";
    };
    return "{" + entry("a", first) + "," + entry("b", second) + "}";
  };
  expect_refused(safetensors_bytes(two("[0,4]", "[2,6]"), data),
                 "tensors overlap: expected a tensor that begins at byte 4, got 2");
  expect_refused(safetensors_bytes(two("[0,4]", "[0,4]"), data),
                 "tensors overlap: expected a tensor that begins at byte 4, got 0");
  expect_refused(safetensors_bytes(two("[1,5]", "[4,8]"), data),
                 "bytes of no tensor: expected a tensor that begins at byte 0, got 1");
  expect_refused(safetensors_bytes(two("[4,8]", "[8,12]"), data + data),
                 "bytes of no tensor: expected a tensor that begins at byte 0, got 4");
  const std::string whole = tensor("F32", "[2]", "[0,8]");
  const std::size_t size = 8 + whole.size() + 8;
  expect_refused(
      safetensors_bytes(whole, data + "9"),
      "file size: expected " + std::to_string(size) + ", got " + std::to_string(size + 1));
  expect_refused(safetensors_bytes("{}", "x"), "file size: expected 10, got 11");
  expect_refused(safetensors_bytes(whole, "1234567"),
                 "\"w\": data_offsets: expected a range inside the 7 bytes of data, got 0 to 8");
}

TEST(Safetensors, RefusesShapesThatDoNotFitTheirBytes) {
  const auto refuse = [](const char* dtype, const char* shape, const char* shown) {
    expect_refused(safetensors_bytes(tensor(dtype, shape, "[0,8]"), "12345678"),
                   std::string("\"w\": data_offsets: expected the bytes of ") + dtype + " " +
                       shown + ", got 8");
  };
  refuse("F32", "[3]", "[3]");
  refuse("F64", "[2]", "[2]");
  refuse("F16", "[]", "[]");
  refuse("F32", "[2,0]", "[2, 0]");
  // Products of 2^64 + 8 and 2^66, which would wrap around to 8 bytes and to 0.
  refuse("U8", "[8,2305843009213693953]", "[8, 2305843009213693953]");
  refuse("F32", "[4294967296,4294967296]", "[4294967296, 4294967296]");
  refuse("F64", "[4611686018427387904]", "[4611686018427387904]");
}

TEST(Safetensors, TakesMetadataOfStringsOnly) {
  expect_refused(safetensors_bytes(R"({"__metadata__":null})"),
                 "__metadata__: expected an object of strings, got null");
  expect_refused(safetensors_bytes(R"({"__metadata__":{"format":1}})"),
                 "__metadata__ \"format\": expected a string, got 1");
  const TemporaryDirectory directory;
  const SafetensorsFile file(
      directory.write("f", safetensors_bytes(R"({"__metadata__":{"format":"pt"}}   )")));
  EXPECT_EQ(file.metadata(), (SafetensorsFile::Metadata{{"format", "pt"}}));
  EXPECT_TRUE(file.names().empty());
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string whole = safetensors_bytes(tensor("F32", "[2]", "[0,8]"), "12345678");
  const TemporaryDirectory directory;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto file = directory.write("f", whole.substr(0, size));
    EXPECT_THROW(SafetensorsFile opened(file), FormatError) << size;
  }
}

TEST(Safetensors, SurvivesAnyChangedByte) {
  const std::string whole = safetensors_bytes(
      R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"I64","shape":[],"data_offsets":[4,12]}})",
      "123456789012");
  const TemporaryDirectory directory;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      const auto path = directory.write("f", bytes);
      try {
        const SafetensorsFile file(path);
        for (const std::string& name : file.names()) file.tensor<float>(name);
      } catch (const Error&) {
      }
    }
  }
}

TEST(Safetensors, OpensRegularFilesOnly) {
  const TemporaryDirectory directory;
  const std::string base = directory.path().string();
  const auto refuse = [](const std::string& path, const std::string& got) {
    expect_error(ErrorCode::kIo, path + ": open: expected a regular file, got " + got,
                 [&] { SafetensorsFile file(path); });
  };
  refuse(base + "/none", "No such file or directory");
  refuse(base, "a directory");
  refuse("/dev/null", "a device");
  ASSERT_EQ(mkfifo((base + "/fifo").c_str(), 0600), 0);
  refuse(base + "/fifo", "a FIFO");
  std::filesystem::create_symlink("loop", base + "/loop");
  refuse(base + "/loop", "Too many levels of symbolic links");
  directory.write("real", safetensors_bytes("{}"));
  std::filesystem::create_symlink("real", base + "/link");
  EXPECT_NO_THROW(SafetensorsFile(base + "/link"));
  expect_error(ErrorCode::kIo,
               base + "/real\\x00: open: expected a regular file, got a name with a zero byte",
               [&] { SafetensorsFile file(base + std::string("/real\0", 6)); });
}

TEST(Safetensors, NoticesAFileThatShrinks) {
  const TemporaryDirectory directory;
  const std::string header = tensor("F32", "[2]", "[0,8]");
  const auto path = directory.write("f", safetensors_bytes(header, "12345678"));
  const SafetensorsFile file(path);
  const std::string begin = std::to_string(8 + header.size());
  std::filesystem::resize_file(path, 8 + header.size() + 3);
  expect_error(ErrorCode::kIo,
               path.string() + ": read at byte " + begin + ": expected 8 bytes, got 3 bytes",
               [&] { file.tensor<float>("w"); });
}

TEST(Safetensors, AllowsScalarsAndTensorsWithoutElements) {
  const TemporaryDirectory directory;
  const SafetensorsFile file(directory.write(
      "f",
      safetensors_bytes(
          R"({"none":{"dtype":"F32","shape":[3,0],"data_offsets":[8,8]},"one":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"first":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}})",
          std::string("\0\0\0\0\0\0\xF0\x3F", 8))));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"first", "none", "one"}));
  EXPECT_EQ(file.tensor<float>("none").shape(), (Shape{3, 0}));
  const auto one = file.tensor<double>("one");
  EXPECT_EQ(one.rank(), 0U);
  EXPECT_EQ(*one.data(), 1.0);
}

template <class Stored>
std::string bytes_of(const std::vector<Stored>& values) {
  std::string bytes(values.size() * sizeof(Stored), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// The values of a tensor stored as `dtype`.
template <class Scalar, class Stored>
Tensor<Scalar> stored(const std::string& dtype, const std::vector<Stored>& values) {
  const TemporaryDirectory directory;
  const std::string data = bytes_of(values);
  const SafetensorsFile file(directory.write(
      "f", safetensors_bytes(tensor(dtype, "[" + std::to_string(values.size()) + "]",
                                    "[0," + std::to_string(data.size()) + "]"),
                             data)));
  return file.tensor<Scalar>("w");
}

TEST(Safetensors, WidensEveryHalf) {
  std::vector<std::uint16_t> all(1 << 16);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  const auto floats = stored<float>("F16", all);
  const auto doubles = stored<double>("F16", all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    // By the definition of IEEE 754 binary16.
    const int exponent = static_cast<int>(i >> 10 & 0x1F);
    const auto fraction = static_cast<double>(i & 0x3FF);
    double value =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) {
      value = fraction == 0 ? std::numeric_limits<double>::infinity()
                            : std::numeric_limits<double>::quiet_NaN();
    }
    if (i >> 15 == 1) value = -value;
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(floats.data()[i]) && std::isnan(doubles.data()[i])) << i;
    } else {
      ASSERT_EQ(static_cast<double>(floats.data()[i]), value) << i;
      ASSERT_EQ(doubles.data()[i], value) << i;
      ASSERT_EQ(std::signbit(floats.data()[i]), i >> 15 == 1) << i;
    }
  }
}

TEST(Safetensors, WidensEveryBfloat) {
  std::vector<std::uint16_t> all(1 << 16);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  const auto floats = stored<float>("BF16", all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, floats.data() + i, sizeof bits);
    ASSERT_EQ(bits, static_cast<std::uint32_t>(i) << 16);  // the upper half of a float
  }
}

TEST(Safetensors, RoundsDoublesToTheNearestFloat) {
  const std::vector<double> values{
      0.1, 1.0 + std::ldexp(1.0, -24), 1.0 + std::ldexp(3.0, -24), 1e-50, -1e-40, 1e39};
  const auto floats = stored<float>("F64", values);
  EXPECT_EQ(floats(0), 0.1F);
  EXPECT_EQ(floats(1), 1.0F);  // half way: to the even neighbour
  EXPECT_EQ(floats(2), 1.0F + std::ldexp(1.0F, -22));
  EXPECT_EQ(floats(3), 0.0F);
  EXPECT_EQ(floats(4), -1e-40F);
  EXPECT_EQ(floats(5), std::numeric_limits<float>::infinity());
  EXPECT_EQ(stored<double>("F64", values)(3), 1e-50);
  EXPECT_EQ(stored<double>("F32", std::vector<float>{0.1F})(0), static_cast<double>(0.1F));
}

TEST(Safetensors, ReadsIntegersAsTheyAre) {
  const std::vector<std::int64_t> integers{0, -1, std::numeric_limits<std::int64_t>::min()};
  const auto read = stored<std::int64_t>("I64", integers);
  EXPECT_EQ(std::vector<std::int64_t>(read.begin(), read.end()), integers);
  const std::vector<std::uint8_t> bytes{0, 127, 255};
  const auto pixels = stored<std::uint8_t>("U8", bytes);
  EXPECT_EQ(std::vector<std::uint8_t>(pixels.begin(), pixels.end()), bytes);
}

TEST(Safetensors, RefusesToReadATensorAsAnotherKind) {
  const TemporaryDirectory directory;
  const std::string path =
      directory.write("f", safetensors_bytes(tensor("I32", "[2]", "[0,8]"), "12345678")).string();
  const SafetensorsFile file(path);
  expect_error(ErrorCode::kFormat, path + ": \"w\": expected F16, BF16, F32 or F64, got I32",
               [&] { file.tensor<float>("w"); });
  expect_error(ErrorCode::kFormat, path + ": \"w\": expected I64, got I32",
               [&] { file.tensor<std::int64_t>("w"); });
  expect_error(ErrorCode::kFormat, path + ": \"w\": expected U8, got I32",
               [&] { file.tensor<std::uint8_t>("w"); });
  expect_error(ErrorCode::kFormat, path + ": \"v\" is missing", [&] { file.tensor<float>("v"); });
}

TEST(Safetensors, ReadsPartsInsideATensorOnly) {
  const TemporaryDirectory directory;
  const std::string data = bytes_of(std::vector<float>{1, 2, 3, 4});
  const std::string path = directory
                               .write("f", safetensors_bytes(R"({"a":{"dtype":"F32","shape":[3],)"
                                                             R"("data_offsets":[0,12]},"b":{)"
                                                             R"("dtype":"F32","shape":[1],)"
                                                             R"("data_offsets":[12,16]}})",
                                                             data))
                               .string();
  const SafetensorsFile file(path);
  std::vector<double> out(3);
  file.read("a", 1, 2, out.data());
  EXPECT_EQ(out, (std::vector<double>{2, 3, 0}));
  EXPECT_NO_THROW(file.read("a", 3, 0, out.data()));
  const auto refuse = [&](std::int64_t first, std::int64_t count, const std::string& got) {
    expect_error(ErrorCode::kInput,
                 path + ": \"a\": elements: expected a range inside 0 to 3, got " + got,
                 [&] { file.read("a", first, count, out.data()); });
  };
  refuse(1, 3, "3 from 1");
  refuse(-1, 1, "1 from -1");
  refuse(0, -1, "-1 from 0");
  refuse(std::numeric_limits<std::int64_t>::max(), 2, "2 from 9223372036854775807");
}

TEST(Safetensors, WritesWhatItReads) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "f";
  const std::map<std::string, AnyTensor> tensors{
      {"bytes", Tensor<std::uint8_t>({3}, {1, 2, 255})},
      {"doubles", Tensor<double>({1, 2}, {0.1, -1e300})},
      {"floats", Tensor<float>({2}, {0.5F, std::numeric_limits<float>::infinity()})},
      {"integers", Tensor<std::int64_t>(Shape{}, {-7})},
      {"none \"\\ \n\xC3\xA9", Tensor<float>(Shape{0, 4})}};
  write_safetensors(path, tensors, {{"key", "value \xE2\x82\xAC"}});
  EXPECT_EQ((read_all(path)[8]), '{');
  const SafetensorsFile file(path);
  EXPECT_EQ(file.metadata(), (SafetensorsFile::Metadata{{"key", "value \xE2\x82\xAC"}}));
  for (const auto& [name, any] : tensors) {
    std::visit(
        [&file, &key = name](const auto& expected) {
          using Scalar = std::remove_const_t<std::remove_reference_t<decltype(*expected.data())>>;
          const auto read = file.tensor<Scalar>(key);
          EXPECT_EQ(read.shape(), expected.shape());
          EXPECT_TRUE(std::equal(read.begin(), read.end(), expected.begin(), expected.end()));
        },
        any);
  }
}

TEST(Safetensors, WritesAllOrNothing) {
  const TemporaryDirectory directory;
  const std::string base = directory.path().string();
  const Tensor<float> one({1}, {1});
  write_safetensors(base + "/f", {{"a", one}}, {});
  const std::string before = read_all(base + "/f");

  expect_error(ErrorCode::kInput, base + "/f: name: expected UTF-8, got \"\\xff\"", [&] {
    write_safetensors(base + "/f", {{"\xFF", one}}, {});
  });
  expect_error(ErrorCode::kInput,
               base + "/f: __metadata__: expected another name, got a tensor of this name", [&] {
                 write_safetensors(base + "/f", {{"__metadata__", one}}, {});
               });
  expect_error(ErrorCode::kInput, base + "/f: metadata: expected UTF-8, got \"k: \\xff\"", [&] {
    write_safetensors(base + "/f", {{"a", one}}, {{"k", "\xFF"}});
  });
  EXPECT_EQ(read_all(base + "/f"), before);

  const auto refuse = [&](const std::string& path, const std::string& message) {
    expect_error(ErrorCode::kIo, path + ": " + message, [&] {
      write_safetensors(path, {{"a", one}}, {});
    });
  };
  refuse(base + "/none/f", "create: expected a writable directory, got No such file or directory");
  refuse(base, "create: expected a regular file, got a directory");
  refuse("/dev/full", "create: expected a regular file, got a device");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));

  // Replacing keeps who has the old file open whole, and leaves nothing else behind.
  const SafetensorsFile old(base + "/f");
  write_safetensors(base + "/f", {{"b", one}}, {});
  EXPECT_EQ(old.tensor<float>("a")(0), 1.0F);
  EXPECT_EQ(SafetensorsFile(base + "/f").names(), std::vector<std::string>{"b"});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(base), {}), 1);
}

}  // namespace
}  // namespace bridgetower

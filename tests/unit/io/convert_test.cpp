// Conversion to safetensors: equal tensors, whole files only, and roundings that agree with torch.
#include <gtest/gtest.h>

#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/io/convert.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/io/torch_checkpoint.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torch_file.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;

using nlohmann::json;
using testing::expect_error;
using testing::read_all;
using testing::TemporaryDirectory;

const std::string kData = testing::test_data();
const std::string kTiny = kData + "/tiny_model";

std::string stored(const TensorFile& file, const std::string& name) {
  const WeightSource::Info info = *file.find(name);
  const std::int64_t count = element_count(info.shape);
  std::string bytes(static_cast<std::size_t>(count) * size_of(info.dtype), '?');
  file.read_stored(name, 0, count, bytes.data());
  return bytes;
}

void expect_equal(const TensorFile& got, const TensorFile& expected) {
  ASSERT_EQ(got.names(), expected.names());
  for (const std::string& name : expected.names()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(got.find(name)->dtype, expected.find(name)->dtype);
    EXPECT_EQ(got.find(name)->shape, expected.find(name)->shape);
    EXPECT_TRUE(stored(got, name) == stored(expected, name));
  }
}

std::vector<std::string> files_of(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(directory)) {
    names.push_back(file.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// A copy of the tiny model with its float16 weights in a pytorch_model.bin.
void make_model(const fs::path& directory) {
  fs::create_directories(directory);
  for (const auto& file : fs::directory_iterator(kTiny)) {
    if (file.path().extension() == ".safetensors") continue;
    fs::copy_file(file.path(), directory / file.path().filename());
  }
  fs::copy_file(kData + "/torch/tiny_float16.bin", directory / "pytorch_model.bin");
}

TEST(Convert, KeepsEveryTensorOfTorchSave) {
  const TemporaryDirectory directory;
  for (const char* const name : {"layouts.bin", "plain.bin"}) {
    const fs::path out = directory.path() / name;
    const Converted converted = convert_checkpoint(kData + "/torch/" + name, out);
    const SafetensorsFile expected(kData + "/torch/layouts.safetensors");
    expect_equal(SafetensorsFile(out / "model.safetensors"), expected);
    EXPECT_EQ(converted.tensors, static_cast<std::int64_t>(expected.names().size()));
    EXPECT_EQ(converted.files, (std::vector<std::string>{"model.safetensors"}));
  }
}

TEST(Convert, CopiesTheFilesBesideTheWeights) {
  const TemporaryDirectory directory;
  const fs::path source = directory.path() / "source";
  const fs::path out = directory.path() / "a" / "b";
  make_model(source);
  const Converted converted = convert_checkpoint(source, out);
  EXPECT_EQ(files_of(out),
            (std::vector<std::string>{"config.json", "merges.txt", "model.safetensors",
                                      "preprocessor_config.json", "tokenizer.json",
                                      "tokenizer_config.json", "vocab.json"}));
  EXPECT_EQ(converted.files.size(), 7U);
  EXPECT_EQ(converted.files.back(), "model.safetensors");
  for (const char* const name : {"config.json", "vocab.json", "tokenizer.json"}) {
    EXPECT_EQ(read_all(out / name), read_all(source / name));
  }
  const SafetensorsFile got(out / "model.safetensors");
  EXPECT_EQ(got.metadata(), (SafetensorsFile::Metadata{{"format", "pt"}}));
  const TorchCheckpoint expected(source / "pytorch_model.bin");
  expect_equal(got, expected);
  std::uint64_t bytes = 0;
  for (const std::string& name : expected.names()) bytes += stored(expected, name).size();
  EXPECT_EQ(converted.bytes, bytes);
}

TEST(Convert, RoundsToFloat16AsTorchDoes) {
  const TemporaryDirectory directory;
  ConvertOptions options;
  options.dtype = DType::kF16;
  convert_checkpoint(kTiny, directory.path(), options);
  expect_equal(SafetensorsFile(directory.path() / "model.safetensors"),
               TorchCheckpoint(kData + "/torch/tiny_float16.bin"));
}

/// Floats and what torch 2.13 makes of them: x.half(), x.bfloat16().
TEST(Convert, RoundsEdgeCases) {
  struct Rounded {
    std::uint32_t value;
    std::uint16_t half;
    std::uint16_t bfloat;
  };
  constexpr Rounded kCases[] = {
      {0x00000000, 0x0000, 0x0000}, {0x80000000, 0x8000, 0x8000}, {0x3F800000, 0x3C00, 0x3F80},
      {0xBF800000, 0xBC00, 0xBF80}, {0x477FE000, 0x7BFF, 0x4780}, {0x477FEFFF, 0x7BFF, 0x4780},
      {0x477FF000, 0x7C00, 0x4780}, {0x47800000, 0x7C00, 0x4780}, {0x7F7FFFFF, 0x7C00, 0x7F80},
      {0x7F800000, 0x7C00, 0x7F80}, {0xFF800000, 0xFC00, 0xFF80}, {0x387FE000, 0x0400, 0x3880},
      {0x38800000, 0x0400, 0x3880}, {0x387FFFFF, 0x0400, 0x3880}, {0x33800000, 0x0001, 0x3380},
      {0x33000000, 0x0000, 0x3300}, {0x33000001, 0x0001, 0x3300}, {0x32FFFFFF, 0x0000, 0x3300},
      {0xB3C00000, 0x8002, 0xB3C0}, {0x33C00000, 0x0002, 0x33C0}, {0x34400000, 0x0003, 0x3440},
      {0x3F801000, 0x3C00, 0x3F80}, {0x3F803000, 0x3C02, 0x3F80}, {0x3F801001, 0x3C01, 0x3F80},
      {0x3F800FFF, 0x3C00, 0x3F80}, {0x3FFFF000, 0x4000, 0x4000}, {0x3F808000, 0x3C04, 0x3F80},
      {0x3F818000, 0x3C0C, 0x3F82}, {0x3F808001, 0x3C04, 0x3F81}, {0x3F807FFF, 0x3C04, 0x3F80},
      {0x00000001, 0x0000, 0x0000}, {0x00008000, 0x0000, 0x0000}, {0x00018000, 0x0000, 0x0002},
      {0x7F7F8000, 0x7C00, 0x7F80}, {0x7F7F7FFF, 0x7C00, 0x7F7F}, {0xC2F6E979, 0xD7B7, 0xC2F7},
      {0x3EAAAAAB, 0x3555, 0x3EAB}, {0x38000000, 0x0200, 0x3800}, {0x37FFFFFF, 0x0200, 0x3800},
  };
  std::string values;
  for (const Rounded& rounded : kCases) values += testing::bytes_of(rounded.value, 4);
  const auto count = static_cast<std::uint32_t>(std::size(kCases));
  namespace p = testing::pickle;
  const TemporaryDirectory directory;
  const auto source = directory.write(
      "x.bin",
      testing::zip_file(
          testing::torch_entries(
              p::dict({{"a", p::tensor(p::storage("0", count), 0, {count}, {1})}}), {values}))
          .bytes);
  for (const DType dtype : {DType::kF16, DType::kBF16, DType::kF32}) {
    ConvertOptions options;
    options.dtype = dtype;
    const fs::path out = directory.path() / to_string(dtype);
    convert_checkpoint(source, out, options);
    std::string expected;
    for (const Rounded& rounded : kCases) {
      expected += dtype == DType::kF32
                      ? testing::bytes_of(rounded.value, 4)
                      : testing::bytes_of(dtype == DType::kF16 ? rounded.half : rounded.bfloat, 2);
    }
    EXPECT_EQ(stored(SafetensorsFile(out / "model.safetensors"), "a"), expected)
        << to_string(dtype);
  }
}

TEST(Convert, KeepsIntegersAndAlignsTheRest) {
  const TemporaryDirectory directory;
  ConvertOptions options;
  options.dtype = DType::kBF16;
  convert_checkpoint(kData + "/torch/layouts.bin", directory.path(), options);
  const SafetensorsFile got(directory.path() / "model.safetensors");
  const SafetensorsFile expected(kData + "/torch/layouts.safetensors");
  EXPECT_EQ(stored(got, "int64"), stored(expected, "int64"));
  EXPECT_EQ(stored(got, "bfloat16"), stored(expected, "bfloat16"));
  for (const std::string& name : got.names()) {
    EXPECT_EQ(got.find(name)->dtype, name == "int64" ? DType::kI64 : DType::kBF16) << name;
  }
  const std::string bytes = read_all(directory.path() / "model.safetensors");
  const json header = json::parse(bytes.substr(
      8, static_cast<unsigned char>(bytes[8 - 8]) + 256U * static_cast<unsigned char>(bytes[1])));
  EXPECT_EQ(header["int64"]["data_offsets"][0], 0);
}

TEST(Convert, CutsIntoShards) {
  const TemporaryDirectory directory;
  const fs::path source = directory.path() / "source";
  const fs::path out = directory.path() / "out";
  make_model(source);
  ConvertOptions options;
  options.max_shard_bytes = 300'000;
  const Converted converted = convert_checkpoint(source, out, options);
  const json index = json::parse(read_all(out / "model.safetensors.index.json"));
  EXPECT_EQ(index["metadata"]["total_size"], converted.bytes);
  EXPECT_EQ(converted.files.back(), "model.safetensors.index.json");
  EXPECT_TRUE(fs::exists(out / "model-00001-of-00004.safetensors"));
  for (int i = 1; i <= 4; ++i) {
    const fs::path shard = out / ("model-0000" + std::to_string(i) + "-of-00004.safetensors");
    EXPECT_LT(fs::file_size(shard), 320'000U);
    EXPECT_EQ(SafetensorsFile(shard).metadata().at("format"), "pt");
  }
  const auto got = open_checkpoint(out);
  EXPECT_EQ(got->place(), (out / "model.safetensors.index.json").string());
  expect_equal(*got, TorchCheckpoint(source / "pytorch_model.bin"));
}

TEST(Convert, SaysInTheConfigWhatThePrecisionIs) {
  const TemporaryDirectory directory;
  const fs::path source = directory.path() / "source";
  make_model(source);
  json config = json::parse(read_all(source / "config.json"));
  config["torch_dtype"] = "float32";
  config["text_config"]["dtype"] = nullptr;
  config["vision_config"]["dtype"] = "float32";
  std::ofstream(source / "config.json") << config.dump(2) << "\n";
  ConvertOptions options;
  options.dtype = DType::kBF16;
  convert_checkpoint(source, directory.path() / "out", options);
  config["torch_dtype"] = "bfloat16";
  config["vision_config"]["dtype"] = "bfloat16";
  EXPECT_EQ(read_all(directory.path() / "out" / "config.json"), config.dump(2) + "\n");
}

TEST(Convert, WorksInPlaceBesideABinFile) {
  const TemporaryDirectory directory;
  make_model(directory.path());
  const Converted converted = convert_checkpoint(directory.path(), directory.path());
  EXPECT_EQ(converted.files, (std::vector<std::string>{"model.safetensors"}));
  expect_error(ErrorCode::kInput,
               directory.path().string() +
                   ": destination: expected another directory than the source, got the same",
               [&] { convert_checkpoint(directory.path(), directory.path()); });
}

TEST(Convert, LeavesNothingBehindWhenItFails) {
  const TemporaryDirectory directory;
  const fs::path source = directory.path() / "source";
  const fs::path out = directory.path() / "out";
  make_model(source);
  // Damage the last bytes of the last storage: found when nearly all has been written.
  std::string bytes = read_all(source / "pytorch_model.bin");
  const std::size_t notes = bytes.find("tiny_float16/version");
  ASSERT_NE(notes, std::string::npos);
  bytes[notes - 30 - 16 - 1] ^= 1;
  std::ofstream(source / "pytorch_model.bin", std::ios::binary) << bytes;
  EXPECT_THROW(convert_checkpoint(source, out), FormatError);
  for (const std::string& name : files_of(out)) {
    EXPECT_EQ(name.find("model.safetensors"), std::string::npos) << name;
  }
}

TEST(Convert, RefusesWhatItCannotDo) {
  const TemporaryDirectory directory;
  const std::string out = (directory.path() / "out").string();
  ConvertOptions options;
  options.dtype = DType::kF64;
  expect_error(ErrorCode::kInput, "convert: dtype: expected F32, F16, BF16 or I8, got F64",
               [&] { convert_checkpoint(kTiny, out, options); });
  convert_checkpoint(kTiny, out);
  options.dtype.reset();
  options.max_shard_bytes = 100'000;
  expect_error(ErrorCode::kInput,
               out +
                   ": destination: expected no model.safetensors, which goes before shards, got "
                   "one",
               [&] { convert_checkpoint(kTiny, out, options); });
  const auto file = directory.write("file", "");
  expect_error(ErrorCode::kIo,
               file.string() + ": create: expected a directory, got Not a directory",
               [&] { convert_checkpoint(kTiny, file); });
  // A view that repeats one element 2^60 times: more than any disk has.
  namespace p = testing::pickle;
  const auto huge = directory.write(
      "huge.bin",
      testing::zip_file(testing::torch_entries(
                            p::dict({{"a", p::tensor(p::storage("0", 1), 0,
                                                     {1U << 20, 1U << 20, 1U << 16}, {0, 0, 0})}}),
                            {std::string(4, '\0')}))
          .bytes);
  try {
    convert_checkpoint(huge, directory.path() / "huge");
    FAIL();
  } catch (const IoError& error) {
    EXPECT_EQ(error.subject(), "free space");
    EXPECT_EQ(error.expected(), "288230376151711744 bytes");
  }
}

}  // namespace
}  // namespace bridgetower

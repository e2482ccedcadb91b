// Models whose matrices are kept in bfloat16 and int8, from any file.
#include <gtest/gtest.h>

#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/io/convert.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::TemporaryDirectory;

const std::string kModel = testing::test_data() + "/tiny_model";

LoadOptions with(DType dtype) {
  LoadOptions options;
  options.dtype = dtype;
  return options;
}

ForwardInputs<float> inputs() {
  ForwardInputs<float> inputs;
  inputs.pixel_values = testing::random_tensor<float>({1, 3, 48, 48}, 1);
  inputs.input_ids = Tensor<std::int64_t>({1, 6}, {0, 84, 61, 90, 77, 2});
  return inputs;
}

std::vector<float> values(const Tensor<float>& tensor) { return {tensor.begin(), tensor.end()}; }

/// What all three heads say.
struct Answers {
  Answers(const fs::path& directory, DType dtype)
      : match(values(
            BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(directory, with(dtype))
                .forward(inputs())
                .logits)),
        words(values(BridgeTowerForMaskedLM<float>::from_pretrained(directory, with(dtype))
                         .forward(inputs())
                         .logits)),
        vectors(
            values(BridgeTowerForContrastiveLearning<float>::from_pretrained(directory, with(dtype))
                       .forward(inputs())
                       .text_embeds)) {}

  std::vector<float> match;
  std::vector<float> words;
  std::vector<float> vectors;
};

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, static_cast<double>(std::abs(a[i] - b[i])));
  }
  return largest;
}

/// Nothing near equality: a test that fails where weights are mixed up, or not rounded at all.
void expect_near(const Answers& got, const Answers& expected, double most) {
  for (const auto& [a, b] : {std::pair(got.match, expected.match),
                             {got.words, expected.words},
                             {got.vectors, expected.vectors}}) {
    ASSERT_EQ(a.size(), b.size());
    EXPECT_LT(largest_difference(a, b), most);
    EXPECT_GT(largest_difference(a, b), 0);
  }
}

fs::path int8_file(const TemporaryDirectory& directory) {
  ConvertOptions options;
  options.dtype = DType::kI8;
  convert_checkpoint(kModel, directory.path(), options);
  return directory.path() / "model.safetensors";
}

std::string read_all(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_all(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

TEST(Dtype, BFloat16AndInt8AreNearFloat32) {
  const Answers full(kModel, DType::kF32);
  expect_near(Answers(kModel, DType::kBF16), full, 0.04);
  expect_near(Answers(kModel, DType::kI8), full, 0.12);
}

TEST(Dtype, AnInt8FileGivesTheBitsOfInt8FromFloats) {
  const TemporaryDirectory directory;
  int8_file(directory);
  const Answers from_file(directory.path(), DType::kI8);
  const Answers from_floats(kModel, DType::kI8);
  EXPECT_EQ(from_file.match, from_floats.match);
  EXPECT_EQ(from_file.words, from_floats.words);
  EXPECT_EQ(from_file.vectors, from_floats.vectors);
}

TEST(Dtype, AnInt8FileServesInFloat32) {
  const TemporaryDirectory directory;
  int8_file(directory);
  expect_near(Answers(directory.path(), DType::kF32), Answers(kModel, DType::kF32), 0.06);
}

TEST(Dtype, AnInt8FileIsAQuarterOfFloat32) {
  const TemporaryDirectory eight, four;
  const auto weights = open_checkpoint(kModel);
  EXPECT_LT(fs::file_size(int8_file(eight)), kept_bytes(*weights, DType::kI8) + 100'000);
  EXPECT_GT(fs::file_size(int8_file(eight)), kept_bytes(*weights, DType::kI8));
}

TEST(Dtype, StatesOfAnotherTypeAreRefused) {
  const auto full = BridgeTowerModel<float>::from_pretrained(kModel);
  const auto eight = BridgeTowerModel<float>::from_pretrained(kModel, with(DType::kI8));
  Wanted wanted;
  wanted.pooler_output = true;
  expect_error(
      ErrorCode::kInput, "fuse: image state: expected one of this model, got another model's", [&] {
        eight.fuse(full.encode_image(inputs(), 0), eight.encode_text(inputs(), 0, true), wanted);
      });
}

TEST(Dtype, OptionsThatDoNotGoTogetherAreRefused) {
  LoadOptions options = with(DType::kI8);
  options.backend = Backend::kEigen;
  const std::string message =
      "load options: dtype: expected F32, as only the library's own kernels have others, got I8";
  expect_error(ErrorCode::kInput, message,
               [&] { BridgeTowerModel<float>::from_pretrained(kModel, options); });
  expect_error(ErrorCode::kInput, message,
               [&] { BridgeTowerModel<double>::from_pretrained(kModel, with(DType::kI8)); });
}

TEST(Dtype, Int8WithoutOrWithBadScalesIsRefused) {
  const TemporaryDirectory directory;
  const fs::path file = int8_file(directory);
  const std::string good = read_all(file);
  const std::string scale = "cross_modal_image_pooler.dense.weight.scale";
  const auto load = [&] {
    BridgeTowerModel<float>::from_pretrained(directory.path(), with(DType::kI8));
  };
  load();

  std::string renamed = good;
  renamed.replace(renamed.find(scale), scale.size(), scale.substr(0, scale.size() - 1) + "s");
  write_all(file, renamed);
  EXPECT_THROW(load(), WeightError);

  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, good.data(), sizeof header_bytes);
  const auto header = nlohmann::json::parse(good.substr(8, header_bytes));
  for (const auto& [name, entry] : header.items()) {
    if (name.find(scale) == std::string::npos) continue;
    const float none = std::nanf("");
    std::string broken = good;
    const std::size_t place = 8 + header_bytes + entry["data_offsets"][0].get<std::size_t>();
    std::memcpy(broken.data() + place, &none, sizeof none);
    write_all(file, broken);
    expect_error(ErrorCode::kWeight, file.string() + ": not finite: " + name, load);
  }
}

}  // namespace
}  // namespace bridgetower

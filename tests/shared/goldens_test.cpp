// The goldens beside the project, where they are at hand (CMake looks for the folder): every case
// through the library, as the program runs it.
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/golden.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/sha256.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::Golden;
using testing::NamedOutputs;

const std::filesystem::path kFolder =
    std::filesystem::path(testing::shared_directory()) / "goldens";

std::vector<json> entries(const std::string& kind) {
  const json all = json::parse(testing::read_all(kFolder / "goldens.json"));
  std::vector<json> chosen;
  for (const json& entry : all) {
    const std::string file = entry["file"];
    const bool image = file.rfind("images/", 0) == 0;
    const bool pair = file.rfind("pairs/", 0) == 0;
    if (kind == (image ? "images" : pair ? "pairs" : "models")) chosen.push_back(entry);
  }
  EXPECT_FALSE(chosen.empty());
  return chosen;
}

/// Runs the case's head; `check` gets its outputs by name.
template <class Scalar, class Check>
void run_case(const json& entry, const ForwardInputs<Scalar>& inputs, const Check& check) {
  const std::filesystem::path model = kFolder / entry["model"].get<std::string>();
  LoadOptions options;
  options.threads = 1;
  const auto run = [&](const auto& loaded) { check(NamedOutputs<Scalar>(loaded.forward(inputs))); };
  const std::string head = entry["head"];
  if (head == "base") run(BridgeTowerModel<Scalar>::from_pretrained(model, options));
  if (head == "itm") {
    run(BridgeTowerForImageAndTextRetrieval<Scalar>::from_pretrained(model, options));
  }
  if (head == "mlm") run(BridgeTowerForMaskedLM<Scalar>::from_pretrained(model, options));
  if (head == "itc") {
    run(BridgeTowerForContrastiveLearning<Scalar>::from_pretrained(model, options));
  }
}

template <class Scalar>
class SharedGoldens : public ::testing::Test {};

using Scalars = ::testing::Types<double, float>;
TYPED_TEST_SUITE(SharedGoldens, Scalars);

TYPED_TEST(SharedGoldens, Models) {
  for (const json& entry : entries("models")) {
    const std::string file = entry["file"];
    SCOPED_TRACE(file);
    const Golden golden(kFolder / file);
    const auto inputs = golden.forward_inputs<TypeParam>();
    if (entry.contains("raises")) {
      EXPECT_THROW(run_case<TypeParam>(entry, inputs, [](const auto&) {}), Error);
      continue;
    }
    run_case<TypeParam>(entry, inputs, [&golden](const NamedOutputs<TypeParam>& outputs) {
      outputs.expect_all_near(golden);
    });
  }
}

/// Pictures and texts through the processor, then the head; of masked words the best are stored.
TYPED_TEST(SharedGoldens, Pairs) {
  for (const json& entry : entries("pairs")) {
    const std::string file = entry["file"];
    SCOPED_TRACE(file);
    const Golden golden(kFolder / file);
    const auto processor =
        BridgeTowerProcessor::from_pretrained(kFolder / entry["model"].get<std::string>());
    std::vector<Image> images;
    for (const std::string image : entry["images"]) images.push_back(Image::load(kFolder / image));
    const BatchEncoding encoding =
        processor(images, entry["texts"].get<std::vector<std::string>>());
    const auto equal = [](const auto& a, const auto& b) {
      return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
    };
    EXPECT_TRUE(equal(encoding.input_ids, golden.input<std::int64_t>("input_ids")));
    EXPECT_TRUE(equal(encoding.attention_mask, golden.input<std::int64_t>("attention_mask")));
    EXPECT_TRUE(equal(encoding.pixel_values, golden.input<float>("pixel_values")));
    EXPECT_TRUE(equal(encoding.pixel_mask, golden.input<std::int64_t>("pixel_mask")));

    const ForwardInputs<TypeParam> inputs(encoding);
    run_case<TypeParam>(entry, inputs, [&](const NamedOutputs<TypeParam>& outputs) {
      if (entry["head"] != "mlm") {
        for (const char* name : {"logits", "text_embeds", "image_embeds", "cross_embeds"}) {
          if (golden.file().find(std::string("outputs.") + name))
            outputs.expect_one_near(golden, name);
        }
        return;
      }
      const auto positions = golden.file().tensor<std::int64_t>("outputs.mask_positions");
      const Tensor<TypeParam>& logits = outputs["logits"];
      const Tensor<double> expected = golden.output("mask_logits");
      Tensor<TypeParam> stored(expected.shape());
      for (std::int64_t i = 0; i < positions.dim(0); ++i) {
        for (std::int64_t v = 0; v < expected.dim(1); ++v) {
          stored(i, v) = logits(positions(i, 0), positions(i, 1), v);
        }
      }
      testing::expect_near(golden, "mask_logits", stored);
    });
  }
}

/// A tensor is stored whole, or as the hash of its bytes.
template <class Value>
void expect_same(const Golden& golden, const std::string& name, const Tensor<Value>& actual,
                 double atol) {
  const std::string hash = golden.fact("sha256." + name);
  if (!hash.empty()) {
    EXPECT_EQ(json(actual.shape()), json::parse(golden.fact("shape." + name)));
    const std::string_view bytes(reinterpret_cast<const char*>(actual.data()),
                                 actual.size() * sizeof(Value));
    EXPECT_EQ(testing::sha256(bytes), hash);
    return;
  }
  const auto expected = golden.file().tensor<Value>("outputs." + name);
  ASSERT_EQ(actual.shape(), expected.shape());
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(actual.data()[i]) -
                                         static_cast<double>(expected.data()[i])));
  }
  EXPECT_LE(largest, atol) << name;
}

TEST(SharedImages, GiveTheBitsOfHuggingFace) {
  for (const json& entry : entries("images")) {
    const std::string file = entry["file"];
    SCOPED_TRACE(file);
    const Golden golden(kFolder / file);
    // libjpeg-turbo is the decoder that made the goldens.
    const bool same_decoder = jpeg_decoder().rfind("libjpeg-turbo", 0) == 0;
    const double atol = same_decoder ? 0.0 : std::stod(golden.fact("atol"));
    const auto process = [&entry] {
      ImageProcessorConfig config;
      for (const auto& [key, value] : entry["set"].items()) config.set(key, value.dump());
      std::vector<Image> images;
      for (const std::string image : entry["images"])
        images.push_back(Image::load(kFolder / image));
      return BridgeTowerImageProcessor(config)(images);
    };
    if (entry.contains("raises")) {
      EXPECT_THROW(process(), Error);
      continue;
    }
    const ImageFeatures features = process();
    if (features.pixel_bytes.empty()) {
      expect_same(golden, "pixel_values", features.pixel_values, atol);
    } else {
      expect_same(golden, "pixel_values", features.pixel_bytes, atol);
    }
    const bool masked =
        golden.file().find("outputs.pixel_mask") || !golden.fact("sha256.pixel_mask").empty();
    EXPECT_EQ(features.pixel_mask.empty(), !masked);
    if (masked) expect_same(golden, "pixel_mask", features.pixel_mask, 0);
  }
}

}  // namespace
}  // namespace bridgetower

// Each limit has one name, one default and one line of documentation; the default lets ordinary
// inputs through, and a lower one refuses them.
#include <gtest/gtest.h>

#include <bridgetower/bridgetower.hpp>
#include <bridgetower/core/limits.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/io/torch_checkpoint.hpp>
#include <bridgetower/preprocessing/text/roberta_tokenizer.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <functional>
#include <set>

#include "tests/hostile/hostile.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower::hostile {
namespace {

namespace fs = std::filesystem;

const fs::path kData = testing::test_data();
const fs::path kTiny = kData / "tiny_model";

struct LimitCase {
  const char* name;
  std::function<void(Limits&)> lower;
  std::function<void(const Limits&)> use;
  const char* message;  ///< a part of it
};

void decode(const char* picture, const Limits& limits) {
  Image::load(kData / "images" / picture, limits.image);
}

void prepare(const Limits& limits, std::size_t pictures = 1) {
  BridgeTowerProcessor::from_pretrained(kTiny, "main", limits)
      .encode_images(std::vector<Image>(pictures, Image(60, 80, 3)));
}

void tokenize(const Limits& limits, std::int64_t padded = 12) {
  EncodeOptions options;
  options.padding = Padding::kMaxLength;
  options.max_length = padded;
  RobertaTokenizer::from_pretrained(kTiny, "main", limits)->encode("a cat", options);
}

void load(const Limits& limits) {
  LoadOptions options;
  options.threads = 1;
  options.limits = limits;
  BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(kTiny, options);
}

void open_index(const Limits& limits) {
  static const fs::path directory = [] {
    const fs::path made = scratch() / "limited";
    IndexBuilder builder(made, std::string(64, 'a'), 2, {});
    builder.commit();
    return made;
  }();
  EmbeddingIndex::open(directory, 1, limits);
}

void read_config(const Limits& limits) {
  BridgeTowerConfig::from_pretrained(kTiny, "main", limits);
}

void open_torch(const Limits& limits) { TorchCheckpoint(kData / "torch/layouts.bin", limits); }

void forward(const Limits& limits) {
  static const auto model = BridgeTowerModel<float>::from_pretrained(kTiny);
  ForwardInputs<float> inputs;
  inputs.max_batch = limits.batch;
  inputs.input_ids = Tensor<std::int64_t>({2, 2}, {0, 2, 0, 2});
  inputs.pixel_values.emplace(Shape{2, 3, 48, 48});
  model.forward(inputs);
}

const LimitCase kCases[] = {
    {"max_bytes", [](auto& l) { l.image.max_bytes = 100; }, [](auto& l) { decode("rgb.png", l); },
     "file size: expected at most 100 bytes"},
    {"max_pixels", [](auto& l) { l.image.max_pixels = 100; }, [](auto& l) { decode("rgb.png", l); },
     "picture size: expected 1 to 100 pixels"},
    {"max_scans", [](auto& l) { l.image.max_scans = 1; },
     [](auto& l) { decode("odd-progressive.jpg", l); }, "scans: expected at most 1, got more"},
    {"pixels", [](auto& l) { l.pixels = 48 * 48 - 1; }, [](auto& l) { prepare(l); },
     "prepared picture: expected at most 2303 pixels"},
    {"text_bytes", [](auto& l) { l.text_bytes = 4; }, [](auto& l) { tokenize(l); },
     "text: length: expected at most 4 bytes, got 5"},
    {"tokens", [](auto& l) { l.tokens = 11; }, [](auto& l) { tokenize(l); },
     "padding: max_length: expected at most 11 tokens, got 12"},
    {"batch", [](auto& l) { l.batch = 1; }, [](auto& l) { prepare(l, 2); },
     "number of pictures: expected at most 1, got 2"},
    {"batch of texts", [](auto& l) { l.batch = 1; },
     [](auto& l) {
       RobertaTokenizer::from_pretrained(kTiny, "main", l)->encode_batch({"a", "b"});
     },
     "number of texts: expected at most 1, got 2"},
    {"batch of a model", [](auto& l) { l.batch = 1; }, forward, "batch: expected at most 1, got 2"},
    {"config_bytes", [](auto& l) { l.config_bytes = 100; }, read_config,
     "config.json: file size: expected at most 100 bytes"},
    {"config_bytes of the processor", [](auto& l) { l.config_bytes = 100; },
     [](auto& l) { ImageProcessorConfig::from_pretrained(kTiny, "main", l); },
     "preprocessor_config.json: file size: expected at most 100 bytes"},
    {"vocabulary_bytes", [](auto& l) { l.vocabulary_bytes = 100; }, [](auto& l) { tokenize(l); },
     "tokenizer.json: file size: expected at most 100 bytes"},
    {"token_bytes", [](auto& l) { l.token_bytes = 5; }, [](auto& l) { tokenize(l); },
     "added token \"<mask>\": expected at most 5 bytes, got 6"},
    {"listing_bytes", [](auto& l) { l.listing_bytes = 100; }, open_index,
     "manifest.json: file size: expected at most 100 bytes"},
    {"listing_bytes of a zip", [](auto& l) { l.listing_bytes = 100; }, open_torch,
     "size of the central directory: expected at most 100 bytes"},
    {"header_bytes", [](auto& l) { l.header_bytes = 100; }, load,
     "header length: expected at most 100 bytes"},
    {"pickle_bytes", [](auto& l) { l.pickle_bytes = 100; }, open_torch,
     "data.pkl\": expected at most 100 bytes"},
    {"pickle_values", [](auto& l) { l.pickle_values = 10; }, open_torch, "expected at most 10 "},
    {"tensors", [](auto& l) { l.tensors = 10; }, load, "tensors: expected at most 10"},
    {"tensors of a zip", [](auto& l) { l.tensors = 2; }, open_torch, "entries: expected at most 2"},
    {"json_depth", [](auto& l) { l.json_depth = 1; }, read_config, "nesting of at most 1"},
    {"json_values", [](auto& l) { l.json_values = 10; }, read_config, "at most 10 JSON values"},
    {"json_memory", [](auto& l) { l.json_memory = 100; }, read_config,
     "a tree of at most 100 bytes beside the text's length"},
    {"model_memory", [](auto& l) { l.model_memory = 1'000'000; }, load,
     "memory of the model: expected at most 1000000 bytes"},
};

class Limit : public ::testing::TestWithParam<LimitCase> {};
INSTANTIATE_TEST_SUITE_P(Limits, Limit, ::testing::ValuesIn(kCases), [](const auto& limit) {
  std::string name = limit.param.name;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
});

TEST_P(Limit, LetsOrdinaryInputsThroughAndRefusesBeyondIt) {
  Limits limits;
  GetParam().use(limits);
  GetParam().lower(limits);
  try {
    GetParam().use(limits);
    ADD_FAILURE() << "nothing was refused";
  } catch (const LimitError& error) {
    EXPECT_NE(std::string(error.what()).find(GetParam().message), std::string::npos)
        << error.what();
  }
}

/// Names of members, one a line that ends in a default.
std::set<std::string> limits_in_header() {
  std::set<std::string> names;
  const std::string text = file_bytes(kData / "../../include/bridgetower/core/limits.hpp");
  for (std::size_t equals = text.find(" = "); equals != std::string::npos;
       equals = text.find(" = ", equals + 1)) {
    const std::size_t space = text.rfind(' ', equals - 1);
    names.insert(text.substr(space + 1, equals - space - 1));
  }
  return names;
}

TEST(LimitsHeader, EveryLimitIsTestedAndDocumented) {
  std::set<std::string> tested;
  for (const LimitCase& limit : kCases) {
    const std::string name = limit.name;
    tested.insert(name.substr(0, name.find(' ')));
  }
  EXPECT_EQ(limits_in_header(), tested);
  const std::string docs = file_bytes(kData / "../../docs/errors.md");
  for (const std::string& name : tested) {
    EXPECT_NE(docs.find("`" + name + "`"), std::string::npos)
        << name << " is not in docs/errors.md";
  }
}

// The estimate is checked before a single weight is read.
TEST(LimitsHeader, TheModelsMemoryIsKnownExactly) {
  const Checkpoint checkpoint = Checkpoint::open(kTiny);
  const std::uint64_t weights = kept_bytes(*checkpoint.weights, DType::kF32);
  std::uint64_t floats = 0;
  for (const std::string& name : checkpoint.weights->names()) {
    const auto info = checkpoint.weights->find(name);
    floats += static_cast<std::uint64_t>(element_count(info->shape)) * size_of(info->dtype);
  }
  EXPECT_EQ(weights, floats);
  EXPECT_EQ(kept_bytes(*checkpoint.weights, DType::kF64), 2 * floats);
  LoadOptions options;
  options.threads = 1;
  const auto beside = static_cast<std::uint64_t>(workspace_bytes(checkpoint.config, 40, 1));
  options.limits.model_memory = weights + beside;
  EXPECT_NO_THROW(BridgeTowerModel<float>::from_pretrained(kTiny, options));
  --options.limits.model_memory;
  testing::expect_error(
      ErrorCode::kLimit,
      (kTiny / "model.safetensors").string() + ": memory of the model: expected at most " +
          std::to_string(weights + beside - 1) + " bytes, got " + std::to_string(weights) +
          " of weights and " + std::to_string(beside) + " beside them",
      [&] { BridgeTowerModel<float>::from_pretrained(kTiny, options); });
}

}  // namespace
}  // namespace bridgetower::hostile

#include <gtest/gtest.h>

#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/pipeline/state_file.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;
using testing::TemporaryDirectory;

const std::string kModel = testing::test_data() + "/tiny_model";
using Matching = BridgeTowerForImageAndTextRetrieval<float>;

const Matching& matching() {
  static const auto model = Matching::from_pretrained(kModel);
  return model;
}
const BridgeTowerModel<float>& model() { return matching().model(); }

/// One picture and one text of six tokens; of `hidden` ones, the last may not be attended to.
struct States {
  explicit States(bool hidden = false) {
    ForwardInputs<float> inputs;
    inputs.pixel_values = testing::random_tensor<float>({1, 3, 48, 48}, 1);
    inputs.input_ids = Tensor<std::int64_t>({1, 6}, {0, 84, 61, 90, 77, 2});
    if (hidden) inputs.attention_mask = Tensor<std::int64_t>({1, 6}, {1, 1, 1, 1, 1, 0});
    image = model().encode_image(inputs, 0);
    text = model().encode_text(inputs, 0, true);
  }
  ImageState<float> image;
  TextState<float> text;
};

std::vector<float> logits(const ImageState<float>& image, const TextState<float>& text) {
  const Tensor<float> both = matching().score(image, text);
  return {both.begin(), both.end()};
}

/// The tiny model with one value changed.
BridgeTowerModel<float> another_model() {
  const TemporaryDirectory directory;
  const SafetensorsFile file(kModel + "/model.safetensors");
  std::map<std::string, AnyTensor> tensors;
  for (const std::string& name : file.names()) {
    Tensor<float> values = file.tensor<float>(name);
    if (name.find("cross_modal_text_pooler.dense.bias") != std::string::npos) {
      *values.data() += 0.5F;
    }
    tensors.emplace(name, std::move(values));
  }
  BridgeTowerConfig::from_pretrained(kModel).save_pretrained(directory.path());
  write_safetensors(directory.path() / "model.safetensors", tensors, {});
  return BridgeTowerModel<float>::from_pretrained(directory.path());
}

TEST(StateFile, F32GivesTheBitsOfTheFreshState) {
  const TemporaryDirectory directory;
  for (const bool hidden : {false, true}) {
    const States fresh(hidden);
    const std::vector<float> expected = logits(fresh.image, fresh.text);
    save_state(directory.path() / "i", fresh.image);
    save_state(directory.path() / "t", fresh.text);
    const auto image = load_image_state(directory.path() / "i", model());
    const auto text = load_text_state(directory.path() / "t", model());
    EXPECT_EQ(logits(image, text), expected);
    EXPECT_EQ(text.attended, fresh.text.attended);
    EXPECT_EQ(pack_state(image), pack_state(fresh.image));
    EXPECT_EQ(pack_state(text), testing::read_all(directory.path() / "t"));
    EXPECT_EQ(logits(unpack_image_state(pack_state(fresh.image), model()),
                     unpack_text_state(pack_state(fresh.text), model())),
              expected);
  }
}

TEST(StateFile, BF16IsNearAndExactForWhatItHasKept) {
  const States fresh;
  const std::string packed = pack_state(fresh.image, DType::kBF16);
  const auto image = unpack_image_state(packed, model());
  EXPECT_EQ(pack_state(image, DType::kBF16), packed);
  for (std::size_t i = 0; i < image.cls.size(); ++i) {
    const float exact = fresh.image.cls.data()[i];
    EXPECT_NEAR(image.cls.data()[i], exact, std::abs(exact) / 256);
  }
  const std::vector<float> expected = logits(fresh.image, fresh.text);
  const std::vector<float> rounded = logits(image, fresh.text);
  EXPECT_NE(rounded, expected);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(rounded[i], expected[i], 0.05);
}

template <class State>
std::uint64_t numbers_of(const State& state) {
  std::size_t count = state.attended_own.size() + state.cls.size();
  for (const auto& layer : state.layers) count += layer.size();
  return count * sizeof(float);
}

TEST(StateFile, SizesAreKnownBeforehand) {
  const BridgeTowerConfig& config = model().config();
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const States all, some(true);
    EXPECT_EQ(image_state_bytes(config, 10, dtype).packed, pack_state(all.image, dtype).size());
    EXPECT_EQ(image_state_bytes(config, 10, dtype).memory, numbers_of(all.image));
    EXPECT_EQ(text_state_bytes(config, 6, dtype).packed, pack_state(all.text, dtype).size());
    EXPECT_EQ(text_state_bytes(config, 6, dtype).memory, numbers_of(all.text));
    EXPECT_EQ(text_state_bytes(config, 6, dtype, 5).packed, pack_state(some.text, dtype).size());
    EXPECT_EQ(text_state_bytes(config, 6, dtype, 5).memory, numbers_of(some.text) + 5 * 8);
  }
  expect_error(ErrorCode::kInput, "state: rows: expected 1 or more, of a state that can be, got 0",
               [&] { image_state_bytes(config, 0); });
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW(image_state_bytes(config, most), InputError);
  EXPECT_THROW(text_state_bytes(config, most / 1024), InputError);
  EXPECT_THROW(text_state_bytes(config, 6, DType::kF32, 7), InputError);
  expect_error(ErrorCode::kInput, "state: dtype: expected F32 or BF16, got F16",
               [&] { image_state_bytes(config, 10, DType::kF16); });
}

/// The table in docs/architecture.md.
TEST(StateFile, SizesOfTheBaseAndTheLargeModel) {
  const BridgeTowerConfig base;
  BridgeTowerConfig large;
  large.hidden_size = 1024;
  EXPECT_EQ(image_state_bytes(base, 18 * 18 + 1).memory, 6'991'872U);
  EXPECT_EQ(text_state_bytes(base, 20).memory, 433'152U);
  EXPECT_EQ(image_state_bytes(large, 21 * 21 + 1).memory, 12'677'120U);
  EXPECT_EQ(text_state_bytes(large, 20).memory, 577'536U);
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const StateBytes size = image_state_bytes(base, 18 * 18 + 1, dtype);
    const std::uint64_t data = size.memory * size_of(dtype) / sizeof(float);
    EXPECT_GT(size.packed, data);
    EXPECT_LT(size.packed, data + 1024);
  }
}

TEST(StateFile, OfAnotherModelOfTheSameShapeIsRefused) {
  const States states;
  const auto other = another_model();
  EXPECT_NE(other.fingerprint(), model().fingerprint());
  Wanted wanted;
  wanted.pooler_output = true;
  expect_error(ErrorCode::kInput,
               "fuse: image state: expected one of this model, got another model's",
               [&] { other.fuse(states.image, states.text, wanted); });
  expect_error(ErrorCode::kInput,
               "image state: state: expected one of this model, got another model's",
               [&] { unpack_image_state(pack_state(states.image), other); });
  expect_error(ErrorCode::kInput,
               "text state: state: expected one of this model, got another model's",
               [&] { unpack_text_state(pack_state(states.text), other); });
}

TEST(StateFile, OneCheckpointIsOneModelInEveryClass) {
  const auto fingerprint = model().fingerprint();
  EXPECT_EQ(BridgeTowerModel<float>::from_pretrained(kModel).fingerprint(), fingerprint);
  EXPECT_EQ(BridgeTowerForMaskedLM<float>::from_pretrained(kModel).model().fingerprint(),
            fingerprint);
  EXPECT_EQ(BridgeTowerForContrastiveLearning<float>::from_pretrained(kModel).model().fingerprint(),
            fingerprint);
  EXPECT_EQ(BridgeTowerModel<double>::from_pretrained(kModel).fingerprint(), fingerprint);
}

TEST(StateFile, StatesThatAreNoneAreNotPacked) {
  const auto refuse = [](const char* message,
                         const std::function<void(TextState<float>&)>& change) {
    TextState<float> state = States().text;
    change(state);
    expect_error(ErrorCode::kInput, message, [&] { pack_state(state); });
  };
  refuse("state: layers: expected [rows, width] each, got none", [](auto& s) { s.layers.clear(); });
  refuse("state: cls: expected [1, 64], got [2, 64]", [](auto& s) {
    s.cls = Tensor<float>({2, 64});
  });
  refuse("state: layers.1: expected finite numbers, got others",
         [](auto& s) { *s.layers[1].data() = std::numeric_limits<float>::quiet_NaN(); });
}

TEST(StateFile, EveryTruncationIsAFormatError) {
  const std::string bytes = pack_state(States().text);
  for (std::size_t size = 0; size < bytes.size(); size += size < 1200 ? 1 : 97) {
    try {
      unpack_text_state(std::string_view(bytes).substr(0, size), model());
      ADD_FAILURE() << size;
    } catch (const FormatError&) {
    }
  }
  EXPECT_THROW(unpack_text_state(bytes + "x", model()), FormatError);
}

/// A file whose tensors and facts a test may change.
struct Parts {
  Parts() {
    const TemporaryDirectory directory;
    save_state(directory.path() / "s", States(true).text);
    const SafetensorsFile file(directory.path() / "s");
    facts = file.metadata();
    for (const std::string& name : file.names()) {
      if (name == "attended") {
        tensors.emplace(name, file.tensor<std::int64_t>(name));
      } else {
        tensors.emplace(name, file.tensor<float>(name));
      }
    }
  }
  std::map<std::string, AnyTensor> tensors;
  SafetensorsFile::Metadata facts;
};

TEST(StateFile, BrokenFilesAreRefused) {
  const auto refuse = [](const std::string& message, const std::function<void(Parts&)>& change,
                         ErrorCode code = ErrorCode::kFormat) {
    SCOPED_TRACE(message);
    Parts parts;
    change(parts);
    const TemporaryDirectory directory;
    const std::filesystem::path path = directory.path() / "s";
    write_safetensors(path, parts.tensors, parts.facts);
    expect_error(code, path.string() + ": " + message, [&] { load_text_state(path, model()); });
  };
  const auto floats = [](const Shape& shape) { return Tensor<float>(shape); };
  using Ids = Tensor<std::int64_t>;
  refuse("format: expected \"bridgetower text state\", got \"bridgetower image state\"",
         [](Parts& p) { p.facts["format"] = "bridgetower image state"; });
  refuse("format: expected \"bridgetower text state\", got none",
         [](Parts& p) { p.facts.clear(); });
  refuse("version: expected \"1\", got \"2\"", [](Parts& p) { p.facts["version"] = "2"; });
  refuse(
      "state: expected one of this model, got another model's",
      [](Parts& p) { p.facts["model"] = "0123456789abcdef"; }, ErrorCode::kInput);
  refuse(
      "state: expected one of this model, got another model's",
      [](Parts& p) { p.facts.erase("model"); }, ErrorCode::kInput);
  refuse("\"attended_own\" is missing", [](Parts& p) { p.tensors.erase("attended_own"); });
  refuse("\"cls\" is missing", [](Parts& p) { p.tensors.erase("cls"); });
  refuse("\"layers.1\" is missing", [](Parts& p) { p.tensors.erase("layers.1"); });
  refuse("\"layers.2\": expected no such tensor, got one", [&](Parts& p) {
    p.tensors["layers.2"] = floats({6, 64});
  });
  refuse("\"layers.0\": expected F32 [6, 64], got F32 [5, 64]", [&](Parts& p) {
    p.tensors["layers.0"] = floats({5, 64});
  });
  refuse("\"layers.0\": expected F32 [6, 64], got F64 [6, 64]", [](Parts& p) {
    p.tensors["layers.0"] = Tensor<double>({6, 64});
  });
  refuse("\"attended_own\": expected F32 or BF16 [rows, width], got F32 [0, 64]", [&](Parts& p) {
    p.tensors["attended_own"] = floats({0, 64});
  });
  refuse("\"attended_own\": expected F32 or BF16 [rows, width], got F32 []",
         [&](Parts& p) { p.tensors["attended_own"] = floats({}); });
  refuse("\"cls\": expected finite numbers, got others", [](Parts& p) {
    *std::get<Tensor<float>>(p.tensors["cls"]).data() = std::numeric_limits<float>::infinity();
  });
  for (const Ids& rows : {Ids({2}, {0, 6}), Ids({1}, {-1}), Ids({2}, {2, 1}), Ids({2}, {1, 1})}) {
    refuse("\"attended\": expected ascending rows of the text, got others",
           [&](Parts& p) { p.tensors["attended"] = rows; });
  }
  refuse("\"attended\": expected I64 [0], got I64 [1, 2]", [](Parts& p) {
    p.tensors["attended"] = Ids({1, 2}, {0, 1});
  });
}

TEST(StateFile, AnImageStateIsNoTextState) {
  const States states;
  EXPECT_THROW(unpack_text_state(pack_state(states.image), model()), FormatError);
  EXPECT_THROW(unpack_image_state(pack_state(states.text), model()), FormatError);
  EXPECT_THROW(load_image_state("/nowhere/state", model()), IoError);
  EXPECT_THROW(save_state("/nowhere/state", states.image), IoError);
}

TEST(StateFile, AStateServesAThousandTimesWithTheSameBits) {
  const States states;
  const std::vector<float> expected = logits(states.image, states.text);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(logits(states.image, states.text), expected);
}

}  // namespace
}  // namespace bridgetower

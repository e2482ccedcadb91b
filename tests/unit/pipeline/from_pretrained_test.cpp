#include <gtest/gtest.h>

#include <bridgetower/config/config_json.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <bridgetower/pipeline/fill_mask.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <functional>
#include <limits>

#include "tests/support/expect_error.hpp"
#include "tests/support/map_weights.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;
using testing::MapWeights;
using testing::TemporaryDirectory;

using Tensors = std::map<std::string, AnyTensor>;

const std::string kModel = testing::test_data() + "/tiny_model";

/// A copy of the tiny model whose tensors and configuration a test may change.
class ModelDirectory {
 public:
  ModelDirectory() : config(BridgeTowerConfig::from_pretrained(kModel)) {
    const SafetensorsFile file(kModel + "/model.safetensors");
    for (const std::string& name : file.names()) tensors.emplace(name, file.tensor<float>(name));
  }

  const std::filesystem::path& write() const {
    config.save_pretrained(directory_.path());
    write_safetensors(directory_.path() / "model.safetensors", tensors, {});
    return directory_.path();
  }

  const std::filesystem::path& directory() const { return directory_.path(); }
  std::string place() const { return (directory_.path() / "model.safetensors").string(); }

  Tensor<float>& floats(const std::string& name) {
    return std::get<Tensor<float>>(tensors.at(name));
  }

  /// Gives tensors other names; an empty one takes the tensor away.
  void rename(const std::function<std::string(const std::string&)>& new_name) {
    Tensors renamed;
    for (auto& [name, tensor] : tensors) {
      const std::string now = new_name(name);
      if (!now.empty()) renamed.emplace(now, std::move(tensor));
    }
    tensors = std::move(renamed);
  }

  BridgeTowerConfig config;
  Tensors tensors;

 private:
  TemporaryDirectory directory_;
};

ForwardInputs<float> some_inputs() {
  ForwardInputs<float> inputs;
  inputs.input_ids = Tensor<std::int64_t>({1, 4}, {0, 17, 90, 2});
  inputs.pixel_values = Tensor<float>({1, 3, 48, 48});
  return inputs;
}

std::vector<float> pooled(const std::filesystem::path& directory) {
  const auto out = BridgeTowerModel<float>::from_pretrained(directory).forward(some_inputs());
  return {out.pooler_output.begin(), out.pooler_output.end()};
}

std::vector<float> word_logits(const std::filesystem::path& directory) {
  const auto out = BridgeTowerForMaskedLM<float>::from_pretrained(directory).forward(some_inputs());
  return {out.logits.begin(), out.logits.end()};
}

TEST(FromPretrained, ReportsEverythingWrongAtOnce) {
  ModelDirectory model;
  model.tensors.erase("bridgetower.cross_modal_text_pooler.dense.bias");
  model.tensors.erase("bridgetower.vision_model.visual.ln_pre.weight");
  model.tensors.erase("itm_score.fc.bias");
  model.tensors["bridgetower.cross_modal_text_layernorm.bias"] = Tensor<float>({63});
  model.tensors["bridgetower.token_type_embeddings.weight"] = Tensor<std::int64_t>({2, 64});
  model.floats("bridgetower.vision_model.visual.ln_post.bias").data()[63] =
      std::numeric_limits<float>::quiet_NaN();
  model.floats("itm_score.fc.weight").data()[0] = std::numeric_limits<float>::infinity();
  model.tensors["bridgetower.line\nbreak"] = Tensor<float>({1});
  model.tensors["bridgetower.text_model.embeddings.position_ids"] = Tensor<std::int64_t>({1, 40});
  expect_error(
      ErrorCode::kWeight,
      model.place() +
          ": missing bridgetower.vision_model.visual.ln_pre.weight, "
          "bridgetower.cross_modal_text_pooler.dense.bias, itm_score.fc.bias; wrong shape or type: "
          "bridgetower.token_type_embeddings.weight (expected a floating type [2, 64], got I64 [2, "
          "64]), bridgetower.cross_modal_text_layernorm.bias (expected F32 [64], got F32 [63]); "
          "not "
          "finite: bridgetower.vision_model.visual.ln_post.bias, itm_score.fc.weight; unexpected: "
          "bridgetower.line\\x0abreak",
      [&] { BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(model.write()); });
}

TEST(FromPretrained, NamesTheHeadThatACheckpointLacks) {
  ModelDirectory model;
  model.rename([](const std::string& name) {
    return name.rfind("bridgetower.", 0) == 0 ? name : std::string();
  });
  EXPECT_NO_THROW(BridgeTowerModel<float>::from_pretrained(model.write()));
  const std::string missing = model.place() + ": missing ";
  expect_error(ErrorCode::kWeight, missing + "itm_score.fc.weight, itm_score.fc.bias",
               [&] { BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(model.write()); });
  expect_error(ErrorCode::kWeight,
               missing +
                   "mlm_score.transform.dense.weight, mlm_score.transform.dense.bias, "
                   "mlm_score.transform.LayerNorm.weight, mlm_score.transform.LayerNorm.bias, "
                   "mlm_score.bias",
               [&] { BridgeTowerForMaskedLM<float>::from_pretrained(model.write()); });
  expect_error(
      ErrorCode::kWeight,
      missing +
          "itc_text_head.fc.weight, itc_text_head.fc.bias, itc_image_head.fc.weight, "
          "itc_image_head.fc.bias, itc_cross_modal_head.fc.weight, itc_cross_modal_head.fc.bias, "
          "logit_scale",
      [&] { BridgeTowerForContrastiveLearning<float>::from_pretrained(model.write()); });
}

TEST(FromPretrained, FindsTensorsUnderEitherPrefixAndTheirOldNames) {
  const std::vector<float> expected = pooled(kModel);
  ModelDirectory bare;
  bare.rename([](const std::string& name) {
    return name.rfind("bridgetower.", 0) == 0 ? name.substr(12) : name;
  });
  EXPECT_EQ(pooled(bare.write()), expected);
  EXPECT_NO_THROW(BridgeTowerForMaskedLM<float>::from_pretrained(bare.write()));
  ModelDirectory old;
  old.rename([](const std::string& name) {
    for (const auto& [now, before] : {std::pair("LayerNorm.weight", "LayerNorm.gamma"),
                                      std::pair("LayerNorm.bias", "LayerNorm.beta")}) {
      const std::size_t at = name.find(now);
      if (at != std::string::npos) return name.substr(0, at) + before;
    }
    return name;
  });
  EXPECT_EQ(pooled(old.write()), expected);
}

// The word table serves where the file has no decoder, whatever the flag says; a decoder in the
// file wins, whatever the flag says.
TEST(FromPretrained, TakesTheDecoderOfTheFileOrTheWordTable) {
  const std::vector<float> own = word_logits(kModel);
  ModelDirectory model;
  for (const bool tie : {false, true}) {
    model.config.tie_word_embeddings = tie;
    EXPECT_EQ(word_logits(model.write()), own);
  }
  model.tensors["mlm_score.decoder.weight"] =
      model.tensors.at("bridgetower.text_model.embeddings.word_embeddings.weight");
  const std::vector<float> tied = word_logits(model.write());
  EXPECT_NE(tied, own);
  model.tensors.erase("mlm_score.decoder.weight");
  for (const bool tie : {false, true}) {
    model.config.tie_word_embeddings = tie;
    EXPECT_EQ(word_logits(model.write()), tied);
  }
  model.tensors["mlm_score.decoder.weight"] = Tensor<float>({319, 64});
  expect_error(
      ErrorCode::kWeight,
      model.place() + ": mlm_score.decoder.weight: expected F32 [320, 64], got F32 [319, 64]",
      [&] { BridgeTowerForMaskedLM<float>::from_pretrained(model.write()); });
}

TEST(FromPretrained, TakesNoMemoryForTensorsThatAreNotThere) {
  constexpr std::int64_t kHuge = 1 << 20;
  ModelDirectory model;
  BridgeTowerConfig& config = model.config;
  config.hidden_size = config.text_config.hidden_size = config.vision_config.hidden_size = kHuge;
  config.text_config.vocab_size = config.text_config.max_position_embeddings = kHuge;
  config.text_config.intermediate_size = config.text_config.type_vocab_size = kHuge;
  config.contrastive_hidden_size = config.vision_config.image_size = kHuge;
  config.vision_config.patch_size = 1;
  EXPECT_THROW(BridgeTowerModel<float>::from_pretrained(model.write()), LimitError);
  LoadOptions all;
  all.limits.model_memory = std::numeric_limits<std::uint64_t>::max();
  EXPECT_THROW(BridgeTowerModel<double>::from_pretrained(model.write(), all), WeightError);
  EXPECT_THROW(BridgeTowerForMaskedLM<float>::from_pretrained(model.write(), all), WeightError);
  EXPECT_THROW(BridgeTowerForContrastiveLearning<float>::from_pretrained(model.write(), all),
               WeightError);
  config.vision_config.num_channels = config.vision_config.patch_size = kHuge;  // beyond 63 bits
  EXPECT_THROW(BridgeTowerModel<float>::from_pretrained(model.write(), all), WeightError);
}

TEST(FromPretrained, ChecksTheConfigurationBeforeTheWeights) {
  ModelDirectory model;
  model.config.text_config.vocab_size = 0;
  expect_error(ErrorCode::kConfig, "config: text_config.vocab_size: expected 1 to 1048576, got 0",
               [&] { BridgeTowerModel<float>::from_pretrained(model.write()); });
  model.config.text_config.vocab_size = 320;
  model.config.text_config.pad_token_id = std::numeric_limits<std::int64_t>::min();
  std::filesystem::remove(model.write() / "model.safetensors");
  expect_error(ErrorCode::kConfig,
               "config: text_config.pad_token_id: expected -1 to 39, got -9223372036854775808",
               [&] { Checkpoint::open(model.directory()); });
  LoadOptions options;
  options.threads = -1;
  expect_error(ErrorCode::kInput, "ThreadPool: threads: expected 0 to 1024, got -1",
               [&] { BridgeTowerModel<float>::from_pretrained(kModel, options); });
}

// Also where nothing was read from a file, and before any weight is.
TEST(FromPretrained, LoadsNoModelOfAWrongConfiguration) {
  BridgeTowerConfig config;
  config.text_config.num_attention_heads = 5;
  expect_error(
      ErrorCode::kConfig,
      "config: text_config.num_attention_heads: expected a divisor of hidden_size 768, got 5",
      [&] { load_model<BridgeTowerModel, float>(config, MapWeights({})); });
}

// Hugging Face's contrastive class fails on the same configurations.
TEST(FromPretrained, RefusesConfigurationsOfNoContrastiveModel) {
  const auto refuse = [](const std::string& message, const auto& change) {
    BridgeTowerConfig config;
    config.contrastive_hidden_size = 512;
    change(config);
    const MapWeights none({});
    expect_error(ErrorCode::kConfig, "config: " + message,
                 [&] { load_model<BridgeTowerForContrastiveLearning, float>(config, none); });
  };
  refuse("contrastive_hidden_size is missing: this is no contrastive model",
         [](auto& c) { c.contrastive_hidden_size.reset(); });
  refuse(
      "share_cross_modal_transformer_layers: expected true for a contrastive model; Hugging Face "
      "fails otherwise, got false",
      [](auto& c) { c.share_cross_modal_transformer_layers = false; });
  refuse(
      "vision_config.hidden_size: expected 768 for a contrastive model; Hugging Face fails "
      "otherwise, got 1024",
      [](auto& c) { c.vision_config.hidden_size = 1024; });
}

TEST(MaskFiller, TakesAsManyWordsAsThereAre) {
  const auto filler = MaskFiller::from_pretrained(kModel);
  const Image image(50, 60, 3);
  for (const std::int64_t top_k : {-1, 0, 321}) {
    expect_error(ErrorCode::kInput,
                 "top_k: number of words: expected 1 to 320, got " + std::to_string(top_k),
                 [&] { filler.fill(image, "a <mask>", top_k); });
  }
  const auto filled = filler.fill(image, "a <mask>", 320);
  EXPECT_EQ(filled.at(0).candidates.size(), 320U);
  expect_error(ErrorCode::kInput, "text: mask tokens: expected at least one <mask>, got none",
               [&] { filler.fill(image, "", 1); });
  expect_error(ErrorCode::kInput, "text: byte 7 is not UTF-8",
               [&] { filler.fill(image, "<mask> \xFF", 1); });
}

TEST(MaskFiller, OrdersScoresThatAreNoNumbers) {
  ModelDirectory model;
  // Finite weights whose logits overflow: +inf and -inf make every probability NaN.
  Tensor<float>& bias = model.floats("mlm_score.bias");
  Tensor<float>& decoder = model.floats("mlm_score.decoder.weight");
  for (std::size_t i = 0; i < decoder.size(); ++i) decoder.data()[i] = 3e38F;
  for (std::size_t i = 0; i < bias.size(); ++i) bias.data()[i] = i % 2 == 0 ? 3e38F : -3e38F;
  model.write();
  const MaskFiller filler(BridgeTowerProcessor::from_pretrained(kModel),
                          BridgeTowerForMaskedLM<float>::from_pretrained(model.write()));
  EXPECT_EQ(filler.fill(Image(50, 60, 3), "a <mask>", 300).at(0).candidates.size(), 300U);
}

}  // namespace
}  // namespace bridgetower

// Checkpoints of old revisions give the same bits: their names, their buffers, their
// configurations.
#include <gtest/gtest.h>

#include <bridgetower/bridgetower.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torch_file.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
namespace p = testing::pickle;

using nlohmann::json;
using testing::expect_error;
using testing::read_all;
using testing::TemporaryDirectory;

const std::string kData = testing::test_data();
const std::string kTiny = kData + "/tiny_model";
const std::string kTable = "bridgetower.text_model.embeddings.word_embeddings.weight";
const std::string kDecoder = "mlm_score.decoder.weight";

using Tensors = std::map<std::string, Tensor<float>>;

Tensors tiny_tensors() {
  const SafetensorsFile file(kTiny + "/model.safetensors");
  Tensors tensors;
  for (const std::string& name : file.names()) tensors[name] = file.tensor<float>(name);
  return tensors;
}

std::string bytes(const void* data, std::size_t count) {
  return {static_cast<const char*>(data), count};
}

/// pytorch_model.bin of these tensors and, where asked for, the position_ids of early releases.
std::string torch_file(const Tensors& tensors, const std::vector<std::string>& position_ids = {}) {
  std::vector<std::pair<std::string, std::string>> items;
  std::vector<std::string> storages;
  for (const auto& [name, tensor] : tensors) {
    std::vector<std::uint32_t> sizes(tensor.shape().begin(), tensor.shape().end());
    std::vector<std::uint32_t> strides(sizes.size());
    std::uint32_t stride = 1;
    for (std::size_t i = sizes.size(); i-- > 0; stride *= sizes[i]) strides[i] = stride;
    const auto count = static_cast<std::uint32_t>(tensor.size());
    items.emplace_back(
        name, p::tensor(p::storage(std::to_string(storages.size()), count), 0, sizes, strides));
    storages.push_back(bytes(tensor.data(), tensor.size() * sizeof(float)));
  }
  for (const std::string& name : position_ids) {
    items.emplace_back(
        name, p::tensor(p::storage(std::to_string(storages.size()), 2, "LongStorage"), 0, {1, 2},
                        {2, 1}));
    storages.push_back(testing::bytes_of(0, 8) + testing::bytes_of(1, 8));
  }
  return testing::zip_file(testing::torch_entries(p::dict(items), storages)).bytes;
}

/// A model directory beside the tiny model's: other weights, and a configuration patched by
/// `change`.
class OldCheckpoint : public ::testing::Test {
 protected:
  void write(const std::string& weights, const json& change = json::object()) const {
    json config = json::parse(read_all(kTiny + "/config.json"));
    config.merge_patch(change);
    directory_.write("config.json", config.dump());
    directory_.write("pytorch_model.bin", weights);
  }

  static BatchEncoding inputs() {
    return BridgeTowerProcessor::from_pretrained(kTiny)(Image::load(kData + "/images/rgb.png"),
                                                        "a cat looks out");
  }

  static std::string bits(const Tensor<float>& tensor) {
    return bytes(tensor.data(), tensor.size() * sizeof(float));
  }

  template <class Model>
  static std::string logits(const fs::path& model) {
    return bits(Model::from_pretrained(model).forward(inputs()).logits);
  }

  static std::string pooled(const fs::path& model) {
    return bits(BridgeTowerModel<float>::from_pretrained(model).forward(inputs()).pooler_output);
  }

  const fs::path& path() const { return directory_.path(); }

  TemporaryDirectory directory_;
};

TEST_F(OldCheckpoint, GivesTheSameBitsFromBothKindsOfFile) {
  write(torch_file(tiny_tensors()));
  EXPECT_TRUE(pooled(path()) == pooled(kTiny));
  using Itm = BridgeTowerForImageAndTextRetrieval<float>;
  EXPECT_TRUE(logits<Itm>(path()) == logits<Itm>(kTiny));
  EXPECT_TRUE(logits<BridgeTowerForMaskedLM<float>>(path()) ==
              logits<BridgeTowerForMaskedLM<float>>(kTiny));
  EXPECT_TRUE(logits<BridgeTowerForContrastiveLearning<float>>(path()) ==
              logits<BridgeTowerForContrastiveLearning<float>>(kTiny));
}

TEST_F(OldCheckpoint, MayCallNormsGammaAndBetaAndHoldPositions) {
  Tensors tensors;
  for (auto& [name, tensor] : tiny_tensors()) {
    std::string old = name;
    for (const auto& [now, before] :
         {std::pair<std::string, std::string>{"weight", "gamma"}, {"bias", "beta"}}) {
      const std::size_t at = old.find("LayerNorm." + now);
      if (at != std::string::npos) old.replace(at + 10, now.size(), before);
    }
    tensors[old] = std::move(tensor);
  }
  write(torch_file(tensors, {"bridgetower.text_model.embeddings.position_ids",
                             "bridgetower.vision_model.visual.embeddings.position_ids"}));
  EXPECT_TRUE(logits<BridgeTowerForMaskedLM<float>>(path()) ==
              logits<BridgeTowerForMaskedLM<float>>(kTiny));
}

TEST_F(OldCheckpoint, MayBeOfTheBaseModelWithoutPrefix) {
  const std::string prefix = "bridgetower.";
  Tensors base;
  Tensors mixed;
  for (auto& [name, tensor] : tiny_tensors()) {
    const bool inside = name.compare(0, prefix.size(), prefix) == 0;
    if (inside) base[name.substr(prefix.size())] = tensor;
    mixed[inside ? name.substr(prefix.size()) : name] = tensor;
  }
  write(torch_file(base));
  EXPECT_TRUE(pooled(path()) == pooled(kTiny));
  expect_error(
      ErrorCode::kWeight,
      (path() / "pytorch_model.bin").string() + ": missing itm_score.fc.weight, itm_score.fc.bias",
      [&] { BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(path()); });
  write(torch_file(mixed));
  EXPECT_TRUE(logits<BridgeTowerForMaskedLM<float>>(path()) ==
              logits<BridgeTowerForMaskedLM<float>>(kTiny));
}

TEST_F(OldCheckpoint, MayTieTheDecoderToTheWordTable) {
  Tensors tensors = tiny_tensors();
  tensors[kDecoder] = tensors[kTable];
  write(torch_file(tensors));
  const std::string expected = logits<BridgeTowerForMaskedLM<float>>(path());
  tensors.erase(kDecoder);
  write(torch_file(tensors), {{"tie_word_embeddings", true}});
  EXPECT_TRUE(logits<BridgeTowerForMaskedLM<float>>(path()) == expected);
  write(torch_file(tensors));  // the flag says nothing where the file has no decoder
  EXPECT_TRUE(logits<BridgeTowerForMaskedLM<float>>(path()) == expected);
}

TEST_F(OldCheckpoint, MayHaveKeysOfOtherVersionsInItsConfiguration) {
  // What releases from 4.27 to 5.x write beside the keys that matter.
  const json old = {
      {"_name_or_path", "x"},
      {"torch_dtype", "float32"},
      {"transformers_version", "4.27.0.dev0"},
      {"model_type", "bridgetower"},
      {"is_encoder_decoder", false},
      {"head_hidden_scale", 2},
      {"freeze_roberta", false},
      {"freeze_vit", nullptr},
      {"cross_modal_transform_shared", true},
      {"link_tower_shared", false},
      {"text_config_dict", nullptr},
      {"vision_config_dict", nullptr},
      {"loss_names", {{"itm", 1}, {"mlm", 1}}},
      {"id2label", {{"0", "LABEL_0"}}},
      {"text_config",
       {{"_name_or_path", ""},
        {"architectures", nullptr},
        {"bad_words_ids", nullptr},
        {"chunk_size_feed_forward", 0},
        {"classifier_dropout", nullptr},
        {"early_stopping", false},
        {"temperature", 1.0},
        {"torch_dtype", nullptr},
        {"dtype", "float32"},
        {"position_embedding_type", "absolute"},
        {"num_beam_groups", 1}}},
      {"vision_config",
       {{"pruned_heads", json::object()}, {"init_layernorm_from_vit", false}, {"top_k", 50}}},
  };
  write(torch_file(tiny_tensors()), old);
  EXPECT_TRUE(pooled(path()) == pooled(kTiny));
}

}  // namespace
}  // namespace bridgetower

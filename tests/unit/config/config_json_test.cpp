#include <gtest/gtest.h>

#include <bridgetower/config/config_json.hpp>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::expect_error;
using testing::read_all;
using testing::TemporaryDirectory;

const std::string kData = testing::test_data();

/// Keys of the top level, or of the sub-configuration named by `part`.
json written(const BridgeTowerConfig& config, const std::string& part) {
  const json whole = json::parse(to_json(config));
  return part == "config" ? whole : whole[part];
}

TEST(ConfigJson, HasTheDefaultsOfHuggingFace) {
  const json defaults = json::parse(read_all(kData + "/config_defaults.json"));
  for (const char* part : {"config", "text_config", "vision_config"}) {
    const json ours = written(config_from_json("{}", "file"), part);
    EXPECT_GT(defaults[part].size(), 9U);
    for (const auto& [key, value] : defaults[part].items()) {
      if (value.is_null()) continue;  // text_config and vision_config: their own defaults
      ASSERT_TRUE(ours.contains(key)) << part << "." << key;
      EXPECT_EQ(ours[key], value) << part << "." << key;
    }
  }
}

TEST(ConfigJson, TakesItsDefaultsForPartsThatAreNull) {
  const std::string defaults = to_json(BridgeTowerConfig());
  EXPECT_EQ(to_json(config_from_json(R"({"text_config": null, "vision_config": null})", "file")),
            defaults);
  EXPECT_EQ(to_json(config_from_json(R"({"text_config": {}, "vision_config": {}})", "file")),
            defaults);
}

/// Another value than the default in every key.
json other_values() {
  json other = json::parse(to_json(BridgeTowerConfig()));
  const std::function<void(json&)> change = [&change](json& object) {
    for (auto& [key, value] : object.items()) {
      if (key == "model_type" || key == "position_embedding_type") continue;
      if (value.is_object()) {
        change(value);
      } else if (value.is_boolean()) {
        value = !value.get<bool>();
      } else if (value.is_string()) {
        value = value.get<std::string>() + "x";
      } else if (value.is_number_float()) {
        value = value.get<double>() + 0.125;
      } else {
        value = value.get<std::int64_t>() + 1;
      }
    }
  };
  change(other);
  other["contrastive_hidden_size"] = 17;
  other["logit_scale_init_value"] = 2.6592;
  return other;
}

TEST(ConfigJson, ReadsAndWritesEveryKey) {
  const json other = other_values();
  const BridgeTowerConfig config = config_from_json(other.dump(), "file");
  EXPECT_EQ(json::parse(to_json(config)), other);
  const TemporaryDirectory directory;
  config.save_pretrained(directory.path());
  EXPECT_EQ(to_json(BridgeTowerConfig::from_pretrained(directory.path())), to_json(config));
  const std::string nowhere = (directory.path() / "none").string();
  expect_error(ErrorCode::kIo,
               nowhere +
                   "/config.json: create: expected a writable directory, got No such file or "
                   "directory",
               [&] { config.save_pretrained(nowhere); });
}

TEST(ConfigJson, WritesOnlyWhatJsonCanHold) {
  BridgeTowerConfig config;
  config.text_config.hidden_act = "\xFF";
  expect_error(ErrorCode::kConfig, "config: strings: expected UTF-8, got \"\\xff\"",
               [&] { to_json(config); });
  config = {};
  config.layer_norm_eps = std::numeric_limits<double>::infinity();
  expect_error(ErrorCode::kConfig, "config: numbers: expected finite ones, got inf",
               [&] { to_json(config); });
}

TEST(ConfigJson, ComposesTwoPartsAsHuggingFaceDoes) {
  TextConfig text;
  text.vocab_size = 99;
  VisionConfig vision;
  vision.patch_size = 14;
  const auto config = BridgeTowerConfig::from_text_vision_configs(text, vision);
  json expected = json::parse(to_json(BridgeTowerConfig()));
  expected["text_config"]["vocab_size"] = 99;
  expected["vision_config"]["patch_size"] = 14;
  EXPECT_EQ(json::parse(to_json(config)), expected);
}

TEST(ConfigJson, IgnoresLegacyAndUnknownKeys) {
  const auto config = config_from_json(
      R"({"text_config_dict": {"vocab_size": "x"}, "vision_config_dict": 7, "drop_rate": 0.1,
          "head_hidden_scale": 2, "image_size": "x", "is_encoder_decoder": false, "hidden_size": 5,
          "text_config": {"chunk_size_feed_forward": 0, "bos_token_id": null,
                          "eos_token_id": [2, 3]}})",
      "file");
  BridgeTowerConfig expected;
  expected.hidden_size = 5;
  EXPECT_EQ(to_json(config), to_json(expected));
}

/// A configuration with one key set, in the part that its name begins with.
std::string with(const std::string& key, const std::string& value) {
  const std::size_t dot = key.find('.');
  if (dot == std::string::npos) return "{\"" + key + "\": " + value + "}";
  return "{\"" + key.substr(0, dot) + "\": " + with(key.substr(dot + 1), value) + "}";
}

void expect_type_error(const std::string& key, const std::string& expected,
                       const std::vector<std::pair<std::string, std::string>>& wrong) {
  for (const auto& [value, shown] : wrong) {
    SCOPED_TRACE(value);
    expect_error(ErrorCode::kConfig, "file: " + key + ": expected " + expected + ", got " + shown,
                 [&, &text = value] { config_from_json(with(key, text), "file"); });
  }
}

// As the strict classes of transformers 5: none of these values is converted.
TEST(ConfigJson, RefusesEveryKeyOfAnotherType) {
  const std::pair<std::string, std::string> null{"null", "null"};
  const std::pair<std::string, std::string> array{"[1]", "an array"};
  const std::pair<std::string, std::string> object{"{}", "an object"};
  for (const char* key :
       {"hidden_size", "num_attention_heads", "num_hidden_layers", "text_config.vocab_size",
        "text_config.hidden_size", "text_config.num_hidden_layers",
        "text_config.num_attention_heads", "text_config.intermediate_size",
        "text_config.max_position_embeddings", "text_config.type_vocab_size",
        "text_config.pad_token_id", "vision_config.hidden_size", "vision_config.num_hidden_layers",
        "vision_config.num_channels", "vision_config.patch_size", "vision_config.image_size"}) {
    expect_type_error(key, "an integer",
                      {null,
                       array,
                       object,
                       {"true", "true"},
                       {"64.0", "64.0"},
                       {"\"64\"", "string \"64\""},
                       {"9223372036854775808", "9223372036854775808"}});
  }
  for (const char* key :
       {"share_cross_modal_transformer_layers", "share_link_tower_layers", "tie_word_embeddings",
        "init_layernorm_from_vision_encoder", "text_config.use_cache", "text_config.is_decoder",
        "text_config.add_cross_attention", "vision_config.stop_gradient",
        "vision_config.share_layernorm", "vision_config.remove_last_layer"}) {
    expect_type_error(key, "true or false",
                      {null, array, object, {"1", "1"}, {"\"true\"", "string \"true\""}});
  }
  for (const char* key : {"hidden_act", "link_tower_type", "text_config.hidden_act",
                          "text_config.position_embedding_type"}) {
    expect_type_error(key, "a string", {null, array, object, {"1", "1"}, {"true", "true"}});
  }
  for (const char* key :
       {"layer_norm_eps", "text_config.layer_norm_eps", "vision_config.layer_norm_eps"}) {
    expect_type_error(
        key, "a number with a decimal point",
        {null, array, object, {"1", "1"}, {"true", "true"}, {"\"1e-5\"", "string \"1e-5\""}});
  }
  for (const char* key :
       {"initializer_factor", "text_config.initializer_factor", "text_config.hidden_dropout_prob",
        "text_config.attention_probs_dropout_prob", "vision_config.initializer_factor"}) {
    EXPECT_NO_THROW(config_from_json(with(key, "1"), "file"));
    expect_type_error(key, "a number", {null, array, object, {"true", "true"}});
  }
  EXPECT_NO_THROW(config_from_json(with("contrastive_hidden_size", "null"), "file"));
  expect_type_error("contrastive_hidden_size", "an integer", {array, {"1.5", "1.5"}});
  EXPECT_NO_THROW(config_from_json(with("logit_scale_init_value", "2"), "file"));
  expect_type_error("logit_scale_init_value", "a number", {array, {"true", "true"}});
  expect_type_error("text_config.bos_token_id", "an integer", {array, {"0.5", "0.5"}});
  expect_type_error("text_config.eos_token_id", "an integer", {object, {"0.5", "0.5"}});
  for (const char* key : {"text_config", "vision_config"}) {
    expect_type_error(key, "an object", {array, {"1", "1"}, {"\"x\"", "string \"x\""}});
  }
}

TEST(ConfigJson, RefusesWhatIsNoJsonObject) {
  const auto refuse = [](const std::string& text, const std::string& message) {
    expect_error(ErrorCode::kFormat, "file: " + message, [&] { config_from_json(text, "file"); });
  };
  refuse("", "byte 0: expected JSON, got the end of the text");
  refuse("[]", "JSON: expected an object, got an array");
  refuse("{\"hidden_size\": 1e999}",
         "byte 20: expected JSON, got a number beyond double precision");
  refuse("{\"hidden_size\": Infinity}", "byte 16: expected JSON, got \"\\\"hidden_size\\\": I\"");
  refuse("{\"hidden_size\": 1, \"hidden_size\": 2}",
         "byte 31: expected every key once, got \"hidden_size\" again");
  refuse("{\"hidden_act\": \"\xC3\x28\"}", "byte 17: expected JSON, got \"\\\"\\xc3(\"");
}

/// A list that grows is counted at its two sizes for a moment, and then at one.
TEST(ConfigJson, CountsTheMemoryOfAListThatGrows) {
  std::string text = R"({"unknown":[0)";
  for (int i = 1; i < 1000; ++i) text += ",0";
  text += "]}";
  // 1,000 values of 16 bytes are counted thrice, and kept in a list of 512 that becomes one of
  // 1,024.
  constexpr std::uint64_t kTree = 3 * 1000 * 16 + (512 + 1024) * 16;
  Limits limits;
  limits.json_memory = kTree + 1000 - text.size();
  EXPECT_NO_THROW(config_from_json(text, "file", limits));
  limits.json_memory = kTree / 2 - text.size();
  EXPECT_THROW(config_from_json(text, "file", limits), LimitError);
}

TEST(ConfigJson, LimitsTheSizeOfTheFile) {
  const TemporaryDirectory directory;
  const auto file = directory.write("config.json", "{}");
  std::filesystem::resize_file(file, (1 << 20) + 1);
  expect_error(ErrorCode::kLimit,
               file.string() + ": file size: expected at most 1048576 bytes, got 1048577 bytes",
               [&] { BridgeTowerConfig::from_pretrained(directory.path()); });
}

}  // namespace
}  // namespace bridgetower

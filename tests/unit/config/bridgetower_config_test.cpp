#include <gtest/gtest.h>

#include <bridgetower/config/bridgetower_config.hpp>
#include <functional>
#include <limits>

#include "tests/support/expect_error.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;

using Change = std::function<void(BridgeTowerConfig&)>;

void expect_refused(const std::string& message, const Change& change) {
  SCOPED_TRACE(message);
  BridgeTowerConfig config;
  change(config);
  expect_error(ErrorCode::kConfig, "config: " + message, [&] { config.validate(); });
}

void expect_accepted(const Change& change) {
  BridgeTowerConfig config;
  change(config);
  EXPECT_NO_THROW(config.validate());
}

TEST(BridgeTowerConfig, RefusesSizesOutOfRange) {
  EXPECT_NO_THROW(BridgeTowerConfig().validate());
  struct Size {
    const char* key;
    const char* range;
    std::function<std::int64_t&(BridgeTowerConfig&)> of;
    std::int64_t least;
    std::int64_t most;
  };
  constexpr std::int64_t kMost = 1 << 20;
  const Size sizes[] = {{"text_config.vocab_size", "1 to 1048576",
                         [](auto& c) -> auto& {return c.text_config.vocab_size;
}
, 1, kMost
}  // namespace
, {"text_config.hidden_size", "1 to 1048576",
   [](auto& c) -> auto& {return c.text_config.hidden_size;
}  // namespace bridgetower
, 1, kMost
}
, {"text_config.num_hidden_layers", "0 to 1024",
   [](auto& c) -> auto& {return c.text_config.num_hidden_layers;
}
, 0, 1024
}
, {"text_config.num_attention_heads", "1 to 1048576",
   [](auto& c) -> auto& {return c.text_config.num_attention_heads;
}
, 1, kMost
}
, {"text_config.intermediate_size", "1 to 1048576",
   [](auto& c) -> auto& {return c.text_config.intermediate_size;
}
, 1, kMost
}
, {"text_config.max_position_embeddings", "1 to 1048576",
   [](auto& c) -> auto& {return c.text_config.max_position_embeddings;
}
, 1, kMost
}
, {"text_config.type_vocab_size", "1 to 1048576",
   [](auto& c) -> auto& {return c.text_config.type_vocab_size;
}
, 1, kMost
}
, {"text_config.pad_token_id", "-1 to 513", [](auto& c) -> auto& {return c.text_config.pad_token_id;
}
, -1, 513
}
, {"vision_config.hidden_size", "64 to 1048576",
   [](auto& c) -> auto& {return c.vision_config.hidden_size;
}
, 64, kMost
}
, {"vision_config.num_hidden_layers", "0 to 1024",
   [](auto& c) -> auto& {return c.vision_config.num_hidden_layers;
}
, 0, 1024
}
, {"vision_config.num_channels", "1 to 1048576",
   [](auto& c) -> auto& {return c.vision_config.num_channels;
}
, 1, kMost
}
, {"vision_config.patch_size", "1 to 1048576",
   [](auto& c) -> auto& {return c.vision_config.patch_size;
}
, 1, kMost
}
, {"vision_config.image_size", "16 to 1048576",
   [](auto& c) -> auto& {return c.vision_config.image_size;
}
, 16, kMost
}
, {"hidden_size", "1 to 1048576", [](auto& c) -> auto& {return c.hidden_size;
}
, 1, kMost
}
, {"num_hidden_layers", "1 to 13", [](auto& c) -> auto& {return c.num_hidden_layers;
}
, 1, 13
}
,
}
;
for (const Size& size : sizes) {
  for (const std::int64_t value :
       {size.least - 1, size.most + 1, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max()}) {
    expect_refused(
        std::string(size.key) + ": expected " + size.range + ", got " + std::to_string(value),
        [&](BridgeTowerConfig& config) { size.of(config) = value; });
  }
}
for (const std::int64_t value : {std::int64_t{0}, kMost + 1}) {
  expect_refused("contrastive_hidden_size: expected 1 to 1048576, got " + std::to_string(value),
                 [value](auto& c) { c.contrastive_hidden_size = value; });
}
}

TEST(BridgeTowerConfig, RefusesNumbersThatAreNone) {
  const auto refuse = [](double value, const std::string& shown) {
    const std::string rest = "layer_norm_eps: expected a number of 0 or more, got " + shown;
    expect_refused(rest, [value](auto& c) { c.layer_norm_eps = value; });
    expect_refused("text_config." + rest,
                   [value](auto& c) { c.text_config.layer_norm_eps = value; });
    expect_refused("vision_config." + rest,
                   [value](auto& c) { c.vision_config.layer_norm_eps = value; });
  };
  refuse(std::numeric_limits<double>::quiet_NaN(), "nan");
  refuse(std::numeric_limits<double>::infinity(), "inf");
  refuse(-1e-12, "-1e-12");
  expect_accepted([](auto& c) { c.layer_norm_eps = 0; });
}

TEST(BridgeTowerConfig, RefusesNamesThatMeanNothing) {
  expect_refused("hidden_act: expected the name of an activation, got mish!",
                 [](auto& c) { c.hidden_act = "mish!"; });
  expect_refused("text_config.hidden_act: expected the name of an activation, got GELU",
                 [](auto& c) { c.text_config.hidden_act = "GELU"; });
  expect_refused("text_config.hidden_act: expected the name of an activation, got a\\x0ab",
                 [](auto& c) { c.text_config.hidden_act = "a\nb"; });
  expect_refused("link_tower_type: expected add, scaled_add or interpolate, got mean",
                 [](auto& c) { c.link_tower_type = "mean"; });
  // HF makes no link tower then.
  expect_accepted([](auto& c) {
    c.link_tower_type = "mean";
    c.num_hidden_layers = 1;
  });
  expect_refused("text_config.position_embedding_type: expected absolute, got relative_key",
                 [](auto& c) { c.text_config.position_embedding_type = "relative_key"; });
}

TEST(BridgeTowerConfig, RefusesWidthsThatDoNotFit) {
  expect_refused("text_config.num_attention_heads: expected a divisor of hidden_size 768, got 7",
                 [](auto& c) { c.text_config.num_attention_heads = 7; });
  expect_refused(
      "vision_config.hidden_size: expected a multiple of its number of heads, hidden_size / 64 = "
      "3, as in Hugging Face, got 200",
      [](auto& c) { c.vision_config.hidden_size = 200; });
  expect_refused(
      "hidden_size: expected text_config.hidden_size 768, the width of the cross-modal layers, got "
      "64",
      [](auto& c) { c.hidden_size = 64; });
  expect_accepted([](auto& c) { c.vision_config.hidden_size = 1024; });
  expect_accepted([](auto& c) { c.num_attention_heads = -5; });  // HF never reads it
}

// What Hugging Face accepts in a configuration and then fails on.
TEST(BridgeTowerConfig, RefusesWhatHuggingFaceCannotRun) {
  expect_refused(
      "share_link_tower_layers: expected false with more than one cross-modal layer; Hugging Face "
      "fails there, got true",
      [](auto& c) { c.share_link_tower_layers = true; });
  expect_accepted([](auto& c) {
    c.share_link_tower_layers = true;
    c.num_hidden_layers = 1;
  });
  expect_refused(
      "init_layernorm_from_vision_encoder: expected false without vision_config.share_layernorm; "
      "Hugging Face fails there, got true",
      [](auto& c) {
        c.init_layernorm_from_vision_encoder = true;
        c.vision_config.share_layernorm = false;
      });
  expect_accepted([](auto& c) { c.init_layernorm_from_vision_encoder = true; });
  expect_accepted([](auto& c) { c.vision_config.share_layernorm = false; });
  const std::string too_short =
      "vision_config.num_hidden_layers: expected at least 12 blocks, one for each text layer, got "
      "11";
  expect_refused(too_short, [](auto& c) { c.vision_config.remove_last_layer = true; });
  expect_refused(too_short, [](auto& c) { c.vision_config.num_hidden_layers = 11; });
  expect_accepted([](auto& c) {
    c.vision_config.remove_last_layer = true;
    c.vision_config.num_hidden_layers = 13;
  });
  expect_accepted([](auto& c) {
    c.vision_config.remove_last_layer = true;
    c.num_hidden_layers = 1;
  });
  expect_accepted([](auto& c) { c.share_cross_modal_transformer_layers = false; });
  expect_accepted([](auto& c) { c.num_hidden_layers = 13; });  // the fusion begins on embeddings
}

TEST(BridgeTowerConfig, TakesTheDecoderOptionsThatChangeNothing) {
  expect_refused(
      "text_config.add_cross_attention: expected false without is_decoder, as in Hugging Face, got "
      "true",
      [](auto& c) { c.text_config.add_cross_attention = true; });
  expect_accepted([](auto& c) { c.text_config.is_decoder = true; });
  expect_accepted([](auto& c) {
    c.text_config.is_decoder = true;
    c.text_config.add_cross_attention = true;
  });
}

}  // namespace
}  // namespace bridgetower

#include <bridgetower/bridgetower.hpp>
#include <bridgetower/config/config_json.hpp>

#include "tests/hostile/hostile.hpp"
#include "tests/support/paths.hpp"

namespace bridgetower::hostile {
namespace {

constexpr ErrorCode kConfig = ErrorCode::kConfig;
constexpr ErrorCode kFormat = ErrorCode::kFormat;

/// Reads config.json and checks it as loading a model does.
std::string read_config(const std::string& bytes) {
  put("config.json", bytes);
  BridgeTowerConfig::from_pretrained(scratch()).validate();
  return "a configuration";
}

std::string read_processor_config(const std::string& bytes) {
  put("preprocessor_config.json", bytes);
  const BridgeTowerImageProcessor processor(ImageProcessorConfig::from_pretrained(scratch()));
  const ImageFeatures features = processor(Image(40, 60, 3));
  const Shape shape =
      features.pixel_bytes.empty() ? features.pixel_values.shape() : features.pixel_bytes.shape();
  return to_string(shape);
}

/// `depth` lists in each other, and closed.
std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

std::vector<Case> config_cases() {
  Cases cases("config.json", read_config);
  cases.answered("an object without keys", "{}", "a configuration");
  cases.refused("an empty file", "", kFormat, "byte 0: expected JSON, got the end of the text");
  cases.refused("a list", "[]", kFormat, "JSON: expected an object, got an array");
  cases.refused("a text", "\"config\"", kFormat, "JSON: expected an object");
  cases.refused("a byte order mark and nothing", "\xEF\xBB\xBF", kFormat, "expected JSON");
  cases.refused("Python's NaN", R"({"layer_norm_eps": NaN})", kFormat, "expected JSON");
  cases.refused("a comment", "{} // c", kFormat, "expected JSON");
  cases.refused("a comma at the end", R"({"hidden_size": 768,})", kFormat, "expected JSON");
  cases.refused("a line end in a text", "{\"hidden_act\": \"ge\nlu\"}", kFormat, "expected JSON");
  cases.refused("a zero byte at the end", std::string("{}\0", 3), kFormat, "byte 2: expected JSON");
  cases.refused("65 levels", R"({"a": )" + nested(64) + "}", ErrorCode::kLimit,
                "nesting of at most 64");
  cases.answered("63 levels in a key of nobody", R"({"a": )" + nested(63) + "}", "a configuration");
  cases.refused(
      "400000 levels", [] { return nested(400'000); }, ErrorCode::kLimit, "nesting of at most 64");
  cases.refused("a key twice", R"({"hidden_size": 768, "hidden_size": 769})", kFormat,
                "every key once, got \"hidden_size\" again");
  cases.refused("a key twice, once with an escape", R"({"hidden_size": 1, "hidden\u005fsize": 2})",
                kFormat, "every key once, got \"hidden_size\" again");
  cases.refused(
      "200000 values", [] { return "[" + repeated("0,", 200'000) + "0]"; }, kFormat,
      "JSON: expected an object, got an array");
  cases.refused(
      "300000 lists", [] { return "[" + repeated("[],", 300'000) + "0]"; }, ErrorCode::kLimit,
      "a tree of at most 16777216 bytes beside the text's length");
  cases.refused(
      "260000 objects", [] { return "[" + repeated("{},", 260'000) + "0]"; }, ErrorCode::kLimit,
      "a tree of at most 16777216 bytes beside the text's length");
  cases.refused(
      "20 MB of spaces", [] { return std::string(20 << 20, ' '); }, ErrorCode::kLimit,
      "file size: expected at most ");
  const auto key = [&](const std::string& name, const std::string& members,
                       const std::string& message) {
    cases.refused(name, "{" + members + "}", kConfig, message);
  };
  key("a text for a size", R"("hidden_size": "768")", "hidden_size: expected an integer");
  key("a size with a decimal point", R"("hidden_size": 768.0)", "hidden_size: expected an integer");
  key("a size of 2^63", R"("hidden_size": 9223372036854775808)", "hidden_size");
  key("a size of 2^64", R"("hidden_size": 18446744073709551616)", "hidden_size");
  key("a size of 1e30", R"("hidden_size": 1e30)", "hidden_size: expected an integer");
  key("true for a size", R"("hidden_size": true)", "hidden_size: expected an integer, got true");
  key("null for a size", R"("hidden_size": null)", "hidden_size: expected an integer, got null");
  key("a list for a size", R"("hidden_size": [])", "hidden_size: expected an integer");
  key("a negative width", R"("hidden_size": -768)", "hidden_size");
  key("no width", R"("text_config": {"hidden_size": 0})", "text_config.hidden_size");
  key("a vocabulary of 2^62", R"("text_config": {"vocab_size": 4611686018427387904})",
      "vocab_size: expected 1 to 1048576");
  key("a million layers", R"("text_config": {"num_hidden_layers": 1000000})",
      "num_hidden_layers: expected 0 to 1024");
  key("negative layers", R"("num_hidden_layers": -1)", "num_hidden_layers");
  key("more cross-modal layers than text layers", R"("num_hidden_layers": 14)",
      "num_hidden_layers: expected 1 to 13, got 14");
  key("no heads", R"("text_config": {"num_attention_heads": 0})", "num_attention_heads");
  key("heads that do not divide", R"("text_config": {"num_attention_heads": 7})",
      "a divisor of hidden_size 768, got 7");
  key("negative heads", R"("text_config": {"num_attention_heads": -12})", "num_attention_heads");
  key("an unknown activation", R"("text_config": {"hidden_act": "exec"})",
      "the name of an activation, got exec");
  key("an activation with a line end", R"("hidden_act": "ge\nlu")", "got ge\\x0alu");
  key("an unknown link tower", R"("link_tower_type": "mean")",
      "link_tower_type: expected add, scaled_add or interpolate, got mean");
  key("a norm of -1", R"("layer_norm_eps": -1.0)", "a number of 0 or more, got -1");
  key("padding beyond the vocabulary", R"("text_config": {"pad_token_id": 60000})", "pad_token_id");
  key("a patch larger than the picture", R"("vision_config": {"patch_size": 1000})",
      "vision_config.image_size: expected 1000 to 1048576, got 288");
  key("a patch of nothing", R"("vision_config": {"patch_size": 0})", "patch_size");
  key("a vision width that no head divides", R"("vision_config": {"hidden_size": 193})",
      "a multiple of its");
  key("a list for a part", R"("text_config": [])", "text_config: expected an object");
  key("towers of different widths", R"("hidden_size": 512)", "hidden_size: expected text_config");
  key("a decoder", R"("text_config": {"add_cross_attention": true})", "add_cross_attention");
  key("other positions", R"("text_config": {"position_embedding_type": "relative_key"})",
      "position_embedding_type: expected absolute");
  key("a contrastive width of -1", R"("contrastive_hidden_size": -1)", "contrastive_hidden_size");
  key("2^40 channels", R"("vision_config": {"num_channels": 1099511627776})", "num_channels");
  return cases.take();
}

std::vector<Case> processor_config_cases() {
  Cases cases("preprocessor_config.json", read_processor_config);
  cases.answered("an object without keys", "{}", "[1, 3, 288, 288]");
  cases.refused("an empty file", "", kFormat, "expected JSON");
  cases.refused("a list", "[]", kFormat, "JSON: expected an object, got an array");
  cases.refused("a key twice", R"({"size": 1, "size": 2})", kFormat, "every key once");
  cases.refused(
      "2 MB of spaces", [] { return std::string(2 << 20, ' '); }, ErrorCode::kLimit,
      "file size: expected at most ");
  const auto key = [&](const std::string& name, const std::string& members,
                       const std::string& message) {
    cases.refused(name, "{" + members + "}", kConfig, message);
  };
  key("a size of nothing", R"("size": 0)", "size: expected an integer from 1 to 16384, got 0");
  key("a negative size", R"("size": {"shortest_edge": -288})", "size.shortest_edge");
  key("a size of 2^63", R"("size": 9223372036854775808)", "size");
  key("a text for a size", R"("size": "288")", "size: expected an object with shortest_edge");
  key("no shortest edge", R"("size": {"height": 288, "width": 288})", "shortest_edge");
  key("a divisor of nothing", R"("size_divisor": 0)", "size_divisor");
  key("an unknown filter", R"("resample": 6)", "resample: expected one of Pillow's codes 0 to 5");
  key("a negative filter", R"("resample": -1)", "resample");
  key("a crop of a million", R"("crop_size": {"shortest_edge": 1000000})", "crop_size");
  key("a deviation of nothing", R"("image_std": [0.5, 0, 0.5])", "image_std");
  key("two means", R"("image_mean": [0.5, 0.5])", "image_mean: expected 1 or 3 numbers");
  key("a mean beyond float", R"("image_mean": 1e300)", "image_mean");
  key("a factor beyond float", R"("rescale_factor": 1e39)", "rescale_factor");
  key("a number for a switch", R"("do_resize": 1)", "do_resize: expected true or false, got 1");
  key("null for a size that is needed", R"("size": null)", "size");
  cases.refused("a divisor larger than the picture", R"({"size": 100, "size_divisor": 16384})",
                ErrorCode::kInput, "sides that fit a multiple of 16384 pixels");
  cases.refused("pixels without number", R"({"size": 16384})", ErrorCode::kLimit, "");
  cases.refused("a crop without number", R"({"crop_size": {"shortest_edge": 16384}})",
                ErrorCode::kLimit, "");
  return cases.take();
}

}  // namespace bridgetower::hostile

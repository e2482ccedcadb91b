#include <bridgetower/config/config_json.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/hub_cache.hpp>
#include <cmath>
#include <limits>
#include <optional>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/json_guard.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// Reads the keys of one object into fields; a key that is absent leaves its field as it is.
class Reader {
 public:
  Reader(const json& object, std::string place, std::string prefix)
      : object_(object), place_(std::move(place)), prefix_(std::move(prefix)) {}

  void read(const char* key, bool& field) const {
    const json* const value = find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) refuse(key, "true or false", *value);
    field = value->get<bool>();
  }

  void read(const char* key, std::int64_t& field) const {
    const json* const value = find(key);
    if (value == nullptr) return;
    if (!is_int64(*value)) refuse(key, "an integer", *value);
    field = value->get<std::int64_t>();
  }

  void read(const char* key, std::string& field) const {
    const json* const value = find(key);
    if (value == nullptr) return;
    if (!value->is_string()) refuse(key, "a string", *value);
    field = value->get<std::string>();
  }

  /// `integers`: HF's type of the key is float or int.
  void read(const char* key, double& field, bool integers) const {
    const json* const value = find(key);
    if (value == nullptr) return;
    if (!value->is_number_float() && !(integers && value->is_number())) {
      refuse(key, integers ? "a number" : "a number with a decimal point", *value);
    }
    field = value->get<double>();
  }

  void read(const char* key, std::optional<std::int64_t>& field) const {
    if (find(key) == nullptr || find(key)->is_null()) return;
    read(key, field.emplace());
  }

  void read(const char* key, std::optional<double>& field) const {
    if (find(key) == nullptr || find(key)->is_null()) return;
    read(key, field.emplace(), true);
  }

  /// A key that the model never uses: an integer or null; `lists`: HF takes several as well.
  void read_unused(const char* key, std::int64_t& field, bool lists) const {
    const json* const value = find(key);
    if (value == nullptr || value->is_null() || (lists && value->is_array())) return;
    read(key, field);
  }

 private:
  const json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  static bool is_int64(const json& value) {
    if (!value.is_number_integer()) return false;
    return !value.is_number_unsigned() ||
           value.get<std::uint64_t>() <=
               static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  }

  [[noreturn]] void refuse(const char* key, const char* expected, const json& got) const {
    throw ConfigError(place_, prefix_ + key, expected, detail::describe(got));
  }

  const json& object_;
  std::string place_;
  std::string prefix_;
};

void read_text(const Reader& in, TextConfig& config) {
  in.read("vocab_size", config.vocab_size);
  in.read("hidden_size", config.hidden_size);
  in.read("num_hidden_layers", config.num_hidden_layers);
  in.read("num_attention_heads", config.num_attention_heads);
  in.read("initializer_factor", config.initializer_factor, true);
  in.read("intermediate_size", config.intermediate_size);
  in.read("hidden_act", config.hidden_act);
  in.read("hidden_dropout_prob", config.hidden_dropout_prob, true);
  in.read("attention_probs_dropout_prob", config.attention_probs_dropout_prob, true);
  in.read("max_position_embeddings", config.max_position_embeddings);
  in.read("type_vocab_size", config.type_vocab_size);
  in.read("layer_norm_eps", config.layer_norm_eps, false);
  in.read("pad_token_id", config.pad_token_id);
  in.read_unused("bos_token_id", config.bos_token_id, false);
  in.read_unused("eos_token_id", config.eos_token_id, true);
  in.read("position_embedding_type", config.position_embedding_type);
  in.read("use_cache", config.use_cache);
  in.read("is_decoder", config.is_decoder);
  in.read("add_cross_attention", config.add_cross_attention);
}

void read_vision(const Reader& in, VisionConfig& config) {
  in.read("hidden_size", config.hidden_size);
  in.read("num_hidden_layers", config.num_hidden_layers);
  in.read("num_channels", config.num_channels);
  in.read("patch_size", config.patch_size);
  in.read("image_size", config.image_size);
  in.read("initializer_factor", config.initializer_factor, true);
  in.read("layer_norm_eps", config.layer_norm_eps, false);
  in.read("stop_gradient", config.stop_gradient);
  in.read("share_layernorm", config.share_layernorm);
  in.read("remove_last_layer", config.remove_last_layer);
}

void read_top(const Reader& in, BridgeTowerConfig& config) {
  in.read("share_cross_modal_transformer_layers", config.share_cross_modal_transformer_layers);
  in.read("hidden_act", config.hidden_act);
  in.read("hidden_size", config.hidden_size);
  in.read("initializer_factor", config.initializer_factor, true);
  in.read("layer_norm_eps", config.layer_norm_eps, false);
  in.read("share_link_tower_layers", config.share_link_tower_layers);
  in.read("link_tower_type", config.link_tower_type);
  in.read("num_attention_heads", config.num_attention_heads);
  in.read("num_hidden_layers", config.num_hidden_layers);
  in.read("tie_word_embeddings", config.tie_word_embeddings);
  in.read("init_layernorm_from_vision_encoder", config.init_layernorm_from_vision_encoder);
  in.read("contrastive_hidden_size", config.contrastive_hidden_size);
  in.read("logit_scale_init_value", config.logit_scale_init_value);
}

/// The object under `key`; an empty one where it is absent or null, as in HF.
const json& sub_config(const json& root, const char* key, const std::string& place) {
  static const json none = json::object();
  const auto found = root.find(key);
  if (found == root.end() || found->is_null()) return none;
  if (!found->is_object()) throw ConfigError(place, key, "an object", detail::describe(*found));
  return *found;
}

/// JSON has no infinity, and its strings are UTF-8.
void check_writable(const BridgeTowerConfig& config) {
  const TextConfig& text = config.text_config;
  const VisionConfig& vision = config.vision_config;
  for (const double number :
       {config.initializer_factor, config.layer_norm_eps, config.logit_scale_init_value.value_or(0),
        text.initializer_factor, text.hidden_dropout_prob, text.attention_probs_dropout_prob,
        text.layer_norm_eps, vision.initializer_factor, vision.layer_norm_eps}) {
    if (!std::isfinite(number)) {
      throw ConfigError("config", "numbers", "finite ones", std::to_string(number));
    }
  }
  for (const std::string& name :
       {config.hidden_act, config.link_tower_type, text.hidden_act, text.position_embedding_type}) {
    if (!detail::is_utf8(name)) {
      throw ConfigError("config", "strings", "UTF-8", detail::in_quotes(name));
    }
  }
}

void put(const TextConfig& config, ordered_json& object) {
  detail::make_object(object, 20);
  object["model_type"] = "bridgetower_text_model";
  object["vocab_size"] = config.vocab_size;
  object["hidden_size"] = config.hidden_size;
  object["num_hidden_layers"] = config.num_hidden_layers;
  object["num_attention_heads"] = config.num_attention_heads;
  object["initializer_factor"] = config.initializer_factor;
  object["intermediate_size"] = config.intermediate_size;
  object["hidden_act"] = config.hidden_act;
  object["hidden_dropout_prob"] = config.hidden_dropout_prob;
  object["attention_probs_dropout_prob"] = config.attention_probs_dropout_prob;
  object["max_position_embeddings"] = config.max_position_embeddings;
  object["type_vocab_size"] = config.type_vocab_size;
  object["layer_norm_eps"] = config.layer_norm_eps;
  object["pad_token_id"] = config.pad_token_id;
  object["bos_token_id"] = config.bos_token_id;
  object["eos_token_id"] = config.eos_token_id;
  object["position_embedding_type"] = config.position_embedding_type;
  object["use_cache"] = config.use_cache;
  object["is_decoder"] = config.is_decoder;
  object["add_cross_attention"] = config.add_cross_attention;
}

void put(const VisionConfig& config, ordered_json& object) {
  detail::make_object(object, 11);
  object["model_type"] = "bridgetower_vision_model";
  object["hidden_size"] = config.hidden_size;
  object["num_hidden_layers"] = config.num_hidden_layers;
  object["num_channels"] = config.num_channels;
  object["patch_size"] = config.patch_size;
  object["image_size"] = config.image_size;
  object["initializer_factor"] = config.initializer_factor;
  object["layer_norm_eps"] = config.layer_norm_eps;
  object["stop_gradient"] = config.stop_gradient;
  object["share_layernorm"] = config.share_layernorm;
  object["remove_last_layer"] = config.remove_last_layer;
}

}  // namespace

BridgeTowerConfig config_from_json(std::string_view text, const std::string& place,
                                   const Limits& limits) {
  json root = detail::parse_json(text, place, limits);
  const detail::JsonGuard guard(root);
  if (!root.is_object()) throw FormatError(place, "JSON", "an object", detail::describe(root));
  BridgeTowerConfig config;
  read_top(Reader(root, place, ""), config);
  read_text(Reader(sub_config(root, "text_config", place), place, "text_config."),
            config.text_config);
  read_vision(Reader(sub_config(root, "vision_config", place), place, "vision_config."),
              config.vision_config);
  return config;
}

std::string to_json(const BridgeTowerConfig& config) {
  check_writable(config);
  ordered_json root;
  const detail::JsonGuard guard(root);
  detail::make_object(root, 16);
  root["model_type"] = "bridgetower";
  root["share_cross_modal_transformer_layers"] = config.share_cross_modal_transformer_layers;
  root["hidden_act"] = config.hidden_act;
  root["hidden_size"] = config.hidden_size;
  root["initializer_factor"] = config.initializer_factor;
  root["layer_norm_eps"] = config.layer_norm_eps;
  root["share_link_tower_layers"] = config.share_link_tower_layers;
  root["link_tower_type"] = config.link_tower_type;
  root["num_attention_heads"] = config.num_attention_heads;
  root["num_hidden_layers"] = config.num_hidden_layers;
  root["tie_word_embeddings"] = config.tie_word_embeddings;
  root["init_layernorm_from_vision_encoder"] = config.init_layernorm_from_vision_encoder;
  if (config.contrastive_hidden_size) {
    root["contrastive_hidden_size"] = *config.contrastive_hidden_size;
  }
  if (config.logit_scale_init_value) {
    root["logit_scale_init_value"] = *config.logit_scale_init_value;
  }
  put(config.text_config, root["text_config"]);
  put(config.vision_config, root["vision_config"]);
  return root.dump(2) + "\n";
}

BridgeTowerConfig BridgeTowerConfig::from_pretrained(const std::filesystem::path& model,
                                                     const std::string& revision,
                                                     const Limits& limits) {
  const std::filesystem::path file = find_model(model, revision) / "config.json";
  return config_from_json(detail::read_file(file, limits.config_bytes), file.string(), limits);
}

void BridgeTowerConfig::save_pretrained(const std::filesystem::path& directory) const {
  detail::write_file(directory / "config.json", to_json(*this));
}

}  // namespace bridgetower

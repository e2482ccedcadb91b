#include <algorithm>
#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/error.hpp>
#include <cmath>
#include <locale>
#include <sstream>
#include <string>
#include <utility>

namespace bridgetower {
namespace {

/// Larger than any model, and small enough that no product of two or three sizes overflows.
constexpr std::int64_t kMaxSize = 1 << 20;
constexpr std::int64_t kMaxLayers = 1024;

[[noreturn]] void refuse(const std::string& key, const std::string& expected,
                         const std::string& got) {
  throw ConfigError("config", key, expected, got);
}

void check_range(const char* key, std::int64_t value, std::int64_t least,
                 std::int64_t most = kMaxSize) {
  if (value >= least && value <= most) return;
  refuse(key, std::to_string(least) + " to " + std::to_string(most), std::to_string(value));
}

void check_eps(const char* key, double value) {
  if (std::isfinite(value) && value >= 0) return;
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << value;
  refuse(key, "a number of 0 or more", text.str());
}

void check_activation(const char* key, const std::string& name) {
  const char* const known[] = {
      "gelu",  "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu", "relu", "silu",
      "swish", "tanh",     "sigmoid",           "linear"};
  if (std::find(std::begin(known), std::end(known), name) != std::end(known)) return;
  refuse(key, "the name of an activation", name);
}

void check_text(const TextConfig& text) {
  check_range("text_config.vocab_size", text.vocab_size, 1);
  check_range("text_config.hidden_size", text.hidden_size, 1);
  check_range("text_config.num_hidden_layers", text.num_hidden_layers, 0, kMaxLayers);
  check_range("text_config.num_attention_heads", text.num_attention_heads, 1);
  check_range("text_config.intermediate_size", text.intermediate_size, 1);
  check_range("text_config.max_position_embeddings", text.max_position_embeddings, 1);
  check_range("text_config.type_vocab_size", text.type_vocab_size, 1);
  check_range("text_config.pad_token_id", text.pad_token_id, -1,
              std::min(text.vocab_size, text.max_position_embeddings) - 1);
  check_eps("text_config.layer_norm_eps", text.layer_norm_eps);
  check_activation("text_config.hidden_act", text.hidden_act);
  if (text.hidden_size % text.num_attention_heads != 0) {
    refuse("text_config.num_attention_heads",
           "a divisor of hidden_size " + std::to_string(text.hidden_size),
           std::to_string(text.num_attention_heads));
  }
  if (text.position_embedding_type != "absolute") {
    refuse("text_config.position_embedding_type", "absolute", text.position_embedding_type);
  }
  if (text.add_cross_attention && !text.is_decoder) {
    refuse("text_config.add_cross_attention", "false without is_decoder, as in Hugging Face",
           "true");
  }
}

void check_vision(const VisionConfig& vision) {
  check_range("vision_config.hidden_size", vision.hidden_size, 64);
  check_range("vision_config.num_hidden_layers", vision.num_hidden_layers, 0, kMaxLayers);
  check_range("vision_config.num_channels", vision.num_channels, 1);
  check_range("vision_config.patch_size", vision.patch_size, 1);
  check_range("vision_config.image_size", vision.image_size, vision.patch_size);
  check_eps("vision_config.layer_norm_eps", vision.layer_norm_eps);
  const std::int64_t heads = vision.hidden_size / 64;
  if (vision.hidden_size % heads != 0) {
    refuse("vision_config.hidden_size",
           "a multiple of its number of heads, hidden_size / 64 = " + std::to_string(heads) +
               ", as in Hugging Face",
           std::to_string(vision.hidden_size));
  }
}

void check_links(const BridgeTowerConfig& config) {
  const std::int64_t layers = config.num_hidden_layers;
  if (layers > 1 && config.share_link_tower_layers) {
    refuse("share_link_tower_layers",
           "false with more than one cross-modal layer; Hugging Face fails there", "true");
  }
  const std::string& type = config.link_tower_type;
  const bool used = layers > 1 || config.share_link_tower_layers;
  if (used && type != "add" && type != "scaled_add" && type != "interpolate") {
    refuse("link_tower_type", "add, scaled_add or interpolate", type);
  }
}

/// Each of the cross-modal layers takes the states of the same text layer and vision block.
void check_depths(const BridgeTowerConfig& config) {
  const std::int64_t text_layers = config.text_config.num_hidden_layers;
  check_range("num_hidden_layers", config.num_hidden_layers, 1, text_layers + 1);
  const VisionConfig& vision = config.vision_config;
  const std::int64_t blocks = vision.num_hidden_layers - (vision.remove_last_layer ? 1 : 0);
  if (config.num_hidden_layers > 1 && blocks < text_layers) {
    refuse("vision_config.num_hidden_layers",
           "at least " + std::to_string(text_layers) + " blocks, one for each text layer",
           std::to_string(blocks));
  }
}

}  // namespace

BridgeTowerConfig BridgeTowerConfig::from_text_vision_configs(TextConfig text_config,
                                                              VisionConfig vision_config) {
  BridgeTowerConfig config;
  config.text_config = std::move(text_config);
  config.vision_config = vision_config;
  return config;
}

void BridgeTowerConfig::validate() const {
  check_text(text_config);
  check_vision(vision_config);
  check_range("hidden_size", hidden_size, 1);
  if (hidden_size != text_config.hidden_size) {
    refuse("hidden_size",
           "text_config.hidden_size " + std::to_string(text_config.hidden_size) +
               ", the width of the cross-modal layers",
           std::to_string(hidden_size));
  }
  check_eps("layer_norm_eps", layer_norm_eps);
  check_activation("hidden_act", hidden_act);
  check_depths(*this);
  check_links(*this);
  if (init_layernorm_from_vision_encoder && !vision_config.share_layernorm) {
    refuse("init_layernorm_from_vision_encoder",
           "false without vision_config.share_layernorm; Hugging Face fails there", "true");
  }
  if (contrastive_hidden_size) {
    check_range("contrastive_hidden_size", *contrastive_hidden_size, 1);
  }
}

}  // namespace bridgetower

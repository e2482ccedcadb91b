#pragma once

#include <bridgetower/config/text_config.hpp>
#include <bridgetower/config/vision_config.hpp>
#include <bridgetower/core/limits.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace bridgetower {

/// The whole model. Fields are config.json's keys, defaults are Hugging Face's.
/// HF: BridgeTowerConfig. Text of config.json: config/config_json.hpp.
struct BridgeTowerConfig {
  bool share_cross_modal_transformer_layers = true;  ///< one projection a modality, or one a layer
  std::string hidden_act = "gelu";  ///< activation of the MLM head's transform, nothing else
  std::int64_t hidden_size = 768;   ///< width of the fusion; must equal text_config.hidden_size
  double initializer_factor = 1.0;  ///< training only
  double layer_norm_eps = 1e-5;     ///< fusion norms, link towers, MLM transform
  bool share_link_tower_layers = false;   ///< true works with one cross-modal layer only, as in HF
  std::string link_tower_type = "add";    ///< "add", "scaled_add" or "interpolate"
  std::int64_t num_attention_heads = 12;  ///< ignored: cross-modal layers take text_config's
  std::int64_t num_hidden_layers = 6;     ///< cross-modal layers
  bool tie_word_embeddings = false;  ///< MLM decoder = word table where the file has no decoder
  bool init_layernorm_from_vision_encoder = false;      ///< needs vision_config.share_layernorm
  std::optional<std::int64_t> contrastive_hidden_size;  ///< width of the contrastive vectors
  std::optional<double> logit_scale_init_value;         ///< training only
  TextConfig text_config;
  VisionConfig vision_config;

  /// HF: BridgeTowerConfig.from_text_vision_configs (4.x). The fusion keeps its defaults.
  static BridgeTowerConfig from_text_vision_configs(TextConfig text_config,
                                                    VisionConfig vision_config);

  /// Reads config.json of a model directory (or a file of that format).
  /// Throws IoError, FormatError (not JSON), LimitError or ConfigError (a key of the wrong type);
  /// validate() tells whether it can be run.
  static BridgeTowerConfig from_pretrained(const std::filesystem::path& model,
                                           const std::string& revision = "main",
                                           const Limits& limits = {});

  /// Writes config.json into a directory that exists. Throws IoError.
  void save_pretrained(const std::filesystem::path& directory) const;

  /// Throws ConfigError for what cannot be run, naming the key; HF fails on the same values.
  void validate() const;
};

}  // namespace bridgetower

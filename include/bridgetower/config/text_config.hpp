#pragma once

#include <cstdint>
#include <string>

namespace bridgetower {

/// The text tower and, where noted, the cross-modal layers. HF: BridgeTowerTextConfig.
struct TextConfig {
  std::int64_t vocab_size = 50265;      ///< rows of the word table, width of the MLM logits
  std::int64_t hidden_size = 768;       ///< width of the text tower and of every cross-modal layer
  std::int64_t num_hidden_layers = 12;  ///< text layers
  std::int64_t num_attention_heads = 12;  ///< text and cross-modal layers
  double initializer_factor = 1.0;        ///< training only
  std::int64_t intermediate_size = 3072;  ///< feed-forward width, text and cross-modal layers
  std::string hidden_act = "gelu";        ///< feed-forward activation, text and cross-modal layers
  double hidden_dropout_prob = 0.1;       ///< training only
  double attention_probs_dropout_prob = 0.1;   ///< training only
  std::int64_t max_position_embeddings = 514;  ///< rows of the position table
  std::int64_t type_vocab_size = 1;            ///< rows of the token type table; row 0 is used
  double layer_norm_eps = 1e-5;                ///< text and cross-modal layers
  std::int64_t pad_token_id = 1;  ///< tokens with this id get the position of the same number
  std::int64_t bos_token_id = 0;  ///< not used by the model
  std::int64_t eos_token_id = 2;  ///< not used by the model
  std::string position_embedding_type = "absolute";  ///< nothing else is supported
  bool use_cache = true;                             ///< no effect
  bool is_decoder = false;                           ///< no effect
  bool add_cross_attention = false;  ///< true needs is_decoder, and then has no effect
};

}  // namespace bridgetower

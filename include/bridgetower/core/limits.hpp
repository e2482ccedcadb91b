#pragma once

#include <cstddef>
#include <cstdint>

namespace bridgetower {

/// What a picture's file may cost.
struct ImageLimits {
  std::uint64_t max_bytes = std::uint64_t{256} << 20;  ///< of the file
  std::int64_t max_pixels = 178'956'970;               ///< as Pillow's decompression bomb limit
  std::int64_t max_scans = 1000;  ///< of a JPEG; progressive ones have about ten, each a pass
};

/// What inputs from outside may cost. Each is checked before memory is taken, and passing one is a
/// LimitError; raise it where you trust the source.
struct Limits {
  ImageLimits image;                    ///< a picture's file
  std::int64_t pixels = 1 << 24;        ///< of a picture as preprocessor_config.json prepares it
  std::uint64_t text_bytes = 16 << 20;  ///< of one text
  std::int64_t tokens = 1 << 17;        ///< that one text is padded to
  std::int64_t batch = 4096;            ///< pictures or texts in one call

  std::uint64_t config_bytes = 1 << 20;       ///< config.json and the other small files
  std::uint64_t vocabulary_bytes = 64 << 20;  ///< tokenizer.json, vocab.json, merges.txt, …
  std::uint64_t token_bytes = 256;            ///< of an added token's or a piece's text
  std::uint64_t listing_bytes = 64 << 20;     ///< index of shards or pictures, directory of a zip
  std::uint64_t header_bytes = 100'000'000;   ///< of a safetensors file, as in its reference
  std::uint64_t pickle_bytes = 16 << 20;      ///< of a pickle
  std::size_t pickle_values = 1 << 17;        ///< that a pickle makes or puts somewhere
  std::size_t tensors = 1 << 14;              ///< in one file, or entries of a zip

  std::size_t json_depth = 64;           ///< objects and lists in each other
  std::size_t json_values = 1 << 20;     ///< in one text
  std::uint64_t json_memory = 16 << 20;  ///< of its tree, beside once the text's length

  /// Of a model's weights and what one picture and one text take beside them.
  std::uint64_t model_memory = std::uint64_t{64} << 30;
};

}  // namespace bridgetower

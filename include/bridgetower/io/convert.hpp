#pragma once

#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/weight_source.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bridgetower {

struct ConvertOptions {
  /// F32, F16 or BF16 for all floating tensors; I8 for what LoadOptions::dtype kI8 keeps in int8,
  /// with one scale a row in "<name>.scale", and BF16 for what it keeps in that; absent: as stored.
  std::optional<DType> dtype;
  std::uint64_t max_shard_bytes = 5'000'000'000;  ///< of tensors in one file
};

/// What convert_checkpoint() wrote.
struct Converted {
  std::int64_t tensors = 0;
  std::uint64_t bytes = 0;         ///< of all tensors
  std::vector<std::string> files;  ///< names in the destination, in the order they were written
};

/// Writes a checkpoint as safetensors: model.safetensors, or shards and their index where it is
/// larger than one shard. `source` is a model directory, ORG/NAME of one in the Hugging Face cache,
/// or one file of weights; the configuration and the tokenizer's files beside it are copied.
///
/// Tensors pass one after the other through a few megabytes of memory. Every file appears under its
/// name only when complete, the weights after the small files and the index last. Throws IoError,
/// FormatError, LimitError, or InputError for options that cannot be met.
Converted convert_checkpoint(const std::filesystem::path& source,
                             const std::filesystem::path& destination,
                             const ConvertOptions& options = {});

}  // namespace bridgetower

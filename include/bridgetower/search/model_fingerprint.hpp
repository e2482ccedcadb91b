#pragma once

#include <bridgetower/core/limits.hpp>
#include <filesystem>
#include <string>

namespace bridgetower {

/// A name for the vectors that a model makes of pictures, 64 hexadecimal digits: the SHA-256 of
/// config.json, preprocessor_config.json, and of every tensor's name, shape and first 256 values.
/// Reads little of the file, so a model that differs from another only further inside its tensors
/// is taken for the same. `model` and `revision` as in BridgeTowerModel; throws as it does.
std::string model_fingerprint(const std::filesystem::path& model,
                              const std::string& revision = "main", const Limits& limits = {});

}  // namespace bridgetower

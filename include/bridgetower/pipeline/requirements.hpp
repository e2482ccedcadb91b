#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <bridgetower/core/weight_source.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace bridgetower {

/// What a model can be asked to do.
enum class Task {
  kMatch,     ///< ImageTextMatcher
  kFillMask,  ///< MaskFiller
  kEmbed      ///< Embedder
};

/// What a model in `directory` lacks for a task: files, keys of config.json, and names of tensors;
/// empty when it is ready. Reads no weights, and looks at no shapes.
std::vector<std::string> missing_for(Task task, const std::filesystem::path& directory,
                                     const BridgeTowerConfig& config, const WeightSource& weights);

}  // namespace bridgetower

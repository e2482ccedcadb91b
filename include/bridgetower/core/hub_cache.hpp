#pragma once

#include <filesystem>
#include <string>

namespace bridgetower {

/// Where the Hub client keeps models on this machine: $HF_HUB_CACHE, else $HF_HOME/hub, else
/// $XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. Throws IoError where none of
/// these is set.
std::filesystem::path hub_cache();

/// The directory of a model: `model` itself where it exists or is no repository id (ORG/NAME), else
/// the snapshot of that repository in the local Hugging Face cache. `revision` is a branch, a tag
/// or a commit hash. The network is never asked. Throws IoError: not in the cache (the message says
/// which command fetches it), or a snapshot whose files are links out of the cache.
std::filesystem::path find_model(const std::filesystem::path& model,
                                 const std::string& revision = "main");

}  // namespace bridgetower

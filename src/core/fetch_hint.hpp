#pragma once

#include <filesystem>
#include <string>

namespace bridgetower::detail {

/// For messages about a file that is missing: what to do where its directory is a snapshot of the
/// Hugging Face cache, otherwise empty.
std::string fetch_hint(const std::filesystem::path& file);

}  // namespace bridgetower::detail

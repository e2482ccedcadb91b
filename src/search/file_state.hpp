#pragma once

#include <bridgetower/search/image_record.hpp>
#include <optional>
#include <string>

namespace bridgetower::detail {

/// The file as it is now, without its sum; absent where it is gone or cannot be asked for.
std::optional<ImageRecord> state_of(const std::string& path);

/// Whether there is no file any more. A directory that could not be read is looked at anew.
bool is_gone(const std::string& path);

}  // namespace bridgetower::detail

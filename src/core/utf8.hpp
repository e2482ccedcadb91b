#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bridgetower::detail {

/// The first byte that is not part of well-formed UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text) noexcept;

/// Each maximal ill-formed part replaced by U+FFFD (Unicode 16, chapter 3.9).
std::string repaired_utf8(std::string_view text);

}  // namespace bridgetower::detail

#pragma once

#include <string>
#include <string_view>

namespace bridgetower::cli {

/// Bytes from anywhere as text of a page, fit for elements and quoted attributes: markup is
/// escaped, control characters are shown by their symbols (U+2400 and on), what is not UTF-8 as
/// U+FFFD.
std::string to_html(const std::string& bytes);

/// "data:image/jpeg;base64,…"
std::string data_uri(std::string_view type, std::string_view bytes);

}  // namespace bridgetower::cli

#pragma once

#include <bridgetower/core/error.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "core/json.hpp"
#include "core/sha256.hpp"

// A path in JSON. JSON holds text, names of files are bytes: where they are no UTF-8, "image" shows
// them as well as it can, and "image_hex" has the bytes.
namespace bridgetower::detail {

template <class Json>
void put_path(Json& object, const std::string& path) {
  object["image"] = path;
  if (!is_utf8(path)) object["image_hex"] = to_hex(path.data(), path.size());
}

inline std::string path_from_hex(const std::string& hex, const std::string& place) {
  std::string path;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const std::string digits = hex.substr(i, 2);
    if (digits.size() != 2 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
      throw FormatError(place, "image_hex", "pairs of hexadecimal digits", in_quotes(hex));
    }
    path += static_cast<char>(std::stoi(digits, nullptr, 16));
  }
  return path;
}

inline std::string path_from(const nlohmann::json& object, const std::string& place) {
  const auto hex = object.find("image_hex");
  const auto found = hex == object.end() ? object.find("image") : hex;
  if (found == object.end() || !found->is_string()) {
    throw FormatError(place, "image", "a string",
                      found == object.end() ? "none" : describe(*found));
  }
  return hex == object.end() ? found->get<std::string>()
                             : path_from_hex(hex->get<std::string>(), place);
}

}  // namespace bridgetower::detail

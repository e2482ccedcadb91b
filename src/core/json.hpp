#pragma once

#include <bridgetower/core/limits.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace bridgetower::detail {

/// A JSON text as a tree. Throws FormatError with the byte offset for text that is not JSON or not
/// UTF-8 and for a key given twice in one object; LimitError beyond the limits of depth, values and
/// memory. Integers that fit into 64 bits stay integers, larger ones become doubles.
nlohmann::json parse_json(std::string_view text, const std::string& place,
                          const Limits& limits = {});

nlohmann::json read_json_file(const std::filesystem::path& path, std::uint64_t max_bytes,
                              const Limits& limits = {});

/// Whether JSON can hold the text as a string.
bool is_utf8(std::string_view text);

/// Text from outside, fit for a message: in quotes, control and non-ASCII bytes as \xNN, cut after
/// `max_bytes`.
std::string in_quotes(std::string_view text, std::size_t max_bytes = 80);

/// A value for a message: `null`, `true`, `12`, `string "768"`, `an array`, `an object`.
std::string describe(const nlohmann::json& value);

}  // namespace bridgetower::detail

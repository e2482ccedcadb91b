#pragma once

#include <bridgetower/config/bridgetower_config.hpp>
#include <string>
#include <string_view>

namespace bridgetower {

/// config.json's text as a configuration; `place` names it in errors. Absent keys take their
/// defaults, unknown ones are ignored. Types are strict, as in transformers 5: an integer where a
/// float belongs, or "64" where 64 belongs, is a ConfigError that names the key. Throws FormatError
/// for text that is not JSON.
BridgeTowerConfig config_from_json(std::string_view text, const std::string& place,
                                   const Limits& limits = {});

/// The text of a config.json that Hugging Face and config_from_json read back as the same
/// configuration. Throws ConfigError for numbers that are not finite and strings that are not
/// UTF-8.
std::string to_json(const BridgeTowerConfig& config);

}  // namespace bridgetower

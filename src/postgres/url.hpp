#pragma once

#include <string>

namespace bridgetower::postgres {

/// The database that a URL names, for messages: a URL without password and options. Throws as
/// check_url() does.
std::string place_of(const std::string& url);

}  // namespace bridgetower::postgres

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bridgetower::fuzz {

/// One kind of bytes from outside. run() feeds them to their reader and lets nothing out but what
/// must never happen: an Error and std::bad_alloc are answers.
struct Target {
  const char* name;
  void (*run)(std::string_view bytes);
  std::vector<std::string> seeds;  ///< files of tests/data to start from, or texts after "="
};

const std::vector<Target>& targets();

/// Null where there is none of this name.
const Target* find_target(std::string_view name);

/// The bytes of a seed.
std::string seed_bytes(const std::string& seed);

}  // namespace bridgetower::fuzz

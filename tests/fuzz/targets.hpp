#pragma once

#include <random>
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
  /// A change that keeps the format's frame whole; null where bytes have none.
  std::string (*mutate)(const std::string& bytes, std::mt19937& chance) = nullptr;
};

const std::vector<Target>& targets();

/// Null where there is none of this name.
const Target* find_target(std::string_view name);

/// The seeds, and the inputs that fuzzing kept: a line of tests/data/fuzz/<name>.hex each.
std::vector<std::string> corpus(const Target& target);

}  // namespace bridgetower::fuzz

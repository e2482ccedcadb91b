#pragma once

#include <bridgetower/search/shards.hpp>
#include <filesystem>
#include <string>
#include <vector>

// part.json: which share a part holds, and that the generation it names is all of it.
namespace bridgetower::detail {

struct Part {
  std::filesystem::path directory;
  Shard shard;
  std::string generation;
};

constexpr const char* kPartName = "part.json";

/// Throws IoError or FormatError.
Part read_part(const std::filesystem::path& directory);
void write_part(const Part& part);

/// Every part in a directory, in the order of the shares, all of them finished. Throws IoError,
/// FormatError, and InputError where one is missing, twice, not finished, or of another split,
/// model or type of vectors.
std::vector<Part> find_parts(const std::filesystem::path& directory);

}  // namespace bridgetower::detail

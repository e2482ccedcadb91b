#include "search/part_file.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>
#include <type_traits>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/json_guard.hpp"
#include "search/layout.hpp"

namespace bridgetower::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "bridgetower-part";
constexpr std::int64_t kVersion = 1;

/// Throws FormatError where it is absent or of another type.
template <class Value>
Value member(const nlohmann::json& json, const char* key, const std::string& place) {
  const auto found = json.find(key);
  if constexpr (std::is_same_v<Value, std::string>) {
    if (found != json.end() && found->is_string()) return found->template get<Value>();
  } else if (found != json.end() && found->is_number_unsigned() &&
             found->template get<std::uint64_t>() <=
                 static_cast<std::uint64_t>(std::numeric_limits<Value>::max())) {
    return found->template get<Value>();
  }
  throw FormatError(place, key, "a value of its kind",
                    found == json.end() ? "none" : describe(*found));
}

std::string name_of(const Shard& shard) {
  return std::to_string(shard.index) + "/" + std::to_string(shard.count);
}

std::vector<fs::path> directories_of_parts(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const std::string& name : names_in(directory, error)) {
    if (name.rfind("part-", 0) == 0) found.push_back(directory / name);
  }
  if (error) {
    throw IoError(directory.string(), "open", "a directory of parts", error.message());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// An index that was begun has no part.json, or one that names what it held before.
Part finished_part(const fs::path& directory) {
  if (is_there(directory / kPartName)) {
    Part part = read_part(directory);
    if (part.generation == read_manifest(directory).generation) return part;
  }
  throw InputError(directory.string(), "part", "a finished one", "one that is not");
}

void check_complete(const std::string& place, const std::vector<Part>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Shard expected{static_cast<std::int64_t>(i), parts.front().shard.count};
    const Shard& got = parts[i].shard;
    if (got.count != expected.count || got.index != expected.index) {
      throw InputError(place, "parts", "each of one split once, next " + name_of(expected),
                       name_of(got));
    }
  }
  if (parts.empty()) throw InputError(place, "parts", "at least one", "none");
  const std::int64_t count = parts.front().shard.count;
  if (static_cast<std::int64_t>(parts.size()) != count) {
    throw InputError(place, "parts", "all " + std::to_string(count), std::to_string(parts.size()));
  }
}

void check_same_kind(const std::vector<Part>& parts) {
  const Manifest first = read_manifest(parts.front().directory);
  for (const Part& part : parts) {
    const Manifest manifest = read_manifest(part.directory);
    const std::string place = part.directory.string();
    if (manifest.model != first.model) {
      throw InputError(place, "model of the index", first.model, manifest.model);
    }
    if (manifest.type != first.type || manifest.size != first.size) {
      throw InputError(place, "vectors", "those of the first part", "others");
    }
  }
}

}  // namespace

Part read_part(const fs::path& directory) {
  const std::string place = (directory / kPartName).string();
  nlohmann::json json = read_json_file(directory / kPartName, Limits().config_bytes);
  const JsonGuard guard(json);
  if (!json.is_object() || member<std::string>(json, "format", place) != kFormat) {
    throw FormatError(place, "format", kFormat, "another");
  }
  const auto version = member<std::int64_t>(json, "format_version", place);
  if (version != kVersion) {
    throw FormatError(place, "format_version", std::to_string(kVersion), std::to_string(version));
  }
  Part part;
  part.directory = directory;
  part.shard.index = member<std::int64_t>(json, "shard", place);
  part.shard.count = member<std::int64_t>(json, "shards", place);
  part.generation = member<std::string>(json, "generation", place);
  if (part.shard.index < 0 || part.shard.index >= part.shard.count) {
    throw FormatError(place, "shard", "0 to one less than shards", name_of(part.shard));
  }
  return part;
}

void write_part(const Part& part) {
  nlohmann::ordered_json json;
  const JsonGuard guard(json);
  json["format"] = kFormat;
  json["format_version"] = kVersion;
  json["shard"] = part.shard.index;
  json["shards"] = part.shard.count;
  json["generation"] = part.generation;
  write_file(part.directory / kPartName, json.dump(1) + "\n");
}

std::vector<Part> find_parts(const fs::path& directory) {
  std::vector<Part> parts;
  for (const fs::path& path : directories_of_parts(directory)) {
    parts.push_back(finished_part(path));
  }
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return a.shard.index < b.shard.index; });
  check_complete(directory.string(), parts);
  check_same_kind(parts);
  return parts;
}

}  // namespace bridgetower::detail

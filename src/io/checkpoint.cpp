#include <bridgetower/core/error.hpp>
#include <bridgetower/io/checkpoint.hpp>

#include "core/fetch_hint.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/json_guard.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;

/// Names inside a file never become paths outside its directory.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

}  // namespace

ShardedCheckpoint::ShardedCheckpoint(const fs::path& index, const Limits& limits)
    : place_(index.string()) {
  nlohmann::json root = detail::read_json_file(index, limits.listing_bytes, limits);
  const detail::JsonGuard guard(root);
  if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object()) {
    throw FormatError(place_, "weight_map", "an object of tensor and file names",
                      root.is_object() && root.contains("weight_map")
                          ? detail::describe(root["weight_map"])
                          : "none");
  }
  for (const auto& [name, file] : root["weight_map"].items()) {
    if (!file.is_string() || !is_plain_name(file.get<std::string>())) {
      throw FormatError(place_, "weight_map " + detail::in_quotes(name),
                        "the name of a file in the same directory", detail::describe(file));
    }
    auto& shard = shards_[file.get<std::string>()];
    if (!shard) {
      shard = open_tensor_file(index.parent_path() / file.get<std::string>(), limits);
    }
    if (!shard->find(name)) {
      throw FormatError(shard->place(),
                        detail::in_quotes(name) + " is missing, and the index places it here");
    }
    tensors_[name] = shard.get();
  }
  for (const auto& [file, shard] : shards_) {
    for (const std::string& name : shard->names()) {
      if (tensors_.count(name) == 0) {
        throw FormatError(place_, detail::in_quotes(name) + " of " + file + " is not in the index");
      }
    }
  }
}

std::vector<std::string> ShardedCheckpoint::names() const {
  std::vector<std::string> all;
  for (const auto& [name, shard] : tensors_) all.push_back(name);
  return all;
}

std::optional<WeightSource::Info> ShardedCheckpoint::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? std::nullopt : found->second->find(name);
}

void ShardedCheckpoint::read_stored(const std::string& name, std::int64_t first, std::int64_t count,
                                    void* out) const {
  info_of(name, first, count);
  tensors_.at(name)->read_stored(name, first, count, out);
}

std::unique_ptr<TensorFile> open_checkpoint(const fs::path& directory, const Limits& limits) {
  for (const char* const name : {"model.safetensors", "pytorch_model.bin"}) {
    if (detail::is_there(directory / name)) return open_tensor_file(directory / name, limits);
    const fs::path index = directory / (name + std::string(".index.json"));
    if (detail::is_there(index)) return std::make_unique<ShardedCheckpoint>(index, limits);
  }
  throw IoError(directory.string(), "weights",
                "model.safetensors or pytorch_model.bin, whole or in shards with an index" +
                    detail::fetch_hint(directory / "model.safetensors"),
                "none");
}

}  // namespace bridgetower

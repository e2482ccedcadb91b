#include <algorithm>
#include <bridgetower/core/detail/int8.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/hub_cache.hpp>
#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/io/convert.hpp>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/json_guard.hpp"
#include "core/kept_weights.hpp"
#include "io/background_writer.hpp"
#include "io/narrow.hpp"
#include "io/safetensors_header.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;

using detail::is_there;
using detail::NamedInfo;

constexpr const char* kWhole = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

/// What belongs to a model beside its weights.
constexpr const char* kSmallFiles[] = {
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "generation_config.json",
};

/// The tensors of one file.
struct Shard {
  std::string name;
  std::vector<NamedInfo> tensors;
  std::uint64_t bytes = 0;
};

const char* config_name(DType dtype) {
  return dtype == DType::kF16 ? "float16" : dtype == DType::kBF16 ? "bfloat16" : "float32";
}

std::string shard_name(std::size_t index, std::size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", index + 1, count);
  return name;
}

/// The tensors as they will be stored, cut into files.
std::vector<Shard> plan(const TensorFile& source, const ConvertOptions& options) {
  std::vector<Shard> shards(1);
  for (const std::string& name : source.names()) {
    for (NamedInfo& tensor : detail::kept_as(source, name, options.dtype)) {
      const std::uint64_t bytes = detail::bytes_of(tensor.info);
      if (!shards.back().tensors.empty() && shards.back().bytes + bytes > options.max_shard_bytes) {
        shards.emplace_back();
      }
      shards.back().bytes += bytes;
      shards.back().tensors.push_back(std::move(tensor));
    }
  }
  for (std::size_t i = 0; i < shards.size(); ++i) {
    shards[i].name = shards.size() == 1 ? kWhole : shard_name(i, shards.size());
    // The widest first, so that all are aligned.
    std::stable_sort(shards[i].tensors.begin(), shards[i].tensors.end(),
                     [](const NamedInfo& a, const NamedInfo& b) {
                       return size_of(a.info.dtype) > size_of(b.info.dtype);
                     });
  }
  return shards;
}

void check_destination(const fs::path& source, const fs::path& destination,
                       const std::vector<Shard>& shards) {
  std::error_code error;
  fs::create_directories(destination, error);
  std::error_code ignored;
  if (!fs::is_directory(destination, ignored)) {
    throw IoError(destination.string(), "create", "a directory", error.message());
  }
  const bool own_weights = is_there(source / kWhole) || is_there(source / kIndex);
  if (own_weights && fs::equivalent(source, destination, error)) {
    throw InputError(destination.string(), "destination", "another directory than the source",
                     "the same");
  }
  if (shards.size() > 1 && is_there(destination / kWhole)) {
    throw InputError(destination.string(), "destination",
                     "no " + std::string(kWhole) + ", which goes before shards", "one");
  }
  std::uint64_t bytes = 0;
  for (const Shard& shard : shards) bytes += shard.bytes;
  const fs::space_info space = fs::space(destination, error);
  if (!error && space.available < bytes) {
    throw IoError(destination.string(), "free space", std::to_string(bytes) + " bytes",
                  std::to_string(space.available));
  }
}

/// config.json says in which precision the weights are; transformers loads them in that one.
std::string with_dtype(const std::string& text, DType dtype, const std::string& place) {
  nlohmann::json config = detail::parse_json(text, place);
  const detail::JsonGuard guard(config);
  bool changed = false;
  const auto set = [&](nlohmann::json& object) {
    if (!object.is_object()) return;
    for (const char* const key : {"dtype", "torch_dtype"}) {
      const auto found = object.find(key);
      if (found == object.end() || !found->is_string()) continue;
      if (detail::is_text(*found, config_name(dtype))) continue;
      *found = config_name(dtype);
      changed = true;
    }
  };
  set(config);
  for (const char* const part : {"text_config", "vision_config"}) {
    if (config.is_object() && config.contains(part)) set(config[part]);
  }
  return changed ? config.dump(2, ' ', true) + "\n" : text;
}

void copy_small_files(const fs::path& source, const fs::path& destination,
                      const ConvertOptions& options, Converted& converted) {
  std::error_code ignored;
  const bool in_place = fs::equivalent(source, destination, ignored);
  for (const char* const name : kSmallFiles) {
    const fs::path file = source / name;
    if (!is_there(file)) continue;
    const std::string text = detail::read_file(file, Limits().vocabulary_bytes);
    const bool is_config =
        options.dtype && *options.dtype != DType::kI8 && std::string(name) == "config.json";
    const std::string copy = is_config ? with_dtype(text, *options.dtype, file.string()) : text;
    if (in_place && copy == text) continue;
    detail::write_file(destination / name, copy);
    converted.files.emplace_back(name);
  }
}

/// Steps of int8, or how large they are, row by row.
void write_int8(const TensorFile& source, const std::string& name, bool scales,
                detail::BackgroundWriter& writer) {
  const Shape shape = source.find(name)->shape;
  const std::int64_t columns = element_count(shape) / shape[0];
  std::vector<float> row(static_cast<std::size_t>(columns));
  std::vector<std::int8_t> steps(row.size());
  for (std::int64_t r = 0; r < shape[0]; ++r) {
    source.read(name, r * columns, columns, row.data());
    const float scale = detail::to_int8(row.data(), columns, steps.data());
    const std::size_t bytes = scales ? sizeof scale : steps.size();
    const void* const values = scales ? static_cast<const void*>(&scale) : steps.data();
    if (bytes > 0) std::memcpy(writer.reserve(bytes), values, bytes);
  }
}

void write_tensor(const TensorFile& source, const NamedInfo& tensor,
                  detail::BackgroundWriter& writer) {
  const std::string& name = tensor.name;
  const auto original = source.find(name);
  if (!original)
    return write_int8(source, name.substr(0, name.size() - std::strlen(detail::kScale)), true,
                      writer);
  if (tensor.info.dtype == DType::kI8 && is_floating(original->dtype)) {
    return write_int8(source, name, false, writer);
  }
  const DType stored = original->dtype;
  const std::int64_t count = element_count(tensor.info.shape);
  const std::size_t item = size_of(tensor.info.dtype);
  const auto block = static_cast<std::int64_t>(detail::BackgroundWriter::kBlockBytes / item);
  std::vector<float> values;
  for (std::int64_t done = 0; done < count; done += block) {
    const std::int64_t now = std::min(block, count - done);
    const auto bytes = static_cast<std::size_t>(now) * item;
    unsigned char* const out = writer.reserve(bytes);
    if (stored == tensor.info.dtype) {
      source.read_stored(tensor.name, done, now, out);
    } else {
      values.resize(static_cast<std::size_t>(now));
      source.read(tensor.name, done, now, values.data());
      detail::narrow(tensor.info.dtype, values.data(), values.size(), out);
    }
  }
}

void write_shard(const TensorFile& source, const Shard& shard, const fs::path& destination) {
  const std::string header = detail::safetensors_header(shard.tensors, {{"format", "pt"}});
  detail::OutputFile file(destination / shard.name);
  file.write(header.data(), header.size());
  detail::BackgroundWriter writer(file);
  for (const NamedInfo& tensor : shard.tensors) write_tensor(source, tensor, writer);
  writer.finish();
  file.commit();
}

void write_index(const std::vector<Shard>& shards, std::uint64_t bytes, const fs::path& file) {
  nlohmann::json index;
  const detail::JsonGuard guard(index);
  index["metadata"]["total_size"] = bytes;
  for (const Shard& shard : shards) {
    for (const NamedInfo& tensor : shard.tensors) index["weight_map"][tensor.name] = shard.name;
  }
  detail::write_file(file, index.dump(2) + "\n");
}

}  // namespace

Converted convert_checkpoint(const fs::path& source, const fs::path& destination,
                             const ConvertOptions& options) {
  if (options.dtype && *options.dtype != DType::kF32 && *options.dtype != DType::kF16 &&
      *options.dtype != DType::kBF16 && *options.dtype != DType::kI8) {
    throw InputError("convert", "dtype", "F32, F16, BF16 or I8", to_string(*options.dtype));
  }
  std::error_code ignored;
  const bool is_file = fs::is_regular_file(source, ignored);
  const fs::path directory = is_file ? source.parent_path() / "." : find_model(source);
  const std::unique_ptr<TensorFile> weights =
      is_file ? open_tensor_file(source) : open_checkpoint(directory);
  const std::vector<Shard> shards = plan(*weights, options);
  check_destination(directory, destination, shards);
  Converted converted;
  copy_small_files(directory, destination, options, converted);
  for (const Shard& shard : shards) {
    write_shard(*weights, shard, destination);
    converted.tensors += static_cast<std::int64_t>(shard.tensors.size());
    converted.bytes += shard.bytes;
    converted.files.push_back(shard.name);
  }
  if (shards.size() > 1) {
    write_index(shards, converted.bytes, destination / kIndex);
    converted.files.emplace_back(kIndex);
  }
  return converted;
}

}  // namespace bridgetower

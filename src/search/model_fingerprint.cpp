#include <algorithm>
#include <bridgetower/core/hub_cache.hpp>
#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <vector>

#include "core/file.hpp"
#include "core/sha256.hpp"

namespace bridgetower {
namespace {

constexpr std::int64_t kValues = 256;  // of each tensor

void add_text(detail::Sha256& hash, const std::string& text) {
  const std::string length = std::to_string(text.size()) + "\n";
  hash.add(length.data(), length.size());
  hash.add(text.data(), text.size());
}

}  // namespace

std::string model_fingerprint(const std::filesystem::path& model, const std::string& revision,
                              const Limits& limits) {
  const std::filesystem::path directory = find_model(model, revision);
  detail::Sha256 hash;
  for (const char* name : {"config.json", "preprocessor_config.json"}) {
    add_text(hash, detail::read_file(directory / name, limits.config_bytes));
  }
  const std::unique_ptr<WeightSource> weights = open_checkpoint(directory, limits);
  std::vector<float> values(static_cast<std::size_t>(kValues));
  for (const std::string& name : weights->names()) {
    const auto info = weights->find(name);
    if (!info || !is_floating(info->dtype)) continue;
    add_text(hash, name + " " + to_string(info->shape));
    const std::int64_t count = std::min(kValues, element_count(info->shape));
    weights->read(name, 0, count, values.data());
    hash.add(values.data(), static_cast<std::size_t>(count) * sizeof(float));
  }
  return detail::to_hex(hash.finish().data(), 32);
}

}  // namespace bridgetower

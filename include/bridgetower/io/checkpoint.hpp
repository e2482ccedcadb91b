#pragma once

#include <bridgetower/core/weight_source.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bridgetower {

/// A checkpoint cut into several safetensors files, held together by model.safetensors.index.json.
class ShardedSafetensors : public WeightSource {
 public:
  /// Throws IoError or FormatError: a shard's name that is not a plain file name, a missing shard,
  /// one that lacks a tensor which the index places there, or a tensor that the index lacks.
  explicit ShardedSafetensors(const std::filesystem::path& index);

  std::string place() const override { return place_; }
  std::vector<std::string> names() const override;
  std::optional<Info> find(const std::string& name) const override;
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            float* out) const override;
  void read(const std::string& name, std::int64_t first, std::int64_t count,
            double* out) const override;

 private:
  const SafetensorsFile& shard_of(const std::string& name) const;

  std::string place_;
  std::map<std::string, std::unique_ptr<const SafetensorsFile>> shards_;  // by file name
  std::map<std::string, const SafetensorsFile*> tensors_;                 // by tensor name
};

/// The weights of a model directory: model.safetensors, or its shards. Throws IoError where there
/// is neither, and FormatError for a broken file.
std::unique_ptr<WeightSource> open_checkpoint(const std::filesystem::path& directory);

}  // namespace bridgetower

#pragma once

#include <bridgetower/io/tensor_file.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bridgetower {

/// A checkpoint cut into several files, held together by model.safetensors.index.json or
/// pytorch_model.bin.index.json.
class ShardedCheckpoint : public TensorFile {
 public:
  /// Throws IoError, FormatError or LimitError: a shard's name that is not a plain file name, a
  /// missing or broken shard, one that lacks a tensor which the index places there, or a tensor
  /// that the index lacks.
  explicit ShardedCheckpoint(const std::filesystem::path& index, const Limits& limits = {});

  std::string place() const override { return place_; }
  std::vector<std::string> names() const override;
  std::optional<Info> find(const std::string& name) const override;
  void read_stored(const std::string& name, std::int64_t first, std::int64_t count,
                   void* out) const override;

 private:
  std::string place_;
  std::map<std::string, std::unique_ptr<const TensorFile>> shards_;  // by file name
  std::map<std::string, const TensorFile*> tensors_;                 // by tensor name
};

/// The weights of a model directory: the first that is there of model.safetensors, its shards,
/// pytorch_model.bin, its shards. Throws IoError where there is none, and FormatError or LimitError
/// for a broken file.
std::unique_ptr<TensorFile> open_checkpoint(const std::filesystem::path& directory,
                                            const Limits& limits = {});

}  // namespace bridgetower

#pragma once

#include <bridgetower/io/tensor_file.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bridgetower {

/// A dictionary of tensors as torch.save writes it (`pytorch_model.bin`), open for reading: the zip
/// layout since torch 1.6, or the plain one before. No pickle code runs: what the file asks for
/// must be one of the few things that tensors are made of, or opening throws and names it.
///
/// Opening reads the zip directory, both headers of every entry and the pickle. A storage is
/// checked against its CRC-32 while it is read from beginning to end; one that several tensors
/// share, or of which a tensor is only a part, before its first value is handed out (the plain
/// layout has no checksums). Safe for concurrent use.
class TorchCheckpoint : public TensorFile {
 public:
  /// Throws IoError (missing, not a regular file, unreadable), FormatError (anything but such a
  /// dictionary, with the byte offset) or LimitError.
  explicit TorchCheckpoint(const std::filesystem::path& path, const Limits& limits = {});
  ~TorchCheckpoint() override;

  std::string place() const override;
  std::vector<std::string> names() const override;
  std::optional<Info> find(const std::string& name) const override;
  void read_stored(const std::string& name, std::int64_t first, std::int64_t count,
                   void* out) const override;

 private:
  struct Contents;

  std::unique_ptr<const Contents> contents_;
};

}  // namespace bridgetower

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/descriptor.hpp"

namespace bridgetower::detail {

/// A regular file as memory, read only. The files of an index are replaced, never rewritten, so the
/// bytes stay; a process that truncates one in place takes its pages away, and touching these ends
/// the program (SIGBUS). So look before a use: check_unchanged().
class MappedFile {
 public:
  /// Throws IoError: missing, unreadable, no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  /// Throws IoError where the file has been written to or cut since it was opened.
  void check_unchanged() const;

  const std::string& place() const noexcept { return place_; }
  const unsigned char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::string place_;
  Descriptor descriptor_;
  std::int64_t modified_ns_ = 0;
  const unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace bridgetower::detail

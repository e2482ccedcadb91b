#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/descriptor.hpp"

namespace bridgetower::detail {

/// Bytes to read by position: of a regular file, or in memory. Safe for concurrent use.
/// Links are followed; a directory, FIFO, socket or device is an IoError, and nothing blocks.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);

  /// Bytes that outlive this.
  InputFile(std::string place, std::string_view bytes)
      : place_(std::move(place)), bytes_(bytes), size_(bytes.size()) {}
  /// The path, as the errors print it.
  const std::string& place() const noexcept { return place_; }

  /// Bytes when the file was opened.
  std::uint64_t size() const noexcept { return size_; }

  /// Bytes [offset, offset + count). Throws IoError where the file ends before, and CancelledError.
  void read(std::uint64_t offset, void* out, std::size_t count) const;

 private:
  std::string place_;
  Descriptor descriptor_;
  std::string_view bytes_;  // where there is no descriptor
  std::uint64_t size_ = 0;
};

/// Whether there is something of this name. Throws IoError where that cannot be told: a file that
/// the system does not let us see is not one that is missing.
bool is_there(const std::filesystem::path& path);

/// Names in a directory, but "." and "..", in no order. Where it cannot be read, `error` says why,
/// and the names are those before. (std::filesystem's iterator ends the program where it gets no
/// memory.)
std::vector<std::string> names_in(const std::filesystem::path& directory, std::error_code& error);

/// A whole file. Throws IoError (missing, unreadable, not a regular file) or LimitError.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

/// A file that appears under its name only when complete: written beside it, then renamed.
/// Without commit() nothing is left behind. Throws IoError.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  void write(const void* bytes, std::size_t count);
  void commit();

 private:
  std::string place_;
  std::string temporary_;  // empty once renamed
  Descriptor descriptor_;
  std::uint64_t written_ = 0;
  std::uint64_t flushing_ = 0;  // bytes that are on their way to the disk
};

/// Replaces or creates the file in one step. Throws IoError.
void write_file(const std::filesystem::path& path, const std::string& contents);

}  // namespace bridgetower::detail

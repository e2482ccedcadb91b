#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "core/file.hpp"

namespace bridgetower::detail {

/// The bytes of one storage in a file, with a CRC-32 or without. Safe for concurrent use.
class StorageRecord {
 public:
  StorageRecord(const InputFile& file, std::string name, std::uint64_t begin, std::uint64_t bytes,
                std::optional<std::uint32_t> crc)
      : file_(file), name_(std::move(name)), begin_(begin), bytes_(bytes), crc_(crc) {}

  std::uint64_t bytes() const noexcept { return bytes_; }

  /// Bytes [offset, offset + count), which lie inside. With `in_order`, the caller reads the whole
  /// record from its beginning to its end, and it is checked as it passes; otherwise all of it is
  /// checked before. Throws IoError, or FormatError where the CRC-32 is another.
  void read(std::uint64_t offset, void* out, std::size_t count, bool in_order) const;

 private:
  void check_rest() const;
  void pass(const void* bytes, std::size_t count) const;

  const InputFile& file_;
  std::string name_;
  std::uint64_t begin_;
  std::uint64_t bytes_;
  std::optional<std::uint32_t> crc_;

  mutable std::mutex mutex_;  // guards what follows
  mutable std::uint64_t passed_ = 0;
  mutable std::uint32_t crc_of_passed_ = 0;
};

}  // namespace bridgetower::detail

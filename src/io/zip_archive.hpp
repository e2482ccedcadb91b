#pragma once

#include <bridgetower/core/limits.hpp>
#include <cstdint>
#include <map>
#include <string>

#include "core/file.hpp"

namespace bridgetower::detail {

/// The directory of a zip file of stored (uncompressed) entries, as torch.save writes it.
///
/// Opening reads both headers of every entry and refuses whatever a reader could take in two ways:
/// headers that disagree, entries that overlap or leave gaps, names given twice, comments, disks,
/// encryption, compression. zip64 is read. Contents are checked against their CRC-32 by who reads
/// them: read() does so at once.
class ZipArchive {
 public:
  struct Entry {
    std::uint64_t begin;  ///< of the contents, in the file
    std::uint64_t bytes;
    std::uint32_t crc;
  };
  using Entries = std::map<std::string, Entry>;

  /// Throws FormatError with the byte offset, or LimitError. The file has to outlive the archive.
  ZipArchive(const InputFile& file, const Limits& limits);

  const Entries& entries() const noexcept { return entries_; }

  /// A whole entry. Throws FormatError where its CRC-32 is another, LimitError above `max_bytes`.
  std::string read(const std::string& name, std::uint64_t max_bytes) const;

 private:
  const InputFile& file_;
  Entries entries_;
};

/// Throws FormatError: the contents of an entry do not have the CRC-32 of its headers.
[[noreturn]] void refuse_crc(const std::string& place, const std::string& name, std::uint64_t begin,
                             std::uint32_t expected, std::uint32_t got);

}  // namespace bridgetower::detail

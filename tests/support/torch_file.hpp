#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Zip and pickle files byte by byte, as torch.save writes them, for tests to break.
namespace bridgetower::testing {

/// A little-endian number of `size` bytes.
inline std::string bytes_of(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i, value >>= 8) bytes += static_cast<char>(value & 0xFF);
  return bytes;
}

/// CRC-32 bit by bit.
inline std::uint32_t slow_crc32(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

/// A copy of `file` whose bytes from `at` on are others.
inline std::string patched(std::string file, std::size_t at, const std::string& bytes) {
  return file.replace(at, bytes.size(), bytes);
}

struct ZipEntry {
  std::string name;
  std::string contents;
  std::string extra = {};  ///< of the local header
};

/// A zip file of stored entries, and where its parts begin.
struct ZipFile {
  std::string bytes;
  std::vector<std::size_t> local;        ///< headers
  std::vector<std::size_t> contents;     ///< of the entries
  std::vector<std::size_t> descriptors;  ///< behind them
  std::vector<std::size_t> central;      ///< headers
  std::size_t zip64_end = 0;
  std::size_t locator = 0;
  std::size_t end = 0;
};

enum class ZipStyle {
  kTorch,  ///< sizes in descriptors behind the contents, a zip64 end record
  kPlain,  ///< sizes in the local headers, no zip64
  kZip64   ///< as kTorch, with all sizes and offsets in zip64 fields, as for files above 4 GiB
};

inline ZipFile zip_file(const std::vector<ZipEntry>& entries, ZipStyle style = ZipStyle::kTorch) {
  ZipFile zip;
  std::string& out = zip.bytes;
  const bool torch = style != ZipStyle::kPlain;
  const bool zip64 = style == ZipStyle::kZip64;
  const std::string flags_and_method = bytes_of(torch ? 0x0808 : 0, 2) + bytes_of(0, 2);
  const std::string all_set = bytes_of(0xFFFFFFFF, 4);
  for (const ZipEntry& entry : entries) {
    const std::uint64_t size = entry.contents.size();
    const std::string crc = bytes_of(slow_crc32(entry.contents), 4);
    std::string extra = entry.extra;
    if (zip64) extra += bytes_of(1, 2) + bytes_of(16, 2) + bytes_of(0, 16);
    zip.local.push_back(out.size());
    out += "PK\x03\x04" + bytes_of(0, 2) + flags_and_method + bytes_of(0, 4);
    out += torch ? bytes_of(0, 4) : crc;
    out += zip64   ? all_set + all_set
           : torch ? bytes_of(0, 8)
                   : bytes_of(size, 4) + bytes_of(size, 4);
    out += bytes_of(entry.name.size(), 2) + bytes_of(extra.size(), 2) + entry.name + extra;
    zip.contents.push_back(out.size());
    out += entry.contents;
    zip.descriptors.push_back(out.size());
    const int width = zip64 ? 8 : 4;
    if (torch) out += "PK\x07\x08" + crc + bytes_of(size, width) + bytes_of(size, width);
  }
  const std::size_t directory = out.size();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t size = entries[i].contents.size();
    const std::string extra = zip64 ? bytes_of(1, 2) + bytes_of(24, 2) + bytes_of(size, 8) +
                                          bytes_of(size, 8) + bytes_of(zip.local[i], 8)
                                    : "";
    zip.central.push_back(out.size());
    out += "PK\x01\x02" + bytes_of(0, 4) + flags_and_method + bytes_of(0, 4) +
           bytes_of(slow_crc32(entries[i].contents), 4);
    out += zip64 ? all_set + all_set : bytes_of(size, 4) + bytes_of(size, 4);
    out += bytes_of(entries[i].name.size(), 2) + bytes_of(extra.size(), 2) + bytes_of(0, 10);
    out += zip64 ? all_set : bytes_of(zip.local[i], 4);
    out += entries[i].name + extra;
  }
  const std::size_t directory_bytes = out.size() - directory;
  if (torch) {
    zip.zip64_end = out.size();
    out += "PK\x06\x06" + bytes_of(44, 8) + bytes_of(0, 12) + bytes_of(entries.size(), 8) +
           bytes_of(entries.size(), 8) + bytes_of(directory_bytes, 8) + bytes_of(directory, 8);
    zip.locator = out.size();
    out += "PK\x06\x07" + bytes_of(0, 4) + bytes_of(zip.zip64_end, 8) + bytes_of(1, 4);
  }
  zip.end = out.size();
  out += "PK\x05\x06" + bytes_of(0, 4);
  out += zip64 ? bytes_of(0xFFFFFFFF, 4) + all_set + all_set
               : bytes_of(entries.size(), 2) + bytes_of(entries.size(), 2) +
                     bytes_of(directory_bytes, 4) + bytes_of(directory, 4);
  out += bytes_of(0, 2);
  return zip;
}

/// The entries of a checkpoint with this pickle; storages are named "0", "1", …
inline std::vector<ZipEntry> torch_entries(const std::string& pickle,
                                           const std::vector<std::string>& storages) {
  std::vector<ZipEntry> entries{{"x/data.pkl", pickle}, {"x/byteorder", "little"}};
  for (std::size_t i = 0; i < storages.size(); ++i) {
    entries.push_back({"x/data/" + std::to_string(i), storages[i]});
  }
  entries.push_back({"x/version", "3\n"});
  return entries;
}

/// Pieces of pickles of protocol 2.
namespace pickle {

inline std::string proto() { return "\x80\x02"; }
inline std::string text(const std::string& value) {
  return "X" + bytes_of(value.size(), 4) + value;
}
inline std::string number(std::uint32_t value) { return "J" + bytes_of(value, 4); }
inline std::string name(const std::string& module, const std::string& what) {
  return "c" + module + "\n" + what + "\n";
}
inline std::string tuple(const std::string& parts) { return "(" + parts + "t"; }
inline std::string ordered_dict() { return name("collections", "OrderedDict") + ")R"; }

inline std::string numbers(const std::vector<std::uint32_t>& values) {
  std::string parts;
  for (const std::uint32_t value : values) parts += number(value);
  return tuple(parts);
}

/// A storage of the zip layout.
inline std::string storage(const std::string& key, std::uint32_t count,
                           const std::string& type = "FloatStorage") {
  return tuple(text("storage") + name("torch", type) + text(key) + text("cpu") + number(count)) +
         "Q";
}

inline std::string tensor(const std::string& of, std::uint32_t begin,
                          const std::vector<std::uint32_t>& sizes,
                          const std::vector<std::uint32_t>& strides) {
  return name("torch._utils", "_rebuild_tensor_v2") +
         tuple(of + number(begin) + numbers(sizes) + numbers(strides) + "\x89" + ordered_dict()) +
         "R";
}

/// A whole pickle: a dictionary of these names and values.
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string all = proto() + "}(";
  for (const auto& [key, value] : items) all += text(key) + value;
  return all + "u.";
}

}  // namespace pickle
}  // namespace bridgetower::testing

#include "preprocessing/image/container.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <iterator>

#include "core/crc32.hpp"

namespace bridgetower::detail {
namespace {

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

/// `size` bytes from `i`, which must be inside.
std::uint32_t number_at(std::string_view bytes, std::size_t i, std::size_t size, bool big_endian) {
  std::uint32_t value = 0;
  for (std::size_t k = 0; k < size; ++k) {
    value = value << 8 | byte_at(bytes, big_endian ? i + k : i + size - 1 - k);
  }
  return value;
}

}  // namespace

int exif_orientation(std::string_view tiff) {
  constexpr std::uint32_t kOrientation = 0x0112;
  constexpr std::uint32_t kShort = 3;
  constexpr std::size_t kEntryBytes = 12;
  if (tiff.size() < 8) return 1;
  const bool big = tiff.substr(0, 2) == "MM";
  if (!big && tiff.substr(0, 2) != "II") return 1;
  const std::size_t directory = number_at(tiff, 4, 4, big);
  if (directory > tiff.size() - 2) return 1;
  const std::size_t entries = number_at(tiff, directory, 2, big);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > tiff.size()) return 1;
    if (number_at(tiff, entry, 2, big) != kOrientation) continue;
    const std::uint32_t value = number_at(tiff, entry + 8, 2, big);
    return number_at(tiff, entry + 2, 2, big) == kShort &&
                   number_at(tiff, entry + 4, 4, big) == 1 && value >= 1 && value <= 8
               ? static_cast<int>(value)
               : 1;
  }
  return 1;
}

PngFacts read_png(std::string_view bytes, const std::string& place) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kChunkFrame = 12;  // length, type, checksum
  PngFacts facts;
  for (std::size_t position = kSignature;;) {
    const std::string where = "chunk at byte " + std::to_string(position);
    if (bytes.size() - position < kChunkFrame) {
      throw FormatError(place, where, "a chunk; the file has no IEND",
                        std::to_string(bytes.size() - position) + " bytes");
    }
    const std::size_t length = number_at(bytes, position, 4, true);
    if (length > bytes.size() - position - kChunkFrame) {
      throw FormatError(place, where, std::to_string(length) + " bytes of data",
                        std::to_string(bytes.size() - position - kChunkFrame));
    }
    const std::string_view type = bytes.substr(position + 4, 4);
    const std::string_view data = bytes.substr(position + 8, length);
    if (crc32(0, bytes.data() + position + 4, 4 + length) !=
        number_at(bytes, position + 8 + length, 4, true)) {
      throw FormatError(place, where + ": its checksum does not fit its data");
    }
    if (position == kSignature) {
      if (type != "IHDR" || length != 13) {
        throw FormatError(place, where, "IHDR with 13 bytes", "another chunk");
      }
      facts.width = number_at(data, 0, 4, true);
      facts.height = number_at(data, 4, 4, true);
      facts.bit_depth = static_cast<int>(byte_at(data, 8));
      facts.color_type = static_cast<int>(byte_at(data, 9));
    }
    if (type == "eXIf") facts.orientation = exif_orientation(data);
    if (type == "IDAT") facts.data_bytes += length;
    if (type == "IEND") return facts;
    position += kChunkFrame + length;
  }
}

void check_png_size(const PngFacts& facts, const std::string& place) {
  constexpr std::uint64_t kMostOfAByte = 1032;  // deflate makes 258 bytes of two bits at best
  constexpr std::uint64_t kChannels[] = {1, 0, 3, 1, 2, 0, 4};  // by the colour type
  const auto color = static_cast<std::size_t>(facts.color_type);
  const std::uint64_t channels = color < std::size(kChannels) ? kChannels[color] : 0;
  const std::uint64_t row =
      facts.width * channels * static_cast<std::uint64_t>(facts.bit_depth) / 8;
  if (facts.data_bytes == 0 || facts.height == 0) return;  // refused by the decoder
  if (row <= kMostOfAByte * facts.data_bytes / facts.height) return;
  throw FormatError(place, "picture size",
                    "one that " + std::to_string(facts.data_bytes) + " bytes of data can hold",
                    std::to_string(facts.width) + " x " + std::to_string(facts.height));
}

namespace {

/// A segment that defines Huffman tables: each has 16 counts and as many codes as they say, at most
/// 256, and together they fill the segment. stb_image reads on behind it otherwise, and 2.28 and
/// older write past their tables.
void check_huffman_tables(std::string_view data, std::size_t position, const std::string& place) {
  constexpr std::size_t kLengths = 16;
  const std::string where = "Huffman table at byte " + std::to_string(position);
  while (!data.empty()) {
    std::size_t codes = 0;
    for (std::size_t i = 1; i <= std::min(kLengths, data.size() - 1); ++i)
      codes += byte_at(data, i);
    if (codes > 256) {
      throw FormatError(place, where, "at most 256 codes", std::to_string(codes));
    }
    if (data.size() < 1 + kLengths + codes) {
      throw FormatError(place, where, std::to_string(1 + kLengths + codes) + " bytes",
                        std::to_string(data.size()));
    }
    data.remove_prefix(1 + kLengths + codes);
  }
}

/// The marker's byte at or after `position`, where a marker is the first byte that is not 0xFF
/// after one that is; the file's size where there is none.
std::size_t next_marker(std::string_view bytes, std::size_t position) {
  while (position < bytes.size() && byte_at(bytes, position) != 0xFF) ++position;
  while (position < bytes.size() && byte_at(bytes, position) == 0xFF) ++position;
  return position;
}

/// The same behind entropy-coded data, which may hold 0xFF 0x00 and restart markers.
std::size_t next_marker_after_scan(std::string_view bytes, std::size_t position) {
  constexpr std::uint32_t kFirstRestart = 0xD0;
  constexpr std::uint32_t kLastRestart = 0xD7;
  for (;;) {
    position = next_marker(bytes, position);
    if (position >= bytes.size()) return position;
    const std::uint32_t marker = byte_at(bytes, position);
    if (marker != 0 && (marker < kFirstRestart || marker > kLastRestart)) return position;
  }
}

}  // namespace

int read_jpeg_orientation(std::string_view bytes, const std::string& place,
                          std::int64_t max_scans) {
  constexpr std::uint32_t kHuffmanTables = 0xC4;
  constexpr std::uint32_t kEnd = 0xD9;
  constexpr std::uint32_t kStartOfScan = 0xDA;
  constexpr std::uint32_t kApp1 = 0xE1;
  constexpr std::string_view kExif("Exif\0\0", 6);
  int orientation = 1;
  std::int64_t scans = 0;
  std::size_t position = 2;
  for (;;) {
    position = scans == 0 ? next_marker(bytes, position) : next_marker_after_scan(bytes, position);
    if (position >= bytes.size()) {
      throw FormatError(place, "JPEG data", "an end marker",
                        "the end of the file: it is truncated");
    }
    const std::uint32_t marker = byte_at(bytes, position);
    // What follows the end marker is no part of the picture: cameras append films and previews.
    if (marker == kEnd) break;
    const std::string where = "segment at byte " + std::to_string(position);
    if (bytes.size() - position < 3) {
      throw FormatError(place, where, "a length", "the end of the file");
    }
    const std::size_t length = number_at(bytes, position + 1, 2, true);
    if (length < 2 || length > bytes.size() - position - 1) {
      throw FormatError(place, where, "a length inside the file", std::to_string(length));
    }
    const std::string_view data = bytes.substr(position + 3, length - 2);
    if (marker == kHuffmanTables) check_huffman_tables(data, position, place);
    if (marker == kApp1 && data.substr(0, kExif.size()) == kExif) {
      orientation = exif_orientation(data.substr(kExif.size()));
    }
    if (marker == kStartOfScan && ++scans > max_scans) {
      throw LimitError(place, "scans", "at most " + std::to_string(max_scans), "more");
    }
    position += 1 + length;
  }
  if (scans == 0) throw FormatError(place, "JPEG data", "a scan", "none");
  return orientation;
}

}  // namespace bridgetower::detail

#pragma once

#include <cstdint>
#include <string>

#include "tests/support/torch_file.hpp"

/// PNG and JPEG files byte by byte, for tests to break.
namespace bridgetower::testing {

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes) & 0xFF);
  return text;
}

/// A PNG's chunk with its right checksum.
inline std::string chunk(const std::string& type, const std::string& data) {
  return big_endian(data.size(), 4) + type + data + big_endian(slow_crc32(type + data), 4);
}

/// A zlib stream that stores the bytes as they are.
inline std::string stored(const std::string& bytes) {
  std::string stream = "\x78\x01";
  for (std::size_t i = 0; i < bytes.size(); i += 65535) {
    const std::string part = bytes.substr(i, 65535);
    stream += (i + 65535 >= bytes.size() ? '\1' : '\0') + bytes_of(part.size(), 2) +
              bytes_of(~part.size(), 2) + part;
  }
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return stream + big_endian(b << 16 | a, 4);
}

inline const std::string kPngSignature = "\x89PNG\r\n\x1a\n";

/// The IHDR chunk.
inline std::string png_header(std::uint64_t width, std::uint64_t height, int depth, int color,
                              int interlaced = 0) {
  return chunk("IHDR", big_endian(width, 4) + big_endian(height, 4) + static_cast<char>(depth) +
                           static_cast<char>(color) + std::string(2, '\0') +
                           static_cast<char>(interlaced));
}

/// A JPEG's segment.
inline std::string segment(char marker, const std::string& data) {
  return std::string("\xFF") + marker + big_endian(data.size() + 2, 2) + data;
}

}  // namespace bridgetower::testing

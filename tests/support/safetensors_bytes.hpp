#pragma once

#include <cstdint>
#include <string>

namespace bridgetower::testing {

/// The bytes of a safetensors file: the header's length, the header, the data. A length of its own
/// makes a broken file.
inline std::string safetensors_bytes(const std::string& header, const std::string& data,
                                     std::uint64_t length) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(length >> shift & 0xFF);
  return bytes + header + data;
}

inline std::string safetensors_bytes(const std::string& header, const std::string& data = "") {
  return safetensors_bytes(header, data, header.size());
}

/// `{"<name>": {"dtype": "<dtype>", "shape": <shape>, "data_offsets": <offsets>}}`
inline std::string safetensors_header(const std::string& name, const std::string& dtype,
                                      const std::string& shape, const std::string& offsets) {
  return "{\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}}";
}

}  // namespace bridgetower::testing

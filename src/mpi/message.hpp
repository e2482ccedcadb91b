#pragma once

#include <bridgetower/core/tensor.hpp>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace bridgetower::mpi {

using Json = nlohmann::json;

/// MessagePack. Strings are bytes, whatever they are.
inline std::string pack(const Json& value) {
  std::string bytes;
  Json::to_msgpack(value, bytes);
  return bytes;
}

inline Json unpack(const std::string& bytes) { return Json::from_msgpack(bytes); }

/// A vector [E], its bytes as they are in memory.
inline Json to_json(const Tensor<float>& vector) {
  std::vector<std::uint8_t> bytes(vector.size() * sizeof(float));
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return Json::binary(std::move(bytes));
}

inline Tensor<float> vector_from(const Json& json) {
  const Json::binary_t& bytes = json.get_binary();
  const std::size_t size = bytes.size() / sizeof(float);
  auto vector = Tensor<float>::uninitialized({static_cast<std::int64_t>(size)});
  std::memcpy(vector.data(), bytes.data(), size * sizeof(float));
  return vector;
}

}  // namespace bridgetower::mpi

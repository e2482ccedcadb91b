#pragma once

#include <bridgetower/core/tensor.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bridgetower::mpi {

using Json = nlohmann::json;

/// MessagePack. Strings are bytes, whatever they are; floats come back bit for bit.
inline std::string pack(const Json& value) {
  std::string bytes;
  Json::to_msgpack(value, bytes);
  return bytes;
}

inline Json unpack(const std::string& bytes) { return Json::from_msgpack(bytes); }

/// A vector [E].
inline Json to_json(const Tensor<float>& vector) {
  return std::vector<float>(vector.begin(), vector.end());
}

inline Tensor<float> vector_from(const Json& json) {
  const auto numbers = json.get<std::vector<float>>();
  return {{static_cast<std::int64_t>(numbers.size())}, numbers};
}

}  // namespace bridgetower::mpi

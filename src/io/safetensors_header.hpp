#pragma once

#include <bridgetower/core/weight_source.hpp>
#include <bridgetower/io/safetensors.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bridgetower::detail {

struct NamedInfo {
  std::string name;
  WeightSource::Info info;
};

/// Bytes of a tensor that a file holds, so that no product overflows.
inline std::uint64_t bytes_of(const WeightSource::Info& info) {
  return static_cast<std::uint64_t>(element_count(info.shape)) * size_of(info.dtype);
}

/// What a safetensors file of these tensors, in this order, begins with.
std::string safetensors_header(const std::vector<NamedInfo>& tensors,
                               const SafetensorsFile::Metadata& metadata);

}  // namespace bridgetower::detail

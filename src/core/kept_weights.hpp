#pragma once

#include <bridgetower/core/weight_source.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bridgetower::detail {

constexpr const char* kScale = ".scale";  // WeightLoader::is_int8

struct NamedInfo {
  std::string name;
  WeightSource::Info info;
};

/// Bytes of a tensor that a file holds, so that no product overflows.
inline std::uint64_t bytes_of(const WeightSource::Info& info) {
  return static_cast<std::uint64_t>(element_count(info.shape)) * size_of(info.dtype);
}

/// The tensors that one becomes where a model keeps its matrices as `dtype`; absent: as stored.
std::vector<NamedInfo> kept_as(const WeightSource& source, const std::string& name,
                               std::optional<DType> dtype);

}  // namespace bridgetower::detail

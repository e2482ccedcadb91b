#pragma once

#include <bridgetower/io/safetensors.hpp>
#include <string>
#include <vector>

#include "core/kept_weights.hpp"

namespace bridgetower::detail {

/// What a safetensors file of these tensors, in this order, begins with.
std::string safetensors_header(const std::vector<NamedInfo>& tensors,
                               const SafetensorsFile::Metadata& metadata);

}  // namespace bridgetower::detail

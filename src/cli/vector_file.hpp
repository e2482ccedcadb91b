#pragma once

#include <bridgetower/core/tensor.hpp>
#include <string>
#include <vector>

#include "cli/common.hpp"

namespace bridgetower::cli {

enum class VectorFormat { kNpy, kSafetensors, kJsonl };

/// Vectors [N, E] and what each was made from.
struct VectorRows {
  Tensor<float> vectors;
  std::vector<Json> sources;
};

/// By the file's suffix; "-" is JSON lines on standard output, anything else is a UsageError.
VectorFormat vector_format(const std::string& file);

/// Writes the file under its name only when complete, or to standard output. Throws IoError.
void write_vectors(const std::string& file, VectorFormat format, const VectorRows& rows);

}  // namespace bridgetower::cli

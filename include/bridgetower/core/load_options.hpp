#pragma once

#include <bridgetower/core/backend.hpp>
#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/limits.hpp>
#include <string>

namespace bridgetower {

/// How a model is loaded and run.
struct LoadOptions {
  int threads = 0;  ///< of this model, the caller's included; 0: as many as the process may use
  Backend backend = Backend::kAuto;
  /// What the matrices of a float model are kept in: kF32; kBF16 at half the memory; kI8 at a
  /// quarter, heads and embeddings in bfloat16. Everything else stays float.
  DType dtype = DType::kF32;
  std::string revision = "main";  ///< of a model in the Hugging Face cache (core/hub_cache.hpp)
  Limits limits;                  ///< of the model's files and of what it is asked later
};

}  // namespace bridgetower

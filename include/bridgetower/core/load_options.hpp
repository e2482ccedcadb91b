#pragma once

#include <bridgetower/core/backend.hpp>
#include <string>

namespace bridgetower {

/// How a model is loaded and run.
struct LoadOptions {
  int threads = 0;  ///< of this model, the caller's included; 0: as many as the process may use
  Backend backend = Backend::kAuto;
  std::string revision = "main";  ///< of a model in the Hugging Face cache (core/hub_cache.hpp)
};

}  // namespace bridgetower

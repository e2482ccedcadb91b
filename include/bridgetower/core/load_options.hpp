#pragma once

#include <bridgetower/core/backend.hpp>

namespace bridgetower {

/// How a model is loaded and run.
struct LoadOptions {
  int threads = 0;  ///< of this model, the caller's included; 0: as many as the process may use
  Backend backend = Backend::kAuto;
};

}  // namespace bridgetower

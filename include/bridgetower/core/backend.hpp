#pragma once

namespace bridgetower {

/// Who multiplies matrices. Everything else is the same code.
enum class Backend {
  kAuto,    ///< float: the library's own kernels, chosen for the processor; other scalars: Eigen
  kEigen,   ///< Eigen, compiled for the instruction set of the whole build
  kOneDnn,  ///< float, in builds that have it: oneDNN for weights (docs/onednn.md)
};

/// For matrices that live no longer than a call: oneDNN's layouts do not pay there.
constexpr Backend without_onednn(Backend backend) noexcept {
  return backend == Backend::kOneDnn ? Backend::kAuto : backend;
}

}  // namespace bridgetower

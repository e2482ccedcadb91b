#pragma once

namespace bridgetower {

/// Who multiplies matrices. Everything else is the same code.
enum class Backend {
  kAuto,   ///< float: the library's own kernels, chosen for the processor; other scalars: Eigen
  kEigen,  ///< Eigen, compiled for the instruction set of the whole build
};

}  // namespace bridgetower

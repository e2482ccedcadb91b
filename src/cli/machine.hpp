#pragma once

#include <bridgetower/core/parallel.hpp>
#include <string>

namespace bridgetower::cli {

/// As the system names it; "unknown" where it does not.
std::string cpu_name();

/// What this machine's multiply-add units can do at most.
class MachinePeak {
 public:
  explicit MachinePeak(int threads) : threads_(threads) {}

  /// float32 multiply-adds of all threads together, in the widest vectors that the library's
  /// kernels use, without touching memory: measured for a few milliseconds.
  double multiply_adds_per_second();

 private:
  ThreadPool threads_;
};

}  // namespace bridgetower::cli

#pragma once

#include <cstdint>

namespace bridgetower::hostile {

/// The most memory that the process holds at once from here on, beyond what it holds now: every
/// allocation of C and C++ and every anonymous mapping of this program and its libraries.
class PeakMemory {
 public:
  PeakMemory();
  std::int64_t bytes() const;

 private:
  std::int64_t before_;
};

}  // namespace bridgetower::hostile

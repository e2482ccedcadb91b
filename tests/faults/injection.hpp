#pragma once

#include <cstddef>
#include <cstdint>

namespace bridgetower::testing {

/// What this program stands in front of, in every thread and library of the process.
enum class Call {
  kAllocation,  // malloc and its family, operator new
  kOpen,        // also of directories
  kStat,        // fstat, stat, lstat
  kRead,        // read, pread
  kWrite,       // write, pwrite
  kSync,
  kRename,
  kTruncate,
  kLock,
  kMap,
  kThread,  // pthread_create
};

/// While it lives, the n-th call of one kind fails, counted from 1; with `kAllFrom` every later one
/// as well, with `kEverySecond` every second one from there. One at a time.
class Injection {
 public:
  enum class Which { kOne, kAllFrom, kEverySecond };

  Injection(Call call, std::int64_t n, int error, Which which = Which::kOne) noexcept;
  ~Injection();
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;

  /// How many calls there were.
  std::int64_t calls() const noexcept;
};

/// While it lives, no read or write does more than `bytes` at once.
class SmallSteps {
 public:
  explicit SmallSteps(std::size_t bytes) noexcept;
  ~SmallSteps();
  SmallSteps(const SmallSteps&) = delete;
  SmallSteps& operator=(const SmallSteps&) = delete;
};

}  // namespace bridgetower::testing

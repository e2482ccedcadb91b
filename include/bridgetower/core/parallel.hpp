#pragma once

#include <atomic>
#include <bridgetower/core/workspace.hpp>
#include <cfenv>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace bridgetower {

/// A fixed team of threads, the caller included: the only threads the library ever runs on.
/// A model owns one; the threads sleep between calls.
class ThreadPool {
 public:
  /// `threads` 0: as many as this process may use. With 1 no thread is started.
  /// Throws InputError for a negative number or more than 1024, LimitError where the system does
  /// not let so many start.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  /// task(0) … task(count - 1), each once, in any order; returns when all have finished and
  /// rethrows the first exception. When another caller has the team, everything runs on the calling
  /// thread.
  void run(std::int64_t count, const std::function<void(std::int64_t)>& task);

  /// What the calls that run on this team keep for one another.
  Workspace& workspace() noexcept { return workspace_; }

 private:
  void stop();
  void work();
  void take_tasks();

  std::mutex team_mutex_;  // held by the caller whose tasks are running
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::atomic<std::uint64_t> round_{0};
  std::atomic<std::int64_t> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> stop_{false};
  std::int64_t count_ = 0;
  const std::function<void(std::int64_t)>* task_ = nullptr;
  std::exception_ptr failure_;
  std::vector<std::thread> workers_;
  Workspace workspace_;
};

/// While it lives, parallel_for on this thread uses `pool`.
class ParallelScope {
 public:
  explicit ParallelScope(ThreadPool* pool) noexcept;
  ~ParallelScope();
  ParallelScope(const ParallelScope&) = delete;
  ParallelScope& operator=(const ParallelScope&) = delete;

 private:
  ThreadPool* previous_;
};

/// While it lives, this thread works on the threads and in the memory of `pool`, and rounds as they
/// do whatever the caller has set (fenv.h): to nearest, subnormal numbers included. Public entry
/// points open one.
class CallScope {
 public:
  explicit CallScope(ThreadPool* pool) noexcept;
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  ParallelScope threads_;
  WorkspaceScope memory_;
  std::fenv_t environment_;  // the caller's, flags included
};

/// How many threads parallel_for would use here.
int parallel_threads() noexcept;

/// task(0) … task(count - 1) on the pool of the innermost ParallelScope, one after the other
/// without one or inside another parallel_for. How the work is cut into tasks must not depend on
/// the number of threads where that could change a result.
void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& task);

/// Multiply-adds of the matrix products that this thread has asked for so far, whoever did them.
std::uint64_t multiply_adds() noexcept;

namespace detail {
void count_multiply_adds(std::int64_t count) noexcept;
}

}  // namespace bridgetower

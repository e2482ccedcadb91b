#include <algorithm>
#include <atomic>
#include <bridgetower/core/cancellation.hpp>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/parallel.hpp>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace bridgetower {
namespace {

constexpr int kMaxThreads = 1024;
// Together some 200 microseconds, as falling asleep and waking up take as long as many a step
// between two rounds. In most of them the processor goes to whoever wants it.
constexpr int kSpins = 4000;
constexpr int kYields = 400;

thread_local ThreadPool* current_pool = nullptr;
thread_local std::uint64_t products = 0;

int checked(int threads) {
  if (threads < 0 || threads > kMaxThreads) {
    throw InputError("ThreadPool", "threads", "0 to " + std::to_string(kMaxThreads),
                     std::to_string(threads));
  }
  if (threads > 0) return threads;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
}

template <class Condition>
bool spin_until(const Condition& condition) {
  for (int i = 0; i < kSpins; ++i) {
    if (condition()) return true;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }
  for (int i = 0; i < kYields; ++i) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return condition();
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  const int workers = checked(threads) - 1;
  workers_.reserve(static_cast<std::size_t>(workers));
  try {
    for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    if (threads == 0) return;  // fewer will do
    stop();
    throw LimitError("ThreadPool", "threads",
                     "at most " + std::to_string(workers_.size() + 1) + " in this system's limits",
                     std::to_string(threads));
  } catch (...) {
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(std::int64_t count, const std::function<void(std::int64_t)>& task) {
  const Cancellation* const cancellation = detail::current_cancellation();
  // Two pointers, which std::function keeps without asking for memory.
  const std::function<void(std::int64_t)> step = [&task, cancellation](std::int64_t i) {
    const CancellationScope stopping(cancellation);  // also where another thread takes it
    check_cancelled();
    task(i);
  };
  std::unique_lock<std::mutex> team(team_mutex_, std::defer_lock);
  if (workers_.empty() || count <= 1 || !team.try_lock()) {
    for (std::int64_t i = 0; i < count; ++i) step(i);
    return;
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    task_ = &step;
    count_ = count;
    failure_ = nullptr;
    next_ = 0;
    busy_ = static_cast<int>(workers_.size());
    ++round_;
  }
  wake_.notify_all();
  take_tasks();
  const auto idle = [this] { return busy_ == 0; };
  if (!spin_until(idle)) {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, idle);
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::take_tasks() {
  for (std::int64_t i = next_++; i < count_; i = next_++) {
    try {
      (*task_)(i);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_ = count_;
    }
  }
}

void ThreadPool::work() {
  std::fesetenv(FE_DFL_ENV);  // not the one of the thread that made the pool
  std::uint64_t seen = 0;
  for (;;) {
    const auto called = [this, seen] { return stop_ || round_ != seen; };
    if (!spin_until(called)) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, called);
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stop_) return;
      seen = round_;
    }
    take_tasks();
    if (--busy_ == 0) {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_.notify_one();
    }
  }
}

ParallelScope::ParallelScope(ThreadPool* pool) noexcept : previous_(current_pool) {
  current_pool = pool;
}

ParallelScope::~ParallelScope() { current_pool = previous_; }

CallScope::CallScope(ThreadPool* pool) noexcept
    : threads_(pool), memory_(pool == nullptr ? nullptr : &pool->workspace()), environment_{} {
  std::fegetenv(&environment_);
  std::fesetenv(FE_DFL_ENV);
}

CallScope::~CallScope() { std::fesetenv(&environment_); }

int parallel_threads() noexcept { return current_pool == nullptr ? 1 : current_pool->threads(); }

void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& task) {
  ThreadPool* const pool = current_pool;
  if (pool == nullptr || count <= 1) {
    for (std::int64_t i = 0; i < count; ++i) task(i);
    return;
  }
  const std::uint64_t before = products;
  std::atomic<std::uint64_t> added{0};
  detail::WorkspaceState* const workspace = detail::current_workspace();
  pool->run(count, [&task, &added, workspace](std::int64_t i) {
    const ParallelScope nested(nullptr);
    const WorkspaceScope memory(workspace);
    const std::uint64_t start = products;
    task(i);
    added += products - start;
  });
  products = before + added;
}

std::uint64_t multiply_adds() noexcept { return products; }

namespace detail {
void count_multiply_adds(std::int64_t count) noexcept {
  products += static_cast<std::uint64_t>(count);
}
}  // namespace detail

}  // namespace bridgetower

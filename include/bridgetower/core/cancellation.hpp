#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace bridgetower {

/// Stops calls before they are done, from any thread or at a point in time. Safe for concurrent
/// use; must outlive the scopes and calls that it stops.
///
///     Cancellation stop(std::chrono::seconds(2));
///     const CancellationScope scope(stop);  // calls from this thread …
///     matcher.match(image, text);           // … throw CancelledError once it is requested
///
/// Looked at between matrix products, between the parts of one, and every few megabytes of a file
/// that is read. What the call was working on is gone; model, states and files are as before, and
/// the next call gives the bits that it would have given.
class Cancellation {
 public:
  using Clock = std::chrono::steady_clock;

  Cancellation() = default;
  /// Requested by itself after this time.
  explicit Cancellation(Clock::duration timeout) { set_deadline(Clock::now() + timeout); }

  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  void set_deadline(Clock::time_point deadline) noexcept {
    deadline_.store(deadline.time_since_epoch().count(), std::memory_order_relaxed);
  }

  bool requested() const noexcept {
    return requested_.load(std::memory_order_relaxed) ||
           Clock::now().time_since_epoch().count() >= deadline_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> requested_{false};
  std::atomic<Clock::rep> deadline_{Clock::duration::max().count()};
};

/// While it lives, calls from this thread end with CancelledError once `cancellation` is requested.
class CancellationScope {
 public:
  explicit CancellationScope(const Cancellation& cancellation) noexcept
      : CancellationScope(&cancellation) {}
  explicit CancellationScope(const Cancellation* cancellation) noexcept;  ///< null: none
  ~CancellationScope();
  CancellationScope(const CancellationScope&) = delete;
  CancellationScope& operator=(const CancellationScope&) = delete;

 private:
  const Cancellation* previous_;
};

/// Throws CancelledError where the innermost scope of this thread has been asked to stop. The
/// library calls it between the parts of its work.
void check_cancelled();

namespace detail {
/// Of the innermost scope of this thread; null without one.
const Cancellation* current_cancellation() noexcept;
}  // namespace detail

}  // namespace bridgetower

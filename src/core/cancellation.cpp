#include <bridgetower/core/cancellation.hpp>
#include <bridgetower/core/error.hpp>

namespace bridgetower {
namespace {

thread_local const Cancellation* current = nullptr;

}  // namespace

CancellationScope::CancellationScope(const Cancellation* cancellation) noexcept
    : previous_(current) {
  current = cancellation;
}

CancellationScope::~CancellationScope() { current = previous_; }

void check_cancelled() {
  if (current != nullptr && current->requested()) throw CancelledError("call", "cancelled");
}

namespace detail {
const Cancellation* current_cancellation() noexcept { return current; }
}  // namespace detail

}  // namespace bridgetower

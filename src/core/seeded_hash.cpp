#include "core/seeded_hash.hpp"

#include <chrono>
#include <exception>
#include <random>

namespace bridgetower::detail {
namespace {

std::uint64_t drawn() noexcept {
  try {
    std::random_device source;
    return static_cast<std::uint64_t>(source()) << 32 | source();
  } catch (const std::exception&) {  // a system without randomness
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
}

}  // namespace

std::uint64_t SeededHash::point() noexcept {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << 60) - 1;
  static const std::uint64_t point = (drawn() & kMask) | std::uint64_t{1} << 32;
  return point;
}

}  // namespace bridgetower::detail

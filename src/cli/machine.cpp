#include "cli/machine.hpp"

#include <chrono>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <vector>

namespace bridgetower::cli {
namespace {

constexpr std::int64_t kRounds = 200000;
constexpr std::int64_t kChains =
    10;  // enough to fill two units with a latency of four or five cycles

using Float4 = float __attribute__((vector_size(16)));
using Float8 = float __attribute__((vector_size(32)));
using Float16 = float __attribute__((vector_size(64)));

/// Chains of dependent multiply-adds; returns how many there were.
template <class Vector>
[[gnu::always_inline]] inline std::int64_t run_chains() {
  volatile float factor = 0.999F;
  volatile float term = 1e-3F;
  const Vector a = Vector{} + factor;
  const Vector b = Vector{} + term;
  // Each starts elsewhere: equal chains would be computed once.
  Vector x0 = b, x1 = 2 * b, x2 = 3 * b, x3 = 4 * b, x4 = 5 * b;
  Vector x5 = 6 * b, x6 = 7 * b, x7 = 8 * b, x8 = 9 * b, x9 = 10 * b;
  for (std::int64_t i = 0; i < kRounds; ++i) {
    x0 = x0 * a + b;
    x1 = x1 * a + b;
    x2 = x2 * a + b;
    x3 = x3 * a + b;
    x4 = x4 * a + b;
    x5 = x5 * a + b;
    x6 = x6 * a + b;
    x7 = x7 * a + b;
    x8 = x8 * a + b;
    x9 = x9 * a + b;
  }
  const Vector sum = ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7)) + (x8 + x9);
  volatile float used = sum[0];
  static_cast<void>(used);
  return kRounds * kChains * static_cast<std::int64_t>(sizeof(Vector) / sizeof(float));
}

#if defined(__x86_64__)
[[gnu::target("avx512f")]] std::int64_t run_avx512() { return run_chains<Float16>(); }
[[gnu::target("avx2,fma")]] std::int64_t run_avx2() { return run_chains<Float8>(); }
#endif

std::int64_t run() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return run_avx512();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return run_avx2();
#endif
  return run_chains<Float4>();
}

}  // namespace

double MachinePeak::multiply_adds_per_second() {
  std::vector<double> rates(static_cast<std::size_t>(threads_.threads()));
  threads_.run(threads_.threads(), [&rates](std::int64_t thread) {
    const auto start = std::chrono::steady_clock::now();
    std::int64_t count = 0;
    std::chrono::duration<double> passed{};
    while (passed.count() < 5e-3) {
      count += run();
      passed = std::chrono::steady_clock::now() - start;
    }
    rates[static_cast<std::size_t>(thread)] = static_cast<double>(count) / passed.count();
  });
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace bridgetower::cli

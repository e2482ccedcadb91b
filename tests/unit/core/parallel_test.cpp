#include <gtest/gtest.h>

#include <atomic>
#include <bridgetower/core/parallel.hpp>
#include <cfenv>
#include <numeric>
#include <vector>

#include "tests/support/expect_error.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    const ParallelScope scope(&pool);
    for (std::int64_t count = 0; count < 200; ++count) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      parallel_for(count, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
      for (const auto& n : runs) ASSERT_EQ(n, 1);
    }
  }
}

TEST(ThreadPool, IsUsableAfterATaskHasThrown) {
  ThreadPool pool(3);
  const ParallelScope scope(&pool);
  expect_error(ErrorCode::kInput, "task: seven", [] {
    parallel_for(20, [](std::int64_t i) {
      if (i == 7) throw InputError("task", "seven");
    });
  });
  std::atomic<std::int64_t> sum{0};
  parallel_for(10, [&](std::int64_t i) { sum += i; });
  EXPECT_EQ(sum, 45);
}

TEST(ThreadPool, RunsNestedLoopsAndOtherCallersInline) {
  ThreadPool pool(2);
  std::atomic<int> runs{0};
  const auto call = [&] {
    const ParallelScope scope(&pool);
    for (int repeat = 0; repeat < 50; ++repeat) {
      parallel_for(4, [&](std::int64_t) { parallel_for(4, [&](std::int64_t) { ++runs; }); });
    }
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(call);
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(runs, 4 * 50 * 16);
}

TEST(ThreadPool, RefusesNumbersThatMakeNoSense) {
  expect_error(ErrorCode::kInput, "ThreadPool: threads: expected 0 to 1024, got -1",
               [] { ThreadPool pool(-1); });
  expect_error(ErrorCode::kInput, "ThreadPool: threads: expected 0 to 1024, got 1025",
               [] { ThreadPool pool(1025); });
}

/// Compilers may not work these out beforehand.
double third() {
  volatile double one = 1, three = 3;
  return one / three;
}

TEST(CallScope, RoundsToNearestAndGivesTheCallersRoundingAndFlagsBack) {
  const double nearest = third();
  std::fesetround(FE_UPWARD);
  std::feclearexcept(FE_ALL_EXCEPT);
  const double upward = third();
  std::feraiseexcept(FE_OVERFLOW);
  {
    ThreadPool pool(2);
    const CallScope scope(&pool);
    EXPECT_EQ(third(), nearest);
    std::feraiseexcept(FE_DIVBYZERO);
  }
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  EXPECT_EQ(third(), upward);
  EXPECT_NE(std::fetestexcept(FE_OVERFLOW), 0);
  EXPECT_EQ(std::fetestexcept(FE_DIVBYZERO), 0);
  std::fesetround(FE_TONEAREST);
  std::feclearexcept(FE_ALL_EXCEPT);
  EXPECT_NE(upward, nearest);
}

}  // namespace
}  // namespace bridgetower

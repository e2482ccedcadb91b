// Calls that are stopped end soon, with CancelledError, and leave the model as it was.
#include <gtest/gtest.h>

#include <atomic>
#include <bridgetower/core/cancellation.hpp>
#include <bridgetower/io/convert.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/search/index_images.hpp>
#include <thread>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;

const std::string kModel = testing::test_data() + "/tiny_model";
using Matching = BridgeTowerForImageAndTextRetrieval<float>;

Matching load(int threads) {
  LoadOptions options;
  options.threads = threads;
  return Matching::from_pretrained(kModel, options);
}

ForwardInputs<float> inputs(std::int64_t batch) {
  ForwardInputs<float> inputs;
  inputs.pixel_values = testing::random_tensor<float>({batch, 3, 48, 48}, 1);
  inputs.input_ids.emplace(Shape{batch, 6});
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::int64_t ids[] = {0, 84, 61, 90 + b % 7, 77, 2};
    std::copy(std::begin(ids), std::end(ids), inputs.input_ids->data() + 6 * b);
  }
  return inputs;
}

std::vector<float> logits(const Matching& model) {
  const Tensor<float> all = model.forward(inputs(3)).logits;
  return {all.begin(), all.end()};
}

TEST(Cancellation, StopsACallBeforeItBegins) {
  for (const int threads : {1, 2}) {
    const Matching model = load(threads);
    const std::vector<float> before = logits(model);
    Cancellation stop;
    stop.request();
    {
      const CancellationScope scope(stop);
      expect_error(ErrorCode::kCancelled, "call: cancelled", [&] { model.forward(inputs(3)); });
    }
    EXPECT_EQ(logits(model), before);
  }
}

TEST(Cancellation, StopsALongCallFromAnotherThread) {
  for (const int threads : {1, 2}) {
    const Matching model = load(threads);
    const std::vector<float> before = logits(model);
    const auto many = inputs(4000);
    Cancellation stop;
    std::thread other([&stop] {
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      stop.request();
    });
    {
      const CancellationScope scope(stop);
      expect_error(ErrorCode::kCancelled, "call: cancelled", [&] { model.forward(many); });
    }
    other.join();
    EXPECT_EQ(logits(model), before);
  }
}

TEST(Cancellation, StopsWhenItsTimeIsUp) {
  const Matching model = load(2);
  const Cancellation stop(std::chrono::milliseconds(20));
  const CancellationScope scope(stop);
  expect_error(ErrorCode::kCancelled, "call: cancelled", [&] { model.forward(inputs(4000)); });
}

TEST(Cancellation, IsOfItsThreadAndItsScope) {
  const Matching model = load(2);
  Cancellation stop;
  stop.request();
  const CancellationScope scope(stop);
  std::thread([&model] { EXPECT_NO_THROW(model.forward(inputs(1))); }).join();
  {
    const Cancellation never;
    const CancellationScope inner(never);
    EXPECT_NO_THROW(model.forward(inputs(1)));
  }
  EXPECT_THROW(model.forward(inputs(1)), CancelledError);
}

/// Stopped at each point of a call in turn: every later call gives the same bits.
TEST(Cancellation, AtAnyPointLeavesTheModelAsItWas) {
  const Matching model = load(2);
  const std::vector<float> before = logits(model);
  const auto many = inputs(20);
  int stopped = 0;
  for (int step = 0; step < 40; ++step) {
    const Cancellation stop(std::chrono::microseconds(500 * step));
    const CancellationScope scope(stop);
    try {
      model.forward(many);
    } catch (const CancelledError&) {
      ++stopped;
    }
    const Cancellation never;
    const CancellationScope inner(never);
    ASSERT_EQ(logits(model), before) << step;
  }
  EXPECT_GT(stopped, 3);
}

TEST(Cancellation, StopsReadingFiles) {
  Cancellation stop;
  stop.request();
  const CancellationScope scope(stop);
  expect_error(ErrorCode::kCancelled, "call: cancelled", [] { load(2); });
  const testing::TemporaryDirectory directory;
  expect_error(ErrorCode::kCancelled, "call: cancelled",
               [&] { convert_checkpoint(kModel, directory.path() / "out"); });
}

/// A picture that was not encoded for want of time is not one that cannot be.
TEST(Cancellation, OfIndexingIsNoFailureOfAPicture) {
  const testing::TemporaryDirectory directory;
  LoadOptions one;
  one.threads = 1;
  const auto embedder = Embedder::from_pretrained(kModel, one);
  const auto images = find_images({testing::test_data() + "/images/rgb.png"});
  IndexBuilder builder(directory.path(), std::string(64, 'a'), embedder.size(), {});
  Cancellation stop;
  stop.request();
  const CancellationScope scope(stop);
  EXPECT_THROW(index_images(builder, embedder, images), CancelledError);
  EXPECT_TRUE(builder.paths().empty());
}

/// Eight threads on one model: calls that are left alone, calls that are stopped somewhere, and
/// other models being loaded meanwhile, some of them in vain.
TEST(Cancellation, AmongManyThreadsConcernsNoOther) {
  const Matching model = load(3);
  const std::vector<float> expected = logits(model);
  std::atomic<int> wrong{0};
  std::atomic<int> stopped{0};
  const auto work = [&](int thread) {
    for (int round = 0; round < 12; ++round) {
      const Cancellation stop(std::chrono::microseconds(thread % 2 == 0 ? 200 * round : 1 << 30));
      const CancellationScope scope(stop);
      try {
        if (thread >= 6) {
          const Matching other = load(2);
          if (logits(other) != expected) ++wrong;
        } else if (logits(model) != expected) {
          ++wrong;
        }
      } catch (const CancelledError&) {
        if (thread % 2 != 0) ++wrong;
        ++stopped;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) threads.emplace_back(work, thread);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(stopped, 4);  // each thread's first deadline had passed
  EXPECT_EQ(logits(model), expected);
}

}  // namespace
}  // namespace bridgetower

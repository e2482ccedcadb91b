// Calls that are stopped end soon, with CancelledError, and leave the model as it was.
#include <gtest/gtest.h>

#include <bridgetower/core/cancellation.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <thread>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"

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

}  // namespace
}  // namespace bridgetower

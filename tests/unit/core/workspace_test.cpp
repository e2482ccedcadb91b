#include <gtest/gtest.h>

#include <bridgetower/core/parallel.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/model/memory_estimate.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

const std::string kModel = testing::test_data() + "/tiny_model";

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycles = false;
#elif defined(__has_feature)
constexpr bool kRecycles = !__has_feature(address_sanitizer);
#else
constexpr bool kRecycles = true;
#endif

TEST(Workspace, GivesMemoryBackToTheNextTensorOfThatSize) {
  Workspace workspace;
  const WorkspaceScope scope(&workspace);
  for (int i = 0; i < 10; ++i) {
    Tensor<float> a({100, 7});
    const Tensor<float> b({3});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % 64, 0U);
    EXPECT_EQ(a(99, 6), 0.0F) << "a new tensor is zero, used memory or not";
    std::fill(a.begin(), a.end(), 1.0F);
  }
  EXPECT_EQ(workspace.usage().allocations, kRecycles ? 2U : 20U);
  EXPECT_EQ(workspace.usage().in_use, 0U);
  EXPECT_GE(workspace.usage().peak, (700U + 3) * sizeof(float));
  EXPECT_LE(workspace.usage().peak, 4096U);
}

TEST(Workspace, KeepsNoMoreThanTwiceTheMostThatWasInUse) {
  Workspace workspace;
  const WorkspaceScope scope(&workspace);
  for (std::int64_t size = 1; size < 4000; size += 7) Tensor<double>({size});
  EXPECT_LE(workspace.usage().in_reserve, 2 * workspace.usage().peak);
}

TEST(Workspace, TensorsOutliveIt) {
  std::optional<Workspace> workspace(std::in_place);
  Tensor<float> kept;
  {
    const WorkspaceScope scope(&*workspace);
    kept = Tensor<float>({5}, {1, 2, 3, 4, 5});
  }
  workspace.reset();
  EXPECT_EQ(kept(4), 5.0F);
  const Tensor<float> copy = kept;
  EXPECT_EQ(copy(0), 1.0F);
}

TEST(Workspace, IsOnlyUsedWithinAScopeAndByItsTasks) {
  ThreadPool pool(3);
  const Tensor<float> outside({10});
  EXPECT_EQ(pool.workspace().usage().allocations, 0U);
  {
    const CallScope call(&pool);
    parallel_for(20, [](std::int64_t) { const Tensor<float> task({10}); });
    const WorkspaceScope nothing(static_cast<Workspace*>(nullptr));
    const Tensor<float> system({10});
  }
  const Workspace::Usage usage = pool.workspace().usage();
  EXPECT_GE(usage.allocations, 1U);
  if (kRecycles) {
    EXPECT_LE(usage.allocations, 3U);
  }
  EXPECT_EQ(usage.in_use, 0U);
}

TEST(Workspace, RefusesMoreThanThereIs) {
  if (!kRecycles) return;  // the address sanitizer ends the program there
  Workspace workspace;
  const WorkspaceScope scope(&workspace);
  EXPECT_THROW(Tensor<float>::uninitialized({std::int64_t{1} << 58}), std::bad_alloc);
  EXPECT_EQ(workspace.usage().in_use, 0U);
}

/// What `calls` more calls of the tiny model ask the system for.
std::uint64_t allocations(const BridgeTowerForImageAndTextRetrieval<float>& model, int calls) {
  ForwardInputs<float> inputs;
  inputs.pixel_values = testing::random_tensor<float>({3, 3, 48, 48}, 1);
  inputs.input_ids.emplace(Shape{3, 6}, std::vector<std::int64_t>{0, 61, 62, 63, 64, 2,  //
                                                                  0, 71, 72, 73, 74, 2,  //
                                                                  0, 81, 82, 83, 84, 2});
  const Workspace& workspace = model.model().threads()->workspace();
  const auto before = workspace.usage().allocations;
  for (int i = 0; i < calls; ++i) model.forward(inputs);
  return workspace.usage().allocations - before;
}

BridgeTowerForImageAndTextRetrieval<float> tiny_model(int threads) {
  LoadOptions options;
  options.threads = threads;
  return BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(kModel, options);
}

/// The first calls of a shape leave what later ones need: the second may find a block that is
/// larger than it asked for.
TEST(Workspace, OneThreadAsksTheSystemForNothingAfterThreeCalls) {
  if (!kRecycles) return;  // the address sanitizer is to see every tensor
  const auto model = tiny_model(1);
  EXPECT_GT(allocations(model, 3), 0U);
  EXPECT_EQ(allocations(model, 20), 0U);
}

/// Of two threads one may fall behind, so that a later call needs more at one moment than any
/// before: that has an end.
TEST(Workspace, TwoThreadsStopAskingTheSystem) {
  if (!kRecycles) return;
  const auto model = tiny_model(2);
  int rounds = 1;
  while (allocations(model, 20) > 0 && rounds < 50) ++rounds;
  EXPECT_LT(rounds, 50);
}

/// What `info` prints holds, and is not far off.
TEST(Workspace, IsAsLargeAsEstimated) {
  for (const char* directory : {"/tiny_model", "/../../models/demo"}) {
    LoadOptions options;
    options.threads = 2;
    const auto model = BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(
        testing::test_data() + std::string(directory), options);
    const BridgeTowerConfig& config = model.model().config();
    const std::int64_t size = config.vision_config.image_size;
    ForwardInputs<float> inputs;
    inputs.pixel_values = testing::random_tensor<float>({1, 3, size, size}, 1);
    inputs.input_ids.emplace(Shape{1, 12});
    std::fill(inputs.input_ids->begin(), inputs.input_ids->end(), 7);
    for (int i = 0; i < 3; ++i) model.forward(inputs);
    const auto peak = static_cast<std::int64_t>(model.model().threads()->workspace().usage().peak);
    const std::int64_t estimate = workspace_bytes(config, 12, 2);
    EXPECT_LE(peak, estimate) << directory;
    EXPECT_GE(5 * peak, 2 * estimate) << directory;
  }
}

}  // namespace
}  // namespace bridgetower

#include <gtest/gtest.h>

#include <bridgetower/core/weights.hpp>
#include <limits>

#include "tests/support/expect_error.hpp"
#include "tests/support/map_weights.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;
using testing::MapWeights;

MapWeights::Entry values(Shape shape, double value = 1.0, DType dtype = DType::kF32) {
  Tensor<double> tensor(std::move(shape));
  std::fill(tensor.begin(), tensor.end(), value);
  return {std::move(tensor), dtype};
}

TEST(WeightLoader, FindsEitherPrefixAndTheOldNamesOfLayerNorm) {
  const MapWeights source({{"bridgetower.a.weight", values({1}, 1)},
                           {"b.weight", values({1}, 2)},
                           {"c.LayerNorm.gamma", values({1}, 3)},
                           {"bridgetower.d.LayerNorm.beta", values({1}, 4)},
                           {"link_tower.0.beta", values({}, 5)}});
  WeightLoader<float> loader(source);
  const WeightView<float> root = WeightView<float>(loader) / "bridgetower";
  EXPECT_EQ((root / "a").tensor("weight", {1})(0), 1.0F);
  EXPECT_EQ((root / "b").tensor("weight", {1})(0), 2.0F);
  EXPECT_EQ((root / "c" / "LayerNorm").tensor("weight", {1})(0), 3.0F);
  EXPECT_EQ((root / "d" / "LayerNorm").tensor("bias", {1})(0), 4.0F);
  EXPECT_EQ((root / "link_tower" / 0).scalar("beta"), 5.0F);
  EXPECT_FALSE(root.has("link_tower.0.bias"));
  EXPECT_NO_THROW(loader.finish());
}

/// Of matrices in int8, a byte a value and a scale a row; what no product takes stays as it is.
TEST(KeptBytes, OfMatricesInInt8) {
  const auto kept = [](const char* name, Shape shape) {
    return kept_bytes(MapWeights({{name, values(std::move(shape))}}), DType::kI8);
  };
  constexpr std::int64_t kMostColumns = 1 << 18;
  EXPECT_EQ(kept("a", {3, 5}), 3U * (5 + 4));
  EXPECT_EQ(kept("a", {1, 5}), 5U + 4);
  EXPECT_EQ(kept("a", {3, 2, 5}), 3U * (10 + 4));
  EXPECT_EQ(kept("a", {0, 5}), 0U);
  EXPECT_EQ(kept("a", {3}), 3U * 4);
  EXPECT_EQ(kept("a", {1, kMostColumns}), kMostColumns + 4U);
  EXPECT_EQ(kept("a", {1, kMostColumns + 1}), 4U * (kMostColumns + 1));
  EXPECT_EQ(kept("text_model.embeddings.position_embeddings.weight", {3, 5}), 4U * 15);
  EXPECT_EQ(kept("text_model.embeddings.word_embeddings.weight", {3, 5}), 2U * 15);
  EXPECT_EQ(kept("vision_model.embeddings.patch_embedding.weight", {3, 2, 5}), 3U * (10 + 4));
  EXPECT_EQ(kept("mlm_score.decoder.weight", {3, 5}), 2U * 15);
  EXPECT_EQ(kept("itc_text_head.fc.weight", {3, 5}), 2U * 15);
}

TEST(WeightLoader, NamesOneWrongShapeInOneLine) {
  const MapWeights source({{"a.weight", values({2, 3})}, {"mlm_score.bias", values({9})}});
  WeightLoader<double> loader(source);
  WeightView<double>(loader).tensor("a.weight", {3, 2});
  expect_error(ErrorCode::kWeight, "memory: a.weight: expected F32 [3, 2], got F32 [2, 3]",
               [&] { loader.finish(); });
}

TEST(WeightLoader, ReportsEverythingAtOnce) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  const MapWeights source({{"a", values({2})},
                           {"b", values({2}, 1, DType::kI64)},
                           {"c", values({2}, nan)},
                           {"d", values({20}, infinite)},
                           {"stray", values({1})},
                           {"itc_text_head.fc.bias", values({1})},
                           {"bridgetower.text_model.embeddings.position_ids", values({1}, 0)}});
  WeightLoader<float> loader(source);
  const WeightView<float> root(loader);
  root.tensor("a", {3});
  root.tensor("b", {2});
  root.tensor("c", {2});
  root.tensor("d", {20});
  root.tensor("e", {1});
  root.tensor("f", {1});
  expect_error(ErrorCode::kWeight,
               "memory: missing e, f; wrong shape or type: a (expected F32 [3], got F32 [2]), b "
               "(expected a floating type [2], got I64 [2]); not finite: c, d; unexpected: stray",
               [&] { loader.finish(); });
}

}  // namespace
}  // namespace bridgetower

#include <gtest/gtest.h>

#include <bridgetower/core/tensor.hpp>

#include "tests/support/expect_error.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;

TEST(Tensor, HoldsRowsInOrder) {
  const Tensor<float> t({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(t(1, 2), 6.0F);
  EXPECT_EQ(t.dim(-1), 3);
  EXPECT_EQ(t.row(1).shape(), (Shape{3}));
  EXPECT_EQ(t.row(1)(0), 4.0F);
  EXPECT_EQ(Tensor<double>(Shape{}).size(), 1U);
  EXPECT_EQ(t.cast<std::int64_t>()(0, 1), 2);
  EXPECT_EQ(Tensor<float>(t).reshaped({3, 2})(2, 1), 6.0F);
}

TEST(Tensor, RefusesWhatIsOutside) {
  const Tensor<float> t({2, 3});
  expect_error(ErrorCode::kShape,
               "Tensor: element of a tensor [2, 3]: expected an index inside it, got [2, 0]",
               [&] { t(2, 0); });
  expect_error(ErrorCode::kShape,
               "Tensor: element of a tensor [2, 3]: expected an index inside it, got [0]",
               [&] { t(0); });
  expect_error(ErrorCode::kShape,
               "Tensor: row of a tensor [2, 3]: expected an index inside it, got -1",
               [&] { t.row(-1); });
  expect_error(ErrorCode::kShape, "Tensor: axis of a tensor [2, 3]: expected -2 to 1, got 2",
               [&] { t.dim(2); });
  expect_error(ErrorCode::kShape, "Tensor: reshape of [2, 3]: expected 6 elements, got [5]",
               [&] { Tensor<float>(t).reshaped({5}); });
  expect_error(ErrorCode::kShape, "Tensor: values for [2]: expected 2, got 1",
               [] { Tensor<float>({2}, {1}); });
}

TEST(Tensor, RefusesSizesThatOverflow) {
  expect_error(ErrorCode::kShape,
               "Tensor: shape: expected sizes with a product below 2^62 bytes, got "
               "[4611686018427387904, 4]",
               [] {
                 Tensor<float>(Shape{std::int64_t{1} << 62, 4});
               });
  expect_error(ErrorCode::kShape,
               "Tensor: shape: expected sizes with a product below 2^62 bytes, got [-1]",
               [] { Tensor<float>(Shape{-1}); });
}

}  // namespace
}  // namespace bridgetower

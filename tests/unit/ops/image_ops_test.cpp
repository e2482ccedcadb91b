#include <gtest/gtest.h>

#include <bridgetower/ops/interpolate.hpp>
#include <bridgetower/ops/patchify.hpp>
#include <cmath>

namespace bridgetower {
namespace {

TEST(Patchify, LeavesOutPixelsThatFillNoPatch) {
  Tensor<float> pixels({2, 5, 4});
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels.data()[i] = static_cast<float>(i);
  const Tensor<float> rows = ops::patchify(pixels.data(), 2, 5, 4, 2);
  ASSERT_EQ(rows.shape(), (Shape{4, 8}));
  for (std::int64_t patch = 0; patch < 4; ++patch) {
    for (std::int64_t i = 0; i < 8; ++i) {
      const std::int64_t y = patch / 2 * 2 + i / 2 % 2;
      const std::int64_t x = patch % 2 * 2 + i % 2;
      EXPECT_EQ(rows(patch, i), pixels(i / 4, y, x));
    }
  }
}

class Bicubic : public ::testing::Test {
 protected:
  /// p[k][d] = sin(0.1 k + 0.7 d) on a 4 x 4 grid, rounded to float32.
  Tensor<double> table() const {
    Tensor<double> values({16, 2});
    for (std::int64_t k = 0; k < 16; ++k) {
      for (std::int64_t d = 0; d < 2; ++d) {
        values(k, d) = static_cast<double>(static_cast<float>(
            std::sin(0.1 * static_cast<double>(k) + 0.7 * static_cast<double>(d))));
      }
    }
    return values;
  }
};

TEST_F(Bicubic, GivesTheNumbersOfPyTorch) {
  const Tensor<double> larger = ops::interpolate_bicubic(table().data(), 4, 4, 2, 7, 5);
  const double expected[][2] = {{-0.044760820, 0.615074342},
                                {0.023000464, 0.667105945},
                                {0.112475512, 0.732119526},
                                {0.200904009, 0.790320857}};
  for (std::int64_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(larger(i, 0), expected[i][0], 1e-9);
    EXPECT_NEAR(larger(i, 1), expected[i][1], 1e-9);
  }
  EXPECT_NEAR(larger(34, 0), 1.008545052, 1e-9);
  EXPECT_NEAR(larger(34, 1), 0.788544654, 1e-9);
  const Tensor<double> smaller = ops::interpolate_bicubic(table().data(), 4, 4, 2, 2, 3);
  EXPECT_NEAR(smaller(0, 0), 0.176269487, 1e-9);
  EXPECT_NEAR(smaller(5, 1), 0.895290415, 1e-9);
}

TEST_F(Bicubic, KeepsEveryBitAtTheSameSize) {
  const Tensor<double> same = ops::interpolate_bicubic(table().data(), 4, 4, 2, 4, 4);
  const Tensor<double> before = table();
  EXPECT_TRUE(std::equal(same.begin(), same.end(), before.begin()));
}

}  // namespace
}  // namespace bridgetower

#include <gtest/gtest.h>

#include <bridgetower/ops/folded_attention.hpp>

#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

using testing::random_tensor;

/// Attention with keys and values made, and folded, from the same rows and projections.
template <class Scalar>
class FoldedAttention : public ::testing::Test {
 protected:
  static constexpr std::int64_t kWidth = 60, kKeys = 23, kQueries = 5;

  static ops::PackedMatrix<Scalar> packed(const Tensor<Scalar>& w) {
    ops::PackedMatrix<Scalar> matrix(w.dim(0), w.dim(1));
    matrix.set_rows(0, w.dim(0), w.data(), w.dim(1));
    return matrix;
  }

  static void compare(std::int64_t heads, const ops::KeyList* attended, double tolerance) {
    const auto q = random_tensor<Scalar>({kQueries, kWidth}, 1, 0.3);
    const auto x = random_tensor<Scalar>({kKeys, kWidth}, 2);
    const auto w = packed(random_tensor<Scalar>({3 * kWidth, kWidth}, 3, 0.2));
    const auto bias = random_tensor<Scalar>({3 * kWidth}, 4);
    Tensor<Scalar> made({kKeys, 2 * kWidth});
    w.multiply({kWidth, 2 * kWidth}, x.data(), kWidth, kKeys, {bias.data() + kWidth}, made.data(),
               2 * kWidth);
    Tensor<Scalar> expected({kQueries, kWidth});
    ops::attention<Scalar>({{q.data(), kQueries, kWidth},
                            {made.data(), kKeys, 2 * kWidth},
                            {made.data() + kWidth, kKeys, 2 * kWidth},
                            heads,
                            kWidth / heads,
                            attended},
                           expected.data());
    Tensor<Scalar> folded({kQueries, kWidth});
    ops::folded_attention<Scalar>({{q.data(), kQueries, kWidth},
                                   {x.data(), kKeys, kWidth},
                                   w,
                                   bias.data() + 2 * kWidth,
                                   heads,
                                   attended},
                                  folded.data());
    for (std::size_t i = 0; i < folded.size(); ++i) {
      ASSERT_NEAR(static_cast<double>(folded.data()[i]), static_cast<double>(expected.data()[i]),
                  tolerance);
    }
  }
};

using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(FoldedAttention, Scalars);

TYPED_TEST(FoldedAttention, EqualsAttentionWithKeysAndValuesMade) {
  const double tolerance = std::is_same_v<TypeParam, double> ? 1e-13 : 1e-5;
  const ops::KeyList some{0, 3, 4, 22};
  const ops::KeyList none;
  for (const std::int64_t heads : {1, 2, 3, 5}) {  // heads of 60, 30, 20 and 12 columns
    this->compare(heads, nullptr, tolerance);
    this->compare(heads, &some, tolerance);
    this->compare(heads, &none, tolerance);
  }
}

/// The same with queries and context made, or folded, and an output projection.
TYPED_TEST(FoldedAttention, EqualsAttentionWithQueriesAndContextMade) {
  using Scalar = TypeParam;
  constexpr std::int64_t kD = 60, kM = 23, kN = 5;
  const double tolerance = std::is_same_v<Scalar, double> ? 1e-13 : 1e-5;
  const auto x = random_tensor<Scalar>({kM, kD}, 1);
  const auto made = random_tensor<Scalar>({kN, 2 * kD}, 2);
  const auto w = this->packed(random_tensor<Scalar>({3 * kD, kD}, 3, 0.1));
  const auto output = this->packed(random_tensor<Scalar>({kD, kD}, 4, 0.2));
  const auto query_bias = random_tensor<Scalar>({kD}, 5, 0.3);
  const auto output_bias = random_tensor<Scalar>({kD}, 6);
  const ops::RowsView<Scalar> rows{x.data(), kM, kD};
  const ops::RowsView<Scalar> key{made.data(), kN, 2 * kD};
  const ops::RowsView<Scalar> value{made.data() + kD, kN, 2 * kD};
  Tensor<Scalar> query({kM, kD});
  w.multiply({0, kD}, x.data(), kD, kM, {query_bias.data()}, query.data(), kD);
  const ops::KeyList some{0, 3, 4};
  const ops::KeyList none;
  for (const std::int64_t heads : {1, 2, 3, 5}) {
    for (const ops::KeyList* attended : {static_cast<const ops::KeyList*>(nullptr), &some, &none}) {
      Tensor<Scalar> context({kM, kD}), expected({kM, kD}), folded({kM, kD});
      ops::attention<Scalar>({{query.data(), kM, kD}, key, value, heads, kD / heads, attended},
                             context.data());
      output.multiply(context.data(), kD, kM, {output_bias.data()}, expected.data(), kD);
      ops::query_folded_attention<Scalar>(
          {rows, key, value, w, query_bias.data(), output, output_bias.data(), heads, attended},
          folded.data());
      for (std::size_t i = 0; i < folded.size(); ++i) {
        ASSERT_NEAR(static_cast<double>(folded.data()[i]), static_cast<double>(expected.data()[i]),
                    tolerance);
      }
    }
  }
}

TEST(FoldedAttentionWork, IsLessForFewQueriesOrFewKeys) {
  EXPECT_LT(ops::folded_work(57, 325, 768, 12), ops::plain_work(57, 325, 768));
  EXPECT_GT(ops::folded_work(58, 325, 768, 12), ops::plain_work(58, 325, 768));
  EXPECT_LT(ops::query_folded_work(325, 57, 768, 12), ops::plain_work(325, 57, 768));
  EXPECT_GT(ops::query_folded_work(325, 58, 768, 12), ops::plain_work(325, 58, 768));
}

}  // namespace
}  // namespace bridgetower

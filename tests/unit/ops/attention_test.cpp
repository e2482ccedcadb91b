#include <gtest/gtest.h>

#include <bridgetower/ops/attention.hpp>
#include <cmath>
#include <string>

#include "tests/support/expect_error.hpp"
#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

using testing::random_tensor;

/// One query row of one head over the attended keys, in double; q is scaled already.
double slow_context(const Tensor<float>& q, const Tensor<float>& k, const Tensor<float>& v,
                    const ops::KeyList& keys, std::int64_t head, std::int64_t size,
                    std::int64_t row, std::int64_t column) {
  double total = 0;
  double sum = 0;
  for (const std::int64_t key : keys) {
    double score = 0;
    for (std::int64_t i = head * size; i < (head + 1) * size; ++i) {
      score += static_cast<double>(q(row, i)) * static_cast<double>(k(key, i));
    }
    const double weight = std::exp(score);
    total += weight;
    sum += weight * static_cast<double>(v(key, head * size + column));
  }
  return sum / total;
}

class Attention : public ::testing::Test {
 protected:
  static constexpr std::int64_t kHeads = 3, kSize = 12, kQueries = 70, kKeys = 45;
  const Tensor<float> q = random_tensor<float>({kQueries, kHeads* kSize}, 1, 0.3);
  const Tensor<float> k = random_tensor<float>({kKeys, kHeads* kSize}, 2);
  const Tensor<float> v = random_tensor<float>({kKeys, kHeads* kSize}, 3);

  ops::AttentionInputs<float> inputs(const Tensor<float>& keys, const Tensor<float>& values) const {
    constexpr std::int64_t kWidth = kHeads * kSize;
    return {{q.data(), kQueries, kWidth},
            {keys.data(), keys.dim(0), kWidth},
            {values.data(), values.dim(0), kWidth},
            kHeads,
            kSize};
  }

  static Tensor<float> run(const ops::AttentionInputs<float>& in,
                           Tensor<float>* probabilities = nullptr) {
    Tensor<float> out({kQueries, kHeads * kSize});
    ops::attention(in, out.data(), probabilities);
    return out;
  }
};

TEST_F(Attention, EqualsASlowLoop) {
  const ops::KeyList some{1, 2, 7, 30, 44};
  const ops::KeyList all = ops::all_rows(kKeys);
  for (const ops::KeyList* const keys : {&all, &some}) {
    ops::AttentionInputs<float> in = inputs(k, v);
    in.attended = keys;
    const Tensor<float> out = run(in);
    for (const std::int64_t row : {0L, 55L, 56L, 69L}) {
      for (std::int64_t column = 0; column < kHeads * kSize; ++column) {
        ASSERT_NEAR(static_cast<double>(out(row, column)),
                    slow_context(q, k, v, *keys, column / kSize, kSize, row, column % kSize), 2e-6);
      }
    }
  }
}

/// Scores are within 3 here, so that what bfloat16 rounds changes them by hundredths.
TEST_F(Attention, MayRoundKeysAndValuesToBFloat16) {
  ops::AttentionInputs<float> in = inputs(k, v);
  const Tensor<float> full = run(in);
  in.dtype = DType::kBF16;
  const Tensor<float> rounded = run(in);
  bool same = true;
  for (std::size_t i = 0; i < full.size(); ++i) {
    ASSERT_NEAR(rounded.data()[i], full.data()[i], 0.02F);
    same = same && rounded.data()[i] == full.data()[i];
  }
  EXPECT_FALSE(same);
}

TEST_F(Attention, ProbabilitiesAreZeroWhereNotAttendedAndSumToOne) {
  const ops::KeyList some{0, 44};
  ops::AttentionInputs<float> in = inputs(k, v);
  in.attended = &some;
  Tensor<float> probabilities;
  run(in, &probabilities);
  ASSERT_EQ(probabilities.shape(), (Shape{kHeads, kQueries, kKeys}));
  for (std::int64_t row = 0; row < kQueries; ++row) {
    EXPECT_NEAR(probabilities(2, row, 0) + probabilities(2, row, 44), 1.0F, 1e-6F);
    for (std::int64_t key = 1; key < 44; ++key) ASSERT_EQ(probabilities(2, row, key), 0.0F);
  }
}

TEST_F(Attention, KeysThatAreNotAttendedChangeNoBit) {
  const ops::KeyList first = ops::all_rows(20);
  ops::AttentionInputs<float> masked = inputs(k, v);
  masked.attended = &first;
  const Tensor<float> expected = run(masked);
  const Tensor<float> k20 = ops::gather_rows(k.data(), kHeads * kSize, kHeads * kSize, first);
  const Tensor<float> v20 = ops::gather_rows(v.data(), kHeads * kSize, kHeads * kSize, first);
  const Tensor<float> out = run(inputs(k20, v20));
  EXPECT_TRUE(std::equal(out.begin(), out.end(), expected.begin()));
}

TEST_F(Attention, RefusesKeysThatDoNotExist) {
  for (const std::int64_t key : {std::int64_t{-1}, kKeys, kKeys + 1}) {
    const ops::KeyList keys{0, key};
    ops::AttentionInputs<float> in = inputs(k, v);
    in.attended = &keys;
    testing::expect_error(ErrorCode::kInput,
                          "attention: attended key: expected 0 to " + std::to_string(kKeys - 1) +
                              ", got " + std::to_string(key),
                          [&] { run(in); });
  }
}

}  // namespace
}  // namespace bridgetower

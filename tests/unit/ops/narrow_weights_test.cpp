// Matrices kept in bfloat16 and int8: what their products are, exactly where that can be said.
#include <gtest/gtest.h>

#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <limits>

#include "tests/support/expect_error.hpp"
#include "tests/support/packed_matrix.hpp"
#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

using testing::packed_matrix;
using testing::product;
using testing::random_tensor;

Tensor<float> rounded(const Tensor<float>& values) {
  Tensor<float> result = values;
  for (float& v : result) v = detail::float_from_bfloat(detail::bfloat_from_float(v));
  return result;
}

/// What int8 makes of a weight: 127 steps to each side of a row's largest magnitude.
Tensor<float> in_steps(const Tensor<float>& w) {
  Tensor<float> result = w;
  for (std::int64_t o = 0; o < w.dim(0); ++o) {
    float largest = 0;
    for (std::int64_t i = 0; i < w.dim(1); ++i) largest = std::max(largest, std::abs(w(o, i)));
    const float step = largest / 127;
    for (std::int64_t i = 0; i < w.dim(1); ++i) {
      result(o, i) = step == 0 ? 0 : std::round(w(o, i) / step) * step;
    }
  }
  return result;
}

void expect_same_bits(const Tensor<float>& actual, const Tensor<float>& expected) {
  ASSERT_EQ(actual.shape(), expected.shape());
  EXPECT_TRUE(std::equal(actual.begin(), actual.end(), expected.begin()));
}

/// What a row's largest magnitude becomes where inputs are rounded to integers: the kernels take
/// them in pairs of int16 or in fours of int8.
float input_steps() { return detail::kernels().int8.inputs == 4 ? 127.0F : 32767.0F; }

bool rounds_to_bfloat16() { return detail::kernels().bfloat16.inputs == 2; }

/// Within what rounding the rows of x and the sums to float32 can change.
void expect_product(const Tensor<float>& y, const Tensor<float>& x, const Tensor<float>& w) {
  for (std::int64_t r = 0; r < x.dim(0); ++r) {
    double largest = 0;
    for (std::int64_t i = 0; i < x.dim(1); ++i) {
      largest = std::max(largest, static_cast<double>(std::abs(x(r, i))));
    }
    for (std::int64_t o = 0; o < w.dim(0); ++o) {
      double sum = 0, magnitudes = 0;
      for (std::int64_t i = 0; i < x.dim(1); ++i) {
        const auto weight = static_cast<double>(w(o, i));
        sum += static_cast<double>(x(r, i)) * weight;
        magnitudes += std::abs(weight);
      }
      const double half_step = largest / static_cast<double>(input_steps()) / 2;
      ASSERT_NEAR(static_cast<double>(y(r, o)), sum, magnitudes * (half_step + largest * 1e-6))
          << r << " " << o;
    }
  }
}

TEST(NarrowWeights, BFloat16GivesTheProductsOfRoundedWeights) {
  for (const std::int64_t rows : {1, 5, 13, 29, 350}) {
    for (const std::int64_t outputs : {1, 16, 33, 70}) {
      for (const std::int64_t inputs : {1, 7, 14, 385, 800}) {
        const auto x = random_tensor<float>({rows, inputs}, 1);
        const auto w = random_tensor<float>({outputs, inputs}, 2);
        const Tensor<float> y = product(packed_matrix(w, DType::kBF16), x);
        if (!rounds_to_bfloat16()) {
          expect_same_bits(y, product(packed_matrix(rounded(w), DType::kF32), x));
          continue;
        }
        const Tensor<float> exact = product(packed_matrix(rounded(w), DType::kF32), rounded(x));
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t o = 0; o < outputs; ++o) {
            ASSERT_NEAR(y(r, o), exact(r, o), 1e-6F * static_cast<float>(inputs)) << r << " " << o;
          }
        }
      }
    }
  }
}

TEST(NarrowWeights, Int8RoundsWeightsAndInputsToStepsOfTheirRow) {
  for (const std::int64_t rows : {1, 5, 13, 29, 350}) {
    for (const std::int64_t outputs : {1, 16, 33, 70}) {
      for (const std::int64_t inputs : {1, 4, 7, 14, 64, 385, 1801}) {
        const auto x = random_tensor<float>({rows, inputs}, 1, 3.0);
        const auto w = random_tensor<float>({outputs, inputs}, 2, 0.02);
        expect_product(product(packed_matrix(w, DType::kI8), x), x, in_steps(w));
      }
    }
  }
}

/// Whole numbers that need no rounding: the largest sums that an int32 has to hold among them.
TEST(NarrowWeights, Int8IsExactOnWholeNumbers) {
  const std::int64_t inputs = 2000;
  Tensor<float> w({40, inputs});
  Tensor<float> x({9, inputs});
  for (std::int64_t i = 0; i < inputs; ++i) {
    for (std::int64_t o = 0; o < 40; ++o) {
      w(o, i) = o == 0 ? 127.0F : static_cast<float>((o * 31 + i * 7) % 255 - 127);
    }
    for (std::int64_t r = 0; r < 9; ++r) {
      x(r, i) = r == 0 ? input_steps() : static_cast<float>((r * 13 + i) % 5 - 2);
    }
  }
  for (std::int64_t o = 0; o < 40; ++o) w(o, 3) = -127;
  for (std::int64_t r = 0; r < 9; ++r) x(r, 5) = input_steps(), x(r, 6) = -input_steps();
  const Tensor<float> y = product(packed_matrix(w, DType::kI8), x);
  for (std::int64_t r = 0; r < 9; ++r) {
    for (std::int64_t o = 0; o < 40; ++o) {
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < inputs; ++i) {
        sum += static_cast<std::int64_t>(x(r, i)) * static_cast<std::int64_t>(w(o, i));
      }
      ASSERT_NEAR(static_cast<double>(y(r, o)), static_cast<double>(sum),
                  1e-6 * 127 * static_cast<double>(input_steps() * (r == 0 ? inputs : 1)))
          << r << " " << o;
    }
  }
}

TEST(NarrowWeights, ScalesTransposesAndReadsItsRows) {
  const auto w = random_tensor<float>({100, 41}, 1);
  const auto x = random_tensor<float>({9, 41}, 3);
  for (const DType dtype : {DType::kBF16, DType::kI8}) {
    const Tensor<float> kept = dtype == DType::kI8 ? in_steps(w) : rounded(w);
    ops::PackedMatrix<float> matrix = packed_matrix(w, dtype);
    Tensor<float> row({41});
    matrix.read_row(57, row.data());
    for (std::int64_t i = 0; i < 41; ++i) ASSERT_FLOAT_EQ(row(i), kept(57, i));

    const ops::Outputs range{5, 40};
    const ops::PackedMatrix<float> transposed = matrix.transposed(range);
    for (std::int64_t i = 0; i < 41; ++i) {
      Tensor<float> column({40});
      transposed.read_row(i, column.data());
      for (std::int64_t o = 0; o < 40; ++o) ASSERT_FLOAT_EQ(column(o), kept(5 + o, i));
    }

    matrix.scale_rows({30, 50}, 0.5F);
    Tensor<float> halved = kept;
    for (std::int64_t o = 30; o < 80; ++o) {
      for (std::int64_t i = 0; i < 41; ++i) halved(o, i) *= 0.5F;
    }
    expect_product(product(matrix, x), x, halved);
  }
}

/// Ranges of outputs that begin inside a panel, and of inputs that begin inside a pair.
TEST(NarrowWeights, MultipliesSomeOutputsAndInputs) {
  const auto w = random_tensor<float>({100, 41}, 1);
  for (const DType dtype : {DType::kBF16, DType::kI8}) {
    const Tensor<float> kept = dtype == DType::kI8 ? in_steps(w) : rounded(w);
    const ops::PackedMatrix<float> matrix = packed_matrix(w, dtype);
    for (const ops::Outputs range : {ops::Outputs{0, 100}, {5, 40}, {32, 32}, {99, 1}}) {
      for (const ops::Inputs inputs :
           {ops::Inputs{0, 41}, {4, 20}, {6, 35}, {7, 13}, {8, 33}, {40, 1}}) {
        const auto x = random_tensor<float>({9, inputs.count}, 3);
        Tensor<float> part({range.count, inputs.count});
        for (std::int64_t o = 0; o < range.count; ++o) {
          for (std::int64_t i = 0; i < inputs.count; ++i) {
            part(o, i) = kept(range.first + o, inputs.first + i);
          }
        }
        Tensor<float> y({9, range.count});
        matrix.multiply(range, inputs, x.data(), inputs.count, 9, {}, y.data(), range.count);
        expect_product(y, x, part);
      }
    }
  }
}

TEST(NarrowWeights, FinishTheirProducts) {
  const auto w = random_tensor<float>({70, 1200}, 1);
  const auto x = random_tensor<float>({23, 1200}, 3);
  const auto bias = random_tensor<float>({70}, 4);
  const auto residual = random_tensor<float>({23, 70}, 5);
  for (const DType dtype : {DType::kBF16, DType::kI8}) {
    const ops::PackedMatrix<float> matrix = packed_matrix(w, dtype);
    const Tensor<float> plain = product(matrix, x);
    ops::Finish<float> finish;
    finish.bias = bias.data();
    finish.residual = residual.data();
    finish.residual_stride = 70;
    const Tensor<float> y = product(matrix, x, finish);
    for (std::int64_t r = 0; r < 23; ++r) {
      for (std::int64_t o = 0; o < 70; ++o) {
        ASSERT_NEAR(y(r, o), plain(r, o) + bias(o) + residual(r, o), 1e-4F);
      }
    }
  }
}

TEST(NarrowWeights, GiveARowTheSameBitsInAnyCompanyAndWithAnyNumberOfThreads) {
  const auto x = random_tensor<float>({40, 1100}, 3);
  const auto w = random_tensor<float>({333, 1100}, 4);
  for (const DType dtype : {DType::kBF16, DType::kI8}) {
    const ops::PackedMatrix<float> matrix = packed_matrix(w, dtype);
    const Tensor<float> all = product(matrix, x);
    for (const int threads : {2, 3, 4}) {
      ThreadPool pool(threads);
      const ParallelScope scope(&pool);
      expect_same_bits(product(matrix, x), all);
    }
    for (const std::int64_t row : {0, 1, 17, 39}) {
      expect_same_bits(product(matrix, x.row(row).reshaped({1, 1100})),
                       all.row(row).reshaped({1, 333}));
    }
  }
}

TEST(NarrowWeights, ZeroAndTinyRowsCountAsZeroAndBadInputsGiveNoNumbers) {
  Tensor<float> w({4, 6});
  for (std::int64_t i = 0; i < 6; ++i) w(1, i) = std::numeric_limits<float>::denorm_min();
  for (std::int64_t i = 0; i < 6; ++i) w(2, i) = 1;
  const ops::PackedMatrix<float> matrix = packed_matrix(w, DType::kI8);
  Tensor<float> x({4, 6});
  for (std::int64_t i = 0; i < 6; ++i) x(1, i) = 1e-38F;
  for (std::int64_t i = 0; i < 6; ++i) x(2, i) = 2;
  for (std::int64_t i = 0; i < 6; ++i) x(3, i) = 2;
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
    x(3, 2) = bad;
    const Tensor<float> y = product(matrix, x);
    for (std::int64_t o = 0; o < 4; ++o) {
      EXPECT_EQ(y(0, o), 0.0F);
      EXPECT_NEAR(y(1, o), 0.0F, 1e-36F);
      EXPECT_FLOAT_EQ(y(2, o), o == 2 ? 12.0F : 0.0F);
      EXPECT_TRUE(std::isnan(y(3, o)));
    }
  }
}

TEST(NarrowWeights, OtherTypesBackendsAndScalarsAreRefused) {
  const std::string others =
      "load options: dtype: expected F32, as only the library's own kernels have others, got ";
  testing::expect_error(ErrorCode::kInput, "load options: dtype: expected F32, BF16 or I8, got F16",
                        [] { ops::check_weight_dtype<float>(DType::kF16, Backend::kAuto); });
  testing::expect_error(ErrorCode::kInput, others + "I8",
                        [] { ops::check_weight_dtype<float>(DType::kI8, Backend::kEigen); });
  testing::expect_error(ErrorCode::kInput, others + "BF16", [] {
    const ops::PackedMatrix<double> matrix(4, 4, Backend::kAuto, DType::kBF16);
  });
}

}  // namespace
}  // namespace bridgetower

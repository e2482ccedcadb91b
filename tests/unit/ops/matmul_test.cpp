#include <gtest/gtest.h>

#include <bridgetower/ops/matmul.hpp>

#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

using testing::random_tensor;

/// y = x Wᵀ + b in a slow double loop.
template <class Scalar>
Tensor<double> slow_product(const Tensor<Scalar>& x, const Tensor<Scalar>& w,
                            const Tensor<Scalar>& bias) {
  Tensor<double> y({x.dim(0), w.dim(0)});
  for (std::int64_t n = 0; n < x.dim(0); ++n) {
    for (std::int64_t o = 0; o < w.dim(0); ++o) {
      double sum = static_cast<double>(bias(o));
      for (std::int64_t i = 0; i < w.dim(1); ++i) {
        sum += static_cast<double>(x(n, i)) * static_cast<double>(w(o, i));
      }
      y(n, o) = sum;
    }
  }
  return y;
}

template <class Scalar>
Tensor<Scalar> product(const Tensor<Scalar>& x, const Tensor<Scalar>& w, const Tensor<Scalar>& bias,
                       Backend backend = Backend::kAuto) {
  ops::PackedMatrix<Scalar> packed(w.dim(0), w.dim(1), backend);
  packed.set_rows(0, w.dim(0), w.data(), w.dim(1));
  Tensor<Scalar> y({x.dim(0), w.dim(0)});
  packed.multiply(x.data(), x.dim(1), x.dim(0), {bias.data()}, y.data(), w.dim(0));
  return y;
}

template <class Scalar>
void expect_near(const Tensor<Scalar>& actual, const Tensor<double>& expected, double tolerance) {
  ASSERT_EQ(actual.shape(), expected.shape());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual.data()[i]), expected.data()[i], tolerance) << i;
  }
}

TEST(PackedMatrix, MultipliesEveryShapeOfTileAndPanel) {
  for (const std::int64_t rows : {1, 2, 5, 13, 14, 15, 29, 43}) {
    for (const std::int64_t outputs : {1, 3, 16, 31, 32, 33, 70}) {
      for (const std::int64_t inputs : {1, 7, 64, 385, 800}) {
        const auto seed = static_cast<std::uint32_t>(rows * 10000 + outputs * 100 + inputs);
        const auto x = random_tensor<double>({rows, inputs}, seed);
        const auto w = random_tensor<double>({outputs, inputs}, seed + 1);
        const auto bias = random_tensor<double>({outputs}, seed + 2);
        const auto xf = x.cast<float>();
        const auto wf = w.cast<float>();
        const auto bf = bias.cast<float>();
        expect_near(product(x, w, bias), slow_product(x, w, bias),
                    1e-12 * static_cast<double>(inputs));
        expect_near(product(xf, wf, bf), slow_product(xf, wf, bf),
                    1e-6 * static_cast<double>(inputs));
        expect_near(product(xf, wf, bf, Backend::kEigen), slow_product(xf, wf, bf),
                    1e-6 * static_cast<double>(inputs));
      }
    }
  }
}

TEST(PackedMatrix, TakesATransposedSourceInParts) {
  const auto values = random_tensor<float>({20, 50}, 1);  // W is its transpose, [50, 20]
  Tensor<float> w({50, 20});
  for (std::int64_t i = 0; i < 20; ++i) {
    for (std::int64_t o = 0; o < 50; ++o) w(o, i) = values(i, o);
  }
  ops::PackedMatrix<float> packed(50, 20);
  packed.set_rows(0, 37, values.data(), 1, 50);
  packed.set_rows(37, 13, values.data() + 37, 1, 50);
  const auto x = random_tensor<float>({3, 20}, 2);
  const Tensor<float> bias({50});
  Tensor<float> y({3, 50});
  packed.multiply(x.data(), 20, 3, {bias.data()}, y.data(), 50);
  expect_near(y, slow_product(x, w, bias), 1e-5);
}

/// Ranges that begin and end inside panels and at their borders.
TEST(PackedMatrix, MultipliesScalesAndTransposesSomeOfItsRows) {
  const auto w = random_tensor<float>({100, 40}, 1);
  const auto bias = random_tensor<float>({100}, 2);
  const auto x = random_tensor<float>({9, 40}, 3);
  const Tensor<double> all = slow_product(x, w, bias);
  for (const Backend backend : {Backend::kAuto, Backend::kEigen}) {
    ops::PackedMatrix<float> packed(100, 40, backend);
    packed.set_rows(0, 100, w.data(), 40);
    for (const ops::Outputs range : {ops::Outputs{0, 100}, {32, 64}, {5, 40}, {64, 36}, {99, 1}}) {
      Tensor<float> y({9, range.count});
      packed.multiply(range, x.data(), 40, 9, {bias.data() + range.first}, y.data(), range.count);
      const ops::PackedMatrix<float> transposed = packed.transposed(range);
      const auto z = random_tensor<float>({9, range.count}, 4);
      Tensor<float> back({9, 40});
      transposed.multiply(z.data(), range.count, 9, {}, back.data(), 40);
      for (std::int64_t r = 0; r < 9; ++r) {
        for (std::int64_t o = 0; o < range.count; ++o) {
          ASSERT_NEAR(static_cast<double>(y(r, o)), all(r, range.first + o), 1e-5);
        }
        for (std::int64_t i = 0; i < 40; ++i) {
          double sum = 0;
          for (std::int64_t o = 0; o < range.count; ++o) {
            sum += static_cast<double>(z(r, o)) * static_cast<double>(w(range.first + o, i));
          }
          ASSERT_NEAR(static_cast<double>(back(r, i)), sum, 2e-5);
        }
      }
    }
    packed.scale_rows({30, 50}, 0.5F);
    Tensor<float> y({9, 100});
    packed.multiply(x.data(), 40, 9, {bias.data()}, y.data(), 100);
    for (std::int64_t o = 0; o < 100; ++o) {
      const double plain = all(0, o) - static_cast<double>(bias(o));
      const double expected = o >= 30 && o < 80 ? plain / 2 : plain;
      ASSERT_NEAR(static_cast<double>(y(0, o)), expected + static_cast<double>(bias(o)), 1e-5);
    }
  }
}

/// activation(product + bias + residual), each there or not, on whole and cut-off panels and with
/// sums in one part and in several.
TEST(PackedMatrix, FinishesItsProducts) {
  const auto square = [](float* values, std::int64_t size) {
    for (std::int64_t i = 0; i < size; ++i) values[i] *= values[i];
  };
  for (const std::int64_t inputs : {40, 600}) {
    const auto w = random_tensor<float>({100, inputs}, 1, 0.1);
    const auto x = random_tensor<float>({23, inputs}, 3, 0.1);
    const auto bias = random_tensor<float>({100}, 2);
    const auto residual = random_tensor<float>({23, 130}, 4);
    const Tensor<double> plain = slow_product(x, w, Tensor<float>({100}));
    for (const Backend backend : {Backend::kAuto, Backend::kEigen}) {
      ops::PackedMatrix<float> packed(100, inputs, backend);
      packed.set_rows(0, 100, w.data(), inputs);
      for (int parts = 0; parts < 8; ++parts) {
        for (const ops::Outputs range : {ops::Outputs{0, 100}, {5, 40}}) {
          ops::Finish<float> finish;
          if ((parts & 1) != 0) finish.bias = bias.data() + range.first;
          if ((parts & 2) != 0) finish.residual = residual.data() + range.first;
          finish.residual_stride = 130;
          if ((parts & 4) != 0) finish.activation = square;
          Tensor<float> y({23, range.count});
          packed.multiply(range, x.data(), inputs, 23, finish, y.data(), range.count);
          for (std::int64_t r = 0; r < 23; ++r) {
            for (std::int64_t o = 0; o < range.count; ++o) {
              double expected = plain(r, range.first + o);
              if ((parts & 1) != 0) expected += static_cast<double>(bias(range.first + o));
              if ((parts & 2) != 0) expected += static_cast<double>(residual(r, range.first + o));
              if ((parts & 4) != 0) expected *= expected;
              ASSERT_NEAR(static_cast<double>(y(r, o)), expected, 2e-5);
            }
          }
        }
      }
    }
  }
}

TEST(PackedMatrix, CountsItsMultiplyAddsWhereverTheyRun) {
  const auto w = random_tensor<float>({100, 40}, 1);
  ops::PackedMatrix<float> packed(100, 40);
  packed.set_rows(0, 100, w.data(), 40);
  const auto x = random_tensor<float>({9, 40}, 3);
  Tensor<float> y({9, 100});
  ThreadPool pool(3);
  const ParallelScope scope(&pool);
  const std::uint64_t before = multiply_adds();
  packed.multiply(x.data(), 40, 9, {}, y.data(), 100);
  EXPECT_EQ(multiply_adds() - before, 9U * 100 * 40);
  parallel_for(4, [&](std::int64_t) {
    Tensor<float> own({9, 100});
    packed.multiply({10, 20}, x.data(), 40, 9, {}, own.data(), 100);
  });
  EXPECT_EQ(multiply_adds() - before, 9U * 100 * 40 + 4U * 9 * 20 * 40);
}

TEST(PackedMatrix, GivesARowTheSameBitsInAnyCompanyAndWithAnyNumberOfThreads) {
  const auto x = random_tensor<float>({40, 500}, 3);
  const auto w = random_tensor<float>({333, 500}, 4);
  const auto bias = random_tensor<float>({333}, 5);
  const Tensor<float> all = product(x, w, bias);
  for (const int threads : {2, 3, 4}) {
    ThreadPool pool(threads);
    const ParallelScope scope(&pool);
    const Tensor<float> again = product(x, w, bias);
    EXPECT_TRUE(std::equal(all.begin(), all.end(), again.begin())) << threads << " threads";
  }
  for (const std::int64_t row : {0, 1, 17, 39}) {
    const Tensor<float> alone = product(x.row(row).reshaped({1, 500}), w, bias);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.data() + row * 333)) << "row " << row;
  }
}

TEST(PackedMatrix, DoesNothingWithoutRows) {
  const ops::PackedMatrix<float> packed(4, 4);
  packed.multiply(nullptr, 4, 0, {}, nullptr, 4);
}

}  // namespace
}  // namespace bridgetower

// The operations that work row by row or element by element, against slow double formulas.
#include <gtest/gtest.h>

#include <bridgetower/ops/activations.hpp>
#include <bridgetower/ops/cross_entropy.hpp>
#include <bridgetower/ops/l2_normalize.hpp>
#include <bridgetower/ops/layer_norm.hpp>
#include <bridgetower/ops/reduce.hpp>
#include <bridgetower/ops/rows.hpp>
#include <bridgetower/ops/softmax.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/expect_error.hpp"
#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

using ops::Activation;
using testing::expect_error;
using testing::random_tensor;

template <class Scalar>
class Rowwise : public ::testing::Test {
 protected:
  static constexpr double kTolerance = std::is_same_v<Scalar, float> ? 2e-6 : 1e-13;
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Rowwise, Scalars);

TEST(ForRowBlocks, CoversEveryRowOnceHoweverLongItIs) {
  for (const std::int64_t row_size : {0, 1, 100, 16384, 20000}) {
    std::vector<int> calls(33);
    ops::for_row_blocks(33, row_size, [&](std::int64_t begin, std::int64_t end) {
      EXPECT_LT(begin, end);
      for (; begin < end; ++begin) ++calls.at(static_cast<std::size_t>(begin));
    });
    EXPECT_EQ(calls, std::vector<int>(33, 1)) << row_size;
  }
}

TYPED_TEST(Rowwise, SoftmaxOfEveryLength) {
  for (std::int64_t size = 1; size <= 70; ++size) {
    auto row = random_tensor<TypeParam>({size}, static_cast<std::uint32_t>(size), 5.0);
    std::vector<double> expected;
    double total = 0;
    for (const TypeParam v : row) {
      expected.push_back(std::exp(static_cast<double>(v)));
      total += expected.back();
    }
    ops::softmax(row.data(), size);
    for (std::int64_t i = 0; i < size; ++i) {
      ASSERT_NEAR(static_cast<double>(row(i)), expected[static_cast<std::size_t>(i)] / total,
                  this->kTolerance);
    }
  }
}

TYPED_TEST(Rowwise, SoftmaxOfHugeAndEqualValues) {
  Tensor<TypeParam> huge({3}, {TypeParam(1e30), TypeParam(-1e30), TypeParam(1e30)});
  ops::softmax(huge.data(), 3);
  EXPECT_NEAR(static_cast<double>(huge(0)), 0.5, 1e-6);
  EXPECT_NEAR(static_cast<double>(huge(1)), 0.0, 1e-30);
  Tensor<TypeParam> one({1}, {TypeParam(-7)});
  ops::softmax(one.data(), 1);
  EXPECT_EQ(one(0), TypeParam(1));
}

/// How many floats lie between a value and the exact one.
double ulps(float actual, double exact) {
  const auto nearest = static_cast<float>(exact);
  const float next = std::nextafter(nearest, std::numeric_limits<float>::infinity());
  return std::abs(static_cast<double>(actual) - exact) /
         (static_cast<double>(next) - static_cast<double>(nearest));
}

/// softmax of (x, 0) is e^x / (1 + e^x): two roundings beside those of e^x.
TEST(FloatKernels, ExpIsWithinThreeUlps) {
  double worst = 0;
  for (double x = -86.9; x < 0; x += 0.00137) {
    Tensor<float> row({2}, {static_cast<float>(x), 0.0F});
    const double power = std::exp(static_cast<double>(row(0)));
    ops::softmax(row.data(), 2);
    worst = std::max(worst, ulps(row(0), power / (1 + power)));
  }
  EXPECT_LE(worst, 3);
  RecordProperty("worst", std::to_string(worst));
}

/// x (1 + erf(x / sqrt 2)) / 2, from where erf is -1 + 6e-7 on; below, the result is next to
/// nothing.
TEST(FloatKernels, GeluIsWithinTwelveUlps) {
  const auto gelu = ops::activation_function<float>(Activation::kGelu);
  double worst = 0, worst_above_zero = 0;
  for (double x = -5; x < 12; x += 0.000317) {
    auto value = static_cast<float>(x);
    const double exact = static_cast<double>(value) * 0.5 *
                         std::erfc(static_cast<double>(value) * -0.70710678118654752440);
    gelu(&value, 1);
    double& largest = x < 0 ? worst : worst_above_zero;
    if (exact != 0) largest = std::max(largest, ulps(value, exact));
  }
  EXPECT_LE(worst, 11);
  EXPECT_LE(worst_above_zero, 5);
  RecordProperty("worst", std::to_string(worst) + ", " + std::to_string(worst_above_zero));
}

TYPED_TEST(Rowwise, LayerNormOfEveryLength) {
  for (std::int64_t size = 1; size <= 70; ++size) {
    const auto seed = static_cast<std::uint32_t>(size);
    const auto row = random_tensor<TypeParam>({size}, seed, 3.0);
    const auto weight = random_tensor<TypeParam>({size}, seed + 100);
    const auto bias = random_tensor<TypeParam>({size}, seed + 200);
    double mean = 0;
    double variance = 0;
    for (const TypeParam v : row) mean += static_cast<double>(v) / static_cast<double>(size);
    for (const TypeParam v : row) {
      variance += std::pow(static_cast<double>(v) - mean, 2) / static_cast<double>(size);
    }
    Tensor<TypeParam> out({size});
    ops::layer_norm(row.data(), out.data(), size, weight.data(), bias.data(), TypeParam(0.01));
    for (std::int64_t i = 0; i < size; ++i) {
      const double expected = (static_cast<double>(row(i)) - mean) / std::sqrt(variance + 0.01) *
                                  static_cast<double>(weight(i)) +
                              static_cast<double>(bias(i));
      ASSERT_NEAR(static_cast<double>(out(i)), expected, 4 * this->kTolerance);
    }
  }
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double slow_activation(Activation activation, double x) {
  switch (activation) {
    case Activation::kGelu:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::kGeluTanh:
      return 0.5 * x *
             (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x * sigmoid(1.702 * x);
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kTanh:
      return std::tanh(x);
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kLinear:
      break;
  }
  return x;
}

TYPED_TEST(Rowwise, EveryActivation) {
  for (const char* name : {"gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "quick_gelu",
                           "relu", "silu", "swish", "tanh", "sigmoid"}) {
    const Activation activation = ops::activation_from_name(name);
    Tensor<TypeParam> x({4001});
    for (std::int64_t i = 0; i < 4001; ++i)
      x(i) = static_cast<TypeParam>(i - 2000) / TypeParam(100);
    Tensor<TypeParam> y = x;
    ops::activation_function<TypeParam>(activation)(y.data(), 4001);
    for (std::int64_t i = 0; i < 4001; ++i) {
      const double expected = slow_activation(activation, static_cast<double>(x(i)));
      const double bound = this->kTolerance * std::max(1e-3, std::abs(expected));
      ASSERT_NEAR(static_cast<double>(y(i)), expected, bound) << name << " at " << x(i);
    }
  }
}

TYPED_TEST(Rowwise, ActivationsOfHugeValuesAreFinite) {
  for (const Activation a :
       {Activation::kGelu, Activation::kGeluTanh, Activation::kQuickGelu, Activation::kSilu}) {
    Tensor<TypeParam> x({2}, {TypeParam(-1e4), TypeParam(1e4)});
    ops::activation_function<TypeParam>(a)(x.data(), 2);
    EXPECT_NEAR(static_cast<double>(x(0)), 0.0, 1e-30);
    EXPECT_NEAR(static_cast<double>(x(1)), 1e4, 1e-2);
  }
}

TEST(Activation, LinearIsNoFunction) {
  EXPECT_EQ(ops::activation_function<float>(ops::activation_from_name("linear")), nullptr);
}

TEST(Activation, RefusesAnUnknownName) {
  expect_error(ErrorCode::kConfig,
               "config: hidden_act: expected the name of an activation, got mish",
               [] { ops::activation_from_name("mish"); });
}

TYPED_TEST(Rowwise, L2Normalize) {
  Tensor<TypeParam> row({2}, {TypeParam(3), TypeParam(-4)});
  ops::l2_normalize(row.data(), 2);
  EXPECT_NEAR(static_cast<double>(row(0)), 0.6, 1e-7);
  EXPECT_NEAR(static_cast<double>(row(1)), -0.8, 1e-7);
  Tensor<TypeParam> zeros({2});
  ops::l2_normalize(zeros.data(), 2);
  EXPECT_EQ(zeros(0), TypeParam(0));
}

TYPED_TEST(Rowwise, CrossEntropy) {
  const Tensor<TypeParam> logits(
      {3, 2}, {TypeParam(1), TypeParam(3), TypeParam(0), TypeParam(0), TypeParam(5), TypeParam(1)});
  const double first = std::log(1 + std::exp(-2.0));
  const double last = std::log(1 + std::exp(-4.0));
  EXPECT_NEAR(
      static_cast<double>(ops::cross_entropy(logits, Tensor<std::int64_t>({3}, {1, -100, 0}))),
      (first + last) / 2, 1e-6);
  EXPECT_TRUE(
      std::isnan(ops::cross_entropy(logits, Tensor<std::int64_t>({3}, {-100, -100, -100}))));
  expect_error(ErrorCode::kInput, "labels: label 1: expected -100 or 0 to 1, got 2", [&] {
    ops::cross_entropy(logits, Tensor<std::int64_t>({3}, {0, 2, 0}));
  });
}

TEST(Argmax, TakesTheFirstOfEqualValuesOfTheLastAxis) {
  const Tensor<float> values({2, 3}, {1, 5, 5, 9, 2, 3});
  const Tensor<std::int64_t> indices = argmax(values, -1);
  EXPECT_EQ(indices.shape(), (Shape{2}));
  EXPECT_EQ(indices(0), 1);
  EXPECT_EQ(indices(1), 0);
  expect_error(ErrorCode::kShape,
               "argmax: axis 0 of [2, 3]: expected the last axis, not empty, got 0",
               [&] { argmax(values, 0); });
}

TEST(Dot, RefusesDifferentShapes) {
  const Tensor<float> a({2}, {1, 2});
  EXPECT_EQ(dot(a, a), 5.0F);
  expect_error(ErrorCode::kShape, "dot: shapes: expected [2], got [3]",
               [&] { dot(a, Tensor<float>({3})); });
}

}  // namespace
}  // namespace bridgetower

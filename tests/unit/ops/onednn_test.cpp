#include <dlfcn.h>
#include <gtest/gtest.h>

#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/core/detail/int8.hpp>
#include <bridgetower/core/parallel.hpp>
#include <bridgetower/ops/activations.hpp>
#include <bridgetower/ops/matmul.hpp>
#include <cmath>
#include <filesystem>
#include <limits>

#include "tests/support/expect_error.hpp"
#include "tests/support/packed_matrix.hpp"
#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

using ops::detail::OneDnnMatrix;
using testing::product;
using testing::random_tensor;

ops::PackedMatrix<float> packed(const Tensor<float>& w, DType dtype) {
  return testing::packed_matrix(w, dtype, Backend::kOneDnn);
}

/// The values that a matrix of this type keeps.
Tensor<float> kept(Tensor<float> w, DType dtype) {
  const std::int64_t inputs = w.dim(1);
  Tensor<std::int8_t> steps({inputs});
  for (std::int64_t o = 0; o < w.dim(0); ++o) {
    float* const row = w.data() + o * inputs;
    const float step = dtype == DType::kI8 ? detail::to_int8(row, inputs, steps.data()) : 0.0F;
    for (std::int64_t i = 0; i < inputs; ++i) {
      if (dtype == DType::kI8) row[i] = static_cast<float>(steps(i)) * step;
      if (dtype == DType::kBF16) {
        row[i] = detail::float_from_bfloat(detail::bfloat_from_float(row[i]));
      }
    }
  }
  return w;
}

/// How far a row of x may be from what it is rounded to, each value by as much.
double rounding(const float* row, std::int64_t inputs, DType dtype) {
  const auto [low, high] = std::minmax_element(row, row + inputs);
  const double lowest = std::min(0.0, static_cast<double>(*low));
  const double highest = std::max(0.0, static_cast<double>(*high));
  if (dtype == DType::kI8) return (highest - lowest) / 254 * 0.51;
  return (dtype == DType::kBF16 ? 1.0 / 256 : 0.0) * std::max(highest, -lowest);
}

/// y is x Wᵀ up to the rounding of x, which the sum of |w| magnifies, and of the sums.
void expect_product(const Tensor<float>& y, const Tensor<float>& x, const Tensor<float>& w,
                    DType dtype) {
  const std::int64_t inputs = x.dim(1);
  ASSERT_EQ(y.shape(), (Shape{x.dim(0), w.dim(0)}));
  for (std::int64_t r = 0; r < x.dim(0); ++r) {
    const double each = rounding(x.data() + r * inputs, inputs, dtype);
    for (std::int64_t o = 0; o < w.dim(0); ++o) {
      double sum = 0, weights = 0, magnitude = 0;
      for (std::int64_t i = 0; i < inputs; ++i) {
        const double value = static_cast<double>(w(o, i));
        sum += static_cast<double>(x(r, i)) * value;
        weights += std::abs(value);
        magnitude += std::abs(static_cast<double>(x(r, i)) * value);
      }
      ASSERT_NEAR(static_cast<double>(y(r, o)), sum, each * weights + 3e-6 * magnitude + 1e-30)
          << r << " " << o;
    }
  }
}

void expect_same_bits(const Tensor<float>& actual, const Tensor<float>& expected) {
  ASSERT_EQ(actual.shape(), expected.shape());
  EXPECT_TRUE(std::equal(actual.begin(), actual.end(), expected.begin()));
}

/// The types for which oneDNN has products on this processor: float32 at least.
std::vector<DType> types() {
  std::vector<DType> all;
  for (const DType dtype : {DType::kF32, DType::kBF16, DType::kI8}) {
    try {
      OneDnnMatrix::check(dtype);
      all.push_back(dtype);
    } catch (const InputError& error) {
      EXPECT_NE(dtype, DType::kF32) << error.what();
    }
  }
  return all;
}

TEST(OneDnn, MultipliesRaggedShapes) {
  for (const DType dtype : types()) {
    for (const std::int64_t rows : {1, 2, 4, 5, 9, 12, 13, 25, 37, 48, 49, 101}) {
      for (const std::int64_t outputs : {1, 3, 63, 64, 65, 130}) {
        for (const std::int64_t inputs : {1, 7, 64, 385}) {
          const auto x = random_tensor<float>({rows, inputs}, 1, 3.0);
          const auto w = random_tensor<float>({outputs, inputs}, 2, 0.2);
          SCOPED_TRACE(to_string(dtype) + (" " + to_string({rows, outputs, inputs})));
          expect_product(product(packed(w, dtype), x), x, kept(w, dtype), dtype);
        }
      }
    }
  }
}

TEST(OneDnn, MultipliesTheModelsShapes) {
  for (const DType dtype : types()) {
    for (const auto& [outputs, inputs] : {std::pair{96, 768}, {70, 3072}}) {
      const auto x = random_tensor<float>({61, inputs}, 1);
      const auto w = random_tensor<float>({outputs, inputs}, 2, 0.02);
      SCOPED_TRACE(to_string(dtype));
      expect_product(product(packed(w, dtype), x), x, kept(w, dtype), dtype);
    }
  }
}

TEST(OneDnn, TakesRowsAndStridesOfAnyKind) {
  const auto values = random_tensor<float>({20, 150}, 1);  // W is its transpose, [150, 20]
  Tensor<float> w({150, 20});
  for (std::int64_t i = 0; i < 20; ++i) {
    for (std::int64_t o = 0; o < 150; ++o) w(o, i) = values(i, o);
  }
  const auto x = random_tensor<float>({55, 31}, 2);
  Tensor<float> narrow({55, 20});
  for (std::int64_t r = 0; r < 55; ++r) std::copy_n(x.data() + r * 31, 20, narrow.data() + r * 20);
  for (const DType dtype : types()) {
    ops::PackedMatrix<float> matrix(150, 20, Backend::kOneDnn, dtype);
    matrix.set_rows(0, 37, values.data(), 1, 150);
    matrix.set_rows(37, 113, values.data() + 37, 1, 150);
    Tensor<float> wide({55, 160});
    matrix.multiply(x.data(), 31, 55, {}, wide.data(), 160);
    Tensor<float> y({55, 150});
    for (std::int64_t r = 0; r < 55; ++r) {
      std::copy_n(wide.data() + r * 160, 150, y.data() + r * 150);
      for (std::int64_t o = 150; o < 160; ++o) ASSERT_EQ(wide(r, o), 0.0F);
    }
    expect_product(y, narrow, kept(w, dtype), dtype);
  }
}

/// activation(product + bias + residual), each there or not, on some of the outputs.
TEST(OneDnn, FinishesItsProducts) {
  const auto square = [](float* values, std::int64_t size) {
    for (std::int64_t i = 0; i < size; ++i) values[i] *= values[i];
  };
  const auto w = random_tensor<float>({150, 100}, 1, 0.1);
  const auto x = random_tensor<float>({53, 100}, 3);
  const auto bias = random_tensor<float>({150}, 4);
  const auto residual = random_tensor<float>({53, 170}, 5);
  for (const DType dtype : types()) {
    const ops::PackedMatrix<float> matrix = packed(w, dtype);
    const Tensor<float> plain = product(matrix, x);
    for (int parts = 0; parts < 8; ++parts) {
      for (const ops::Outputs range : {ops::Outputs{0, 150}, {5, 140}, {64, 64}, {149, 1}}) {
        ops::Finish<float> finish;
        if ((parts & 1) != 0) finish.bias = bias.data() + range.first;
        if ((parts & 2) != 0) finish.residual = residual.data() + range.first;
        finish.residual_stride = 170;
        if ((parts & 4) != 0) finish.activation = square;
        Tensor<float> y({53, range.count});
        matrix.multiply(range, x.data(), 100, 53, finish, y.data(), range.count);
        for (std::int64_t r = 0; r < 53; ++r) {
          for (std::int64_t o = 0; o < range.count; ++o) {
            float expected = plain(r, range.first + o);
            if ((parts & 1) != 0) expected += bias(range.first + o);
            if ((parts & 2) != 0) expected += residual(r, range.first + o);
            if ((parts & 4) != 0) expected *= expected;
            ASSERT_EQ(y(r, o), expected) << parts << " " << r << " " << o;
          }
        }
      }
    }
  }
}

TEST(OneDnn, MultipliesSomeInputs) {
  const auto w = random_tensor<float>({100, 141}, 1);
  for (const DType dtype : types()) {
    const Tensor<float> all = kept(w, dtype);
    const ops::PackedMatrix<float> matrix = packed(w, dtype);
    for (const ops::Outputs range : {ops::Outputs{0, 100}, {5, 70}}) {
      for (const ops::Inputs inputs : {ops::Inputs{0, 64}, {7, 13}, {140, 1}}) {
        const auto x = random_tensor<float>({9, inputs.count}, 3);
        Tensor<float> part({range.count, inputs.count});
        for (std::int64_t o = 0; o < range.count; ++o) {
          for (std::int64_t i = 0; i < inputs.count; ++i) {
            part(o, i) = all(range.first + o, inputs.first + i);
          }
        }
        Tensor<float> y({9, range.count});
        matrix.multiply(range, inputs, x.data(), inputs.count, 9, {}, y.data(), range.count);
        expect_product(y, x, part, DType::kF32);
      }
    }
  }
}

TEST(OneDnn, ScalesTransposesAndReadsItsRows) {
  const auto w = random_tensor<float>({100, 41}, 1);
  const auto x = random_tensor<float>({9, 41}, 3);
  for (const DType dtype : types()) {
    Tensor<float> all = kept(w, dtype);
    ops::PackedMatrix<float> matrix = packed(w, dtype);
    Tensor<float> row({41});
    matrix.read_row(77, row.data());
    for (std::int64_t i = 0; i < 41; ++i) ASSERT_FLOAT_EQ(row(i), all(77, i));

    const ops::PackedMatrix<float> transposed = matrix.transposed({50, 40});
    EXPECT_EQ(transposed.outputs(), 41);
    EXPECT_EQ(transposed.inputs(), 40);
    Tensor<float> part({41, 40});
    for (std::int64_t i = 0; i < 41; ++i) {
      for (std::int64_t o = 0; o < 40; ++o) part(i, o) = all(50 + o, i);
    }
    const auto z = random_tensor<float>({9, 40}, 4);
    expect_product(product(transposed, z), z, part, DType::kF32);

    matrix.scale_rows({30, 50}, 0.5F);
    for (std::int64_t o = 30; o < 80; ++o) {
      for (std::int64_t i = 0; i < 41; ++i) all(o, i) *= 0.5F;
    }
    expect_product(product(matrix, x), x, all, dtype);
  }
}

/// The largest steps next to each other: instructions before VNNI cut off sums of two such
/// products.
TEST(OneDnn, AddsTheLargestValuesExactly) {
  Tensor<float> x({5, 768});
  Tensor<float> w({70, 768});
  std::fill(x.begin(), x.end(), 1.0F);
  std::fill(w.begin(), w.end(), -1.0F);
  for (const DType dtype : types()) {
    for (const float y : product(packed(w, dtype), x)) ASSERT_NEAR(y, -768.0F, 1e-3F);
  }
}

TEST(OneDnn, TakesInt8RowsAsTheyAre) {
  for (const DType dtype : types()) {
    if (dtype != DType::kI8) continue;
    ops::PackedMatrix<float> matrix(70, 100, Backend::kOneDnn, dtype);
    Tensor<std::int8_t> steps({70, 100});
    Tensor<float> scales({70});
    Tensor<float> w({70, 100});
    for (std::int64_t o = 0; o < 70; ++o) {
      scales(o) = static_cast<float>(o + 1) / 64;
      for (std::int64_t i = 0; i < 100; ++i) {
        steps(o, i) = static_cast<std::int8_t>((o * 31 + i * 7) % 255 - 127);
        w(o, i) = static_cast<float>(steps(o, i)) * scales(o);
      }
    }
    matrix.set_int8_rows(0, 70, steps.data(), scales.data());
    const auto x = random_tensor<float>({13, 100}, 3);
    expect_product(product(matrix, x), x, w, dtype);
  }
}

TEST(OneDnn, GivesARowTheSameBitsInAnyCompanyAndWithAnyNumberOfThreads) {
  const auto x = random_tensor<float>({110, 1100}, 3);
  const auto w = random_tensor<float>({333, 1100}, 4);
  for (const DType dtype : types()) {
    SCOPED_TRACE(to_string(dtype));
    const ops::PackedMatrix<float> matrix = packed(w, dtype);
    const Tensor<float> all = product(matrix, x);
    for (const int threads : {2, 3, 4}) {
      ThreadPool pool(threads);
      const ParallelScope scope(&pool);
      expect_same_bits(product(matrix, x), all);
    }
    for (std::int64_t rows = 1; rows < 110; ++rows) {
      for (const std::int64_t first : {std::int64_t{0}, 110 - rows}) {
        Tensor<float> y({rows, 333});
        matrix.multiply(x.data() + first * 1100, 1100, rows, {}, y.data(), 333);
        ASSERT_TRUE(std::equal(y.begin(), y.end(), all.data() + first * 333)) << rows;
      }
    }
  }
}

/// Thousands of times slower than what it stands in for.
TEST(OneDnn, NeverChoosesAReferenceImplementation) {
  for (const DType dtype : types()) {
    for (const std::int64_t inputs : {1, 64, 100, 385, 768, 1024, 3072, 4096}) {
      const auto chosen = OneDnnMatrix::implementations(inputs, dtype);
      EXPECT_FALSE(chosen.empty());
      for (const auto& [rows, name] : chosen) {
        EXPECT_EQ(name.find("ref"), std::string::npos) << to_string(dtype) << rows << name;
        EXPECT_FALSE(name.empty());
      }
    }
  }
}

/// OpenMP's setting of the calling thread stays, and no thread of OpenMP's is started.
TEST(OneDnn, LeavesOpenMpAsItIs) {
  auto* const get = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
  auto* const set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  const auto threads = [] {
    const std::filesystem::directory_iterator all("/proc/self/task");
    return std::distance(begin(all), end(all));
  };
  const auto before = threads();
  ASSERT_NE(set, nullptr);  // the tested builds of oneDNN have OpenMP
  set(3);
  const auto w = random_tensor<float>({256, 1024}, 1);
  const auto x = random_tensor<float>({200, 1024}, 2);
  for (const DType dtype : types()) product(packed(w, dtype), x);
  EXPECT_EQ(threads(), before);
  EXPECT_EQ(get(), 3);
}

TEST(OneDnn, ZeroAndTinyRowsCountAsZeroAndBadInputsGiveNoNumbers) {
  Tensor<float> w({4, 6});
  for (std::int64_t i = 0; i < 6; ++i) w(1, i) = std::numeric_limits<float>::denorm_min();
  for (std::int64_t i = 0; i < 6; ++i) w(2, i) = 1;
  for (const DType dtype : types()) {
    const ops::PackedMatrix<float> matrix = packed(w, dtype);
    Tensor<float> x({4, 6});
    for (std::int64_t i = 0; i < 6; ++i) x(1, i) = 1e-38F;
    for (std::int64_t i = 0; i < 6; ++i) x(2, i) = x(3, i) = 2;
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
      x(3, 2) = bad;
      const Tensor<float> y = product(matrix, x);
      EXPECT_EQ(y(0, 2), 0.0F);
      EXPECT_NEAR(y(1, 2), 0.0F, 1e-36F);
      EXPECT_FLOAT_EQ(y(2, 2), 12.0F);
      EXPECT_FALSE(std::isfinite(y(3, 2)));
    }
  }
}

TEST(OneDnn, NothingTimesAMatrixAndEmptyMatricesAreFine) {
  for (const DType dtype : types()) {
    const ops::PackedMatrix<float> empty(0, 7, Backend::kOneDnn, dtype);
    EXPECT_EQ(product(empty, Tensor<float>({3, 7})).size(), 0U);
    const auto matrix = packed(random_tensor<float>({5, 7}, 1), dtype);
    EXPECT_EQ(product(matrix, Tensor<float>({0, 7})).size(), 0U);
  }
}

TEST(OneDnn, RefusesWhatItCannotMultiply) {
  using testing::expect_error;
  const std::string start = "load options: ";
  expect_error(
      ErrorCode::kInput,
      start + "backend: expected auto or eigen, as oneDNN multiplies float only, got onednn",
      [] { const ops::PackedMatrix<double> matrix(4, 4, Backend::kOneDnn); });
  expect_error(ErrorCode::kInput, start + "dtype: expected F32, BF16 or I8, got F16",
               [] { ops::check_weight_dtype<float>(DType::kF16, Backend::kOneDnn); });
  const std::vector<DType> there = types();
  for (const DType dtype : {DType::kBF16, DType::kI8}) {
    if (std::find(there.begin(), there.end(), dtype) != there.end()) continue;
    try {
      ops::check_weight_dtype<float>(dtype, Backend::kOneDnn);
      ADD_FAILURE() << to_string(dtype);
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find("as oneDNN has no such products on this processor"),
                std::string::npos);
    }
  }
  if (there.back() == DType::kI8) {
    expect_error(ErrorCode::kInput,
                 start + "dtype: expected F32 or BF16 for matrices this wide, with oneDNN, got I8",
                 [] {
                   packed(Tensor<float>({1, 65537}), DType::kI8);
                 });
  }
}

}  // namespace
}  // namespace bridgetower

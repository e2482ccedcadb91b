#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/ops/detail/kernels.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/random.hpp"

namespace bridgetower {
namespace {

/// ctest runs this with BRIDGETOWER_KERNELS set to each of them, and to a name of none.
TEST(Kernels, AreNoBetterThanTheEnvironmentAllows) {
  const std::vector<std::string> best_first{"avx512bf16", "avx512vnni", "avx512", "avx2",
                                            "baseline"};
  const auto rank = [&best_first](const std::string& name) {
    return std::find(best_first.begin(), best_first.end(), name) - best_first.begin();
  };
  const char* const named = std::getenv("BRIDGETOWER_KERNELS");
  const std::string allowed = named == nullptr ? "" : named;
  const std::string chosen = detail::kernels().name;
  ASSERT_LT(rank(chosen), 5) << chosen;
  if (rank(allowed) < 5) {
    EXPECT_GE(rank(chosen), rank(allowed));
    return;
  }
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    EXPECT_NE(chosen, "baseline");
  }
#endif
}

TEST(Kernels, TransposeAnySizeAndTouchNothingElse) {
  for (const std::int64_t rows : {1, 2, 5, 14, 16, 17, 33}) {
    for (const std::int64_t columns : {1, 3, 4, 15, 16, 31, 50}) {
      const std::int64_t stride = columns + 2, out_stride = rows + 3;
      const auto in = testing::random_tensor<float>({rows, stride}, 1);
      Tensor<float> out({columns, out_stride});
      std::fill(out.begin(), out.end(), 7.0F);
      detail::kernels().transpose(in.data(), stride, rows, columns, out.data(), out_stride);
      for (std::int64_t c = 0; c < columns; ++c) {
        for (std::int64_t r = 0; r < out_stride; ++r) {
          ASSERT_EQ(out(c, r), r < rows ? in(r, c) : 7.0F) << rows << " " << columns;
        }
      }
    }
  }
}

}  // namespace
}  // namespace bridgetower

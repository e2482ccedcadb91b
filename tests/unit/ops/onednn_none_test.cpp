// A build without oneDNN.
#include <gtest/gtest.h>

#include <bridgetower/ops/matmul.hpp>

#include "tests/support/expect_error.hpp"

namespace bridgetower {
namespace {

TEST(NoOneDnn, IsSaid) {
  EXPECT_EQ(ops::detail::OneDnnMatrix::version(), "");
  for (const DType dtype : {DType::kF32, DType::kI8}) {
    testing::expect_error(
        ErrorCode::kInput,
        "load options: backend: expected auto or eigen, as this build has no oneDNN, got onednn",
        [dtype] { ops::check_weight_dtype<float>(dtype, Backend::kOneDnn); });
  }
  EXPECT_THROW(ops::PackedMatrix<float>(4, 4, Backend::kOneDnn), InputError);
}

}  // namespace
}  // namespace bridgetower

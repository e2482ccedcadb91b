#pragma once

#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/ops/detail/packed_panels.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bridgetower::ops::detail {

struct OneDnnPlan;
class OneDnnCalls;

/// A matrix [outputs, inputs] in the layout that oneDNN asks for, in blocks of 64 outputs. A build
/// without oneDNN has the class, and no object of it.
class OneDnnMatrix {
 public:
  /// oneDNN's version; empty in a build without it.
  static std::string version();

  /// Throws InputError where this build, or on this processor oneDNN, has no products of the type:
  /// there must be code for them that is no reference implementation, adds a row's products in the
  /// same order whatever stands beside it, and, for int8, does so exactly.
  static void check(DType dtype);

  /// How many rows are multiplied at once, and by which of oneDNN's implementations. Throws as
  /// check() does.
  static std::vector<std::pair<std::int64_t, std::string>> implementations(std::int64_t inputs,
                                                                           DType dtype);

  OneDnnMatrix() = default;
  /// Throws as check() does.
  OneDnnMatrix(std::int64_t outputs, std::int64_t inputs, DType dtype);

  // All as in PackedMatrix.
  void set_rows(Outputs range, const float* values, std::int64_t output_stride,
                std::int64_t input_stride);
  void set_int8_rows(Outputs range, const std::int8_t* values, const float* scales);
  void scale_rows(Outputs range, float factor);
  void read_row(std::int64_t output, float* out) const;
  PackedPanels transposed(Outputs range) const;
  void multiply(Outputs range, Inputs inputs, const float* x, std::int64_t x_stride,
                std::int64_t rows, const bridgetower::detail::Finish<float>& finish, float* y,
                std::int64_t y_stride) const;

 private:
  class Rows;

  /// The values of one output begin here, each at a place that the plan knows.
  template <class Stored>
  Stored* output(std::int64_t index) noexcept;
  template <class Stored>
  const Stored* output(std::int64_t index) const noexcept;

  float value(std::int64_t output, std::int64_t input) const noexcept;
  /// Some of Wᵀ in floats: [inputs.count, range.count].
  Tensor<float> floats(Outputs range, Inputs inputs) const;
  /// Some rows times one block: those columns of y that lie in the range.
  void multiply_block(OneDnnCalls& calls, std::int64_t block, Outputs range, const Rows& x,
                      std::size_t first_piece, std::size_t last_piece,
                      const bridgetower::detail::Finish<float>& finish, float* y,
                      std::int64_t y_stride) const;

  std::int64_t outputs_ = 0;
  std::int64_t inputs_ = 0;
  std::shared_ptr<const OneDnnPlan> plan_;  // null: no outputs
  Tensor<std::int8_t> values_;              // [blocks, bytes of a block]
  Tensor<float> scales_;                    // int8: [outputs]
  Tensor<std::int32_t> sums_;               // int8: of each output's values
};

}  // namespace bridgetower::ops::detail

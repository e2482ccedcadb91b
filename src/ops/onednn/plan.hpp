// How oneDNN multiplies by matrices of one width and one type.
#pragma once

#include <bridgetower/core/dtype.hpp>
#include <bridgetower/core/tensor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "ops/onednn/adapter.hpp"

namespace bridgetower::ops::detail {

/// Outputs of a block: products are made of whole blocks, the last one filled up with zeros. A
/// head of attention is one block.
constexpr std::int64_t kOneDnnOutputs = 64;

/// Throws the InputError of a type that oneDNN has no products of on this processor.
[[noreturn]] void refuse_onednn(DType dtype);

/// Everything that oneDNN compiles is compiled here, so no product ever waits for that: rows come
/// in pieces of a few sizes, padded.
struct OneDnnPlan {
  /// `rows` rows times one block.
  struct Size {
    std::int64_t rows;
    dnnl::matmul primitive;
    dnnl::memory::desc x, y, scratchpad;
    std::string implementation;
  };

  /// Made when it is first asked for and kept while somebody holds it; from any thread. Throws as
  /// OneDnnMatrix::check does.
  static std::shared_ptr<const OneDnnPlan> of(std::int64_t inputs, DType dtype);

  OneDnnPlan(std::int64_t padded, DType type);

  std::int64_t element_bytes() const noexcept;
  std::int64_t block_bytes() const noexcept {
    return kOneDnnOutputs * padded_inputs * element_bytes();
  }
  /// The size for what is left of the rows.
  std::size_t size_for(std::int64_t rows) const noexcept;

  DType dtype;
  std::int64_t padded_inputs;
  dnnl::engine engine;
  dnnl::memory::desc weights;
  std::vector<std::int64_t> output_offsets;  // of an element in a block
  std::vector<std::int64_t> input_offsets;
  std::vector<Size> sizes;  // fewest rows first

 private:
  void keep_sizes_that_agree();
};

/// What one thread needs to run a plan's products.
class OneDnnCalls {
 public:
  explicit OneDnnCalls(const OneDnnPlan& plan);

  /// x [rows, padded inputs] W: [rows, 64], int32 for int8, until the next call.
  const float* multiply(std::size_t size, const void* x, const void* block);

 private:
  struct Call {
    dnnl::memory x, weights, y;
    std::unordered_map<int, dnnl::memory> arguments;
  };

  const OneDnnPlan& plan_;
  onednn::OneThread one_;
  dnnl::stream stream_;
  Tensor<std::int8_t> scratchpad_;
  Tensor<float> products_;
  std::vector<Call> calls_;
};

}  // namespace bridgetower::ops::detail

#include "ops/onednn/plan.hpp"

#include <algorithm>
#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/core/error.hpp>
#include <cassert>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

namespace bridgetower::ops::detail {
namespace {

using dnnl::memory;

/// Six rows at a time is what the loops for AVX2 like, and any is fine with those for AVX-512. What
/// is filled up is at most a quarter of a piece, or three rows.
constexpr std::int64_t kRows[] = {48, 24, 12, 4};
/// No layout fills up more inputs than these.
constexpr std::int64_t kInputs = 64;
/// With more, a sum of int8 products may leave int32.
constexpr std::int64_t kMostInt8Inputs = 65536;

struct Types {
  memory::data_type x, weights, y;
};

Types types_of(DType dtype) {
  using Type = memory::data_type;
  if (dtype == DType::kI8) return {Type::u8, Type::s8, Type::s32};
  const Type type = dtype == DType::kBF16 ? Type::bf16 : Type::f32;
  return {type, type, Type::f32};
}

[[noreturn]] void refuse(const dnnl::error& error, DType dtype) {
  if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
  refuse_onednn(dtype);
}

/// Thousands of times slower than the others.
bool is_reference(std::string_view implementation) {
  return implementation.find("ref") != std::string_view::npos;
}

/// Made-up values that no order of adding sums to the same bits; of int8 the largest there are.
Tensor<std::int8_t> probe(std::int64_t count, DType dtype, std::uint8_t largest) {
  const std::int64_t bytes = dtype == DType::kF32 ? 4 : dtype == DType::kBF16 ? 2 : 1;
  auto values = Tensor<std::int8_t>::uninitialized({count * bytes});
  if (dtype == DType::kI8) std::memset(values.data(), largest, values.size());
  std::uint32_t state = largest;
  for (std::int64_t i = 0; dtype != DType::kI8 && i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    const float value = static_cast<float>(state >> 8) / 8388608.0F - 1.0F;
    const std::uint16_t narrow = bridgetower::detail::bfloat_from_float(value);
    std::memcpy(values.data() + i * bytes,
                bytes == 4 ? static_cast<const void*>(&value) : static_cast<const void*>(&narrow),
                static_cast<std::size_t>(bytes));
  }
  return values;
}

}  // namespace

void refuse_onednn(DType dtype) {
  const std::string reason = "as oneDNN has no such products on this processor";
  if (dtype == DType::kF32) {
    throw InputError("load options", "backend", "auto or eigen, " + reason, "onednn");
  }
  throw InputError("load options", "dtype", "F32, " + reason, to_string(dtype));
}

std::shared_ptr<const OneDnnPlan> OneDnnPlan::of(std::int64_t inputs, DType dtype) {
  static std::mutex mutex;
  static std::map<std::pair<std::int64_t, DType>, std::weak_ptr<const OneDnnPlan>> plans;
  if (dtype == DType::kI8 && inputs > kMostInt8Inputs) {
    throw InputError("load options", "dtype", "F32 or BF16 for matrices this wide, with oneDNN",
                     to_string(dtype));
  }
  const std::int64_t padded = (inputs + kInputs - 1) / kInputs * kInputs;
  const std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<const OneDnnPlan>& known = plans[{padded, dtype}];
  std::shared_ptr<const OneDnnPlan> plan = known.lock();
  if (plan == nullptr) {
    try {
      plan = std::make_shared<const OneDnnPlan>(padded, dtype);
    } catch (const dnnl::error& error) {
      refuse(error, dtype);
    }
    known = plan;
  }
  return plan;
}

OneDnnPlan::OneDnnPlan(std::int64_t padded, DType type)
    : dtype(type), padded_inputs(padded), engine(dnnl::engine::kind::cpu, 0) {
  const onednn::OneThread one;
  const Types types = types_of(dtype);
  weights = {{padded, kOneDnnOutputs}, types.weights, memory::format_tag::any};
  for (const std::int64_t rows : kRows) {
    const memory::desc x({rows, padded}, types.x, memory::format_tag::ab);
    const memory::desc y({rows, kOneDnnOutputs}, types.y, memory::format_tag::ab);
    try {
      const auto product = onednn::describe_product(engine, x, weights, y);
      const std::string implementation = product.impl_info_str();
      if (is_reference(implementation)) continue;
      if (sizes.empty()) weights = product.weights_desc();  // the others take it as it is
      sizes.push_back(
          {rows, dnnl::matmul(product), x, y, product.scratchpad_desc(), implementation});
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented) throw;
    }
  }
  if (sizes.empty() || static_cast<std::int64_t>(weights.get_size()) != block_bytes()) {
    refuse_onednn(dtype);
  }
  output_offsets = onednn::axis_offsets(weights, 1, kOneDnnOutputs);
  input_offsets = onednn::axis_offsets(weights, 0, padded);
  keep_sizes_that_agree();
  std::reverse(sizes.begin(), sizes.end());
  assert(std::none_of(sizes.begin(), sizes.end(),
                      [](const Size& size) { return is_reference(size.implementation); }));
}

std::int64_t OneDnnPlan::element_bytes() const noexcept {
  return dtype == DType::kF32 ? 4 : dtype == DType::kBF16 ? 2 : 1;
}

std::size_t OneDnnPlan::size_for(std::int64_t rows) const noexcept {
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (4 * rows >= 3 * sizes[i].rows) chosen = i;
  }
  return chosen;
}

/// The same row again and again must give the same bits, wherever it stands and in whichever size;
/// int8 must be exact, which the instructions before VNNI are not.
void OneDnnPlan::keep_sizes_that_agree() {
  constexpr std::uint8_t kLargestX = 255, kLargestWeight = 127;
  const Tensor<std::int8_t> row = probe(padded_inputs, dtype, kLargestX);
  const Tensor<std::int8_t> block = probe(kOneDnnOutputs * padded_inputs, dtype, kLargestWeight);
  std::vector<float> expected;
  if (dtype == DType::kI8) {
    const auto sum = static_cast<std::int32_t>(kLargestX * kLargestWeight * padded_inputs);
    expected.resize(kOneDnnOutputs);
    for (float& value : expected) std::memcpy(&value, &sum, sizeof sum);
  }
  OneDnnCalls calls(*this);
  std::vector<Size> kept;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto x = Tensor<std::int8_t>::uninitialized({sizes[i].rows * padded_inputs * element_bytes()});
    for (std::int64_t r = 0; r < sizes[i].rows; ++r) {
      std::copy(row.begin(), row.end(), x.data() + static_cast<std::size_t>(r) * row.size());
    }
    const float* const y = calls.multiply(i, x.data(), block.data());
    const std::vector<float> first =
        expected.empty() ? std::vector<float>(y, y + kOneDnnOutputs) : expected;
    bool agree = true;
    for (std::int64_t r = 0; r < sizes[i].rows; ++r) {
      agree = agree && std::memcmp(y + r * kOneDnnOutputs, first.data(),
                                   kOneDnnOutputs * sizeof(float)) == 0;
    }
    if (!agree) continue;
    expected = first;
    kept.push_back(sizes[i]);
  }
  if (kept.empty()) refuse_onednn(dtype);
  sizes = std::move(kept);
}

OneDnnCalls::OneDnnCalls(const OneDnnPlan& plan)
    : plan_(plan), stream_(plan.engine), calls_(plan.sizes.size()) {
  std::size_t bytes = 0;
  std::int64_t rows = 0;
  for (const OneDnnPlan::Size& size : plan.sizes) {
    rows = std::max(rows, size.rows);
    bytes = std::max(bytes, size.scratchpad.get_size());
  }
  scratchpad_ = Tensor<std::int8_t>::uninitialized({static_cast<std::int64_t>(bytes)});
  products_ = Tensor<float>::uninitialized({rows * kOneDnnOutputs});
}

const float* OneDnnCalls::multiply(std::size_t size, const void* x, const void* block) {
  // oneDNN takes what it only reads as if it wrote it.
  void* const in = const_cast<void*>(x);
  void* const values = const_cast<void*>(block);
  Call& call = calls_[size];
  const OneDnnPlan::Size& chosen = plan_.sizes[size];
  try {
    if (call.arguments.empty()) {
      call.x = memory(chosen.x, plan_.engine, in);
      call.weights = memory(plan_.weights, plan_.engine, values);
      call.y = memory(chosen.y, plan_.engine, products_.data());
      call.arguments = {
          {DNNL_ARG_SRC, call.x},
          {DNNL_ARG_WEIGHTS, call.weights},
          {DNNL_ARG_DST, call.y},
          {DNNL_ARG_SCRATCHPAD, memory(chosen.scratchpad, plan_.engine, scratchpad_.data())}};
    } else {
      call.x.set_data_handle(in);
      call.weights.set_data_handle(values);
    }
    chosen.primitive.execute(stream_, call.arguments);
    stream_.wait();
  } catch (const dnnl::error& error) {
    refuse(error, plan_.dtype);
  }
  return products_.data();
}

}  // namespace bridgetower::ops::detail

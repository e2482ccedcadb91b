// The base model's products on one thread: on the library's own kernels and, where it is built in,
// on oneDNN.
#include <benchmark/benchmark.h>

#include <bridgetower/ops/matmul.hpp>
#include <cmath>
#include <string>

namespace {

namespace bt = bridgetower;

bt::Tensor<float> made_up(const bt::Shape& shape) {
  auto values = bt::Tensor<float>::uninitialized(shape);
  double angle = 0;
  for (float& value : values) value = static_cast<float>(std::sin(angle += 0.37));
  return values;
}

/// rows, outputs, inputs
void product(benchmark::State& state, bt::Backend backend, bt::DType dtype) {
  const std::int64_t rows = state.range(0), outputs = state.range(1), inputs = state.range(2);
  const auto weights = made_up({outputs, inputs});
  const auto bias = made_up({outputs});
  const auto x = made_up({rows, inputs});
  bt::ops::PackedMatrix<float> packed(outputs, inputs, backend, dtype);
  packed.set_rows(0, outputs, weights.data(), inputs);
  bt::Tensor<float> y({rows, outputs});
  bt::Workspace workspace;
  const bt::WorkspaceScope scope(&workspace);
  for (auto _ : state) {
    packed.multiply(x.data(), inputs, rows, {bias.data()}, y.data(), outputs);
    benchmark::ClobberMemory();
  }
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * static_cast<double>(rows * outputs * inputs),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void add(bt::Backend backend, bt::DType dtype) {
  try {
    bt::ops::check_weight_dtype<float>(dtype, backend);
  } catch (const bt::InputError&) {  // not in this build, or not on this processor
    return;
  }
  const std::string name = std::string(backend == bt::Backend::kAuto ? "kernels" : "onednn") + "/" +
                           bt::to_string(dtype);
  auto* const made = benchmark::RegisterBenchmark(
      name.c_str(), [=](benchmark::State& state) { product(state, backend, dtype); });
  for (const std::int64_t rows : {12, 325, 2600}) {
    made->Args({rows, 768, 768})->Args({rows, 3072, 768})->Args({rows, 768, 3072});
  }
  made->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  for (const bt::DType dtype : {bt::DType::kF32, bt::DType::kBF16, bt::DType::kI8}) {
    for (const bt::Backend backend : {bt::Backend::kAuto, bt::Backend::kOneDnn}) {
      add(backend, dtype);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}

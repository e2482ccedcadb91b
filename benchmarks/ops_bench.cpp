// The operations at the base model's sizes, on one thread: 325 image tokens, 12 text tokens, width
// 768.
#include <benchmark/benchmark.h>

#include <bridgetower/ops/activations.hpp>
#include <bridgetower/ops/attention.hpp>
#include <bridgetower/ops/layer_norm.hpp>
#include <bridgetower/ops/softmax.hpp>
#include <cmath>

namespace {

namespace bt = bridgetower;

bt::Tensor<float> made_up(const bt::Shape& shape) {
  auto values = bt::Tensor<float>::uninitialized(shape);
  double angle = 0;
  for (float& value : values) value = static_cast<float>(std::sin(angle += 0.37));
  return values;
}

void set_gflops(benchmark::State& state, std::int64_t multiply_adds) {
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(multiply_adds),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}

/// rows, outputs, inputs
void product(benchmark::State& state) {
  const std::int64_t rows = state.range(0), outputs = state.range(1), inputs = state.range(2);
  const auto weights = made_up({outputs, inputs});
  const auto bias = made_up({outputs});
  const auto x = made_up({rows, inputs});
  bt::ops::PackedMatrix<float> packed(outputs, inputs);
  packed.set_rows(0, outputs, weights.data(), inputs);
  bt::Tensor<float> y({rows, outputs});
  for (auto _ : state) {
    packed.multiply(x.data(), inputs, rows, {bias.data()}, y.data(), outputs);
    benchmark::ClobberMemory();
  }
  set_gflops(state, rows * outputs * inputs);
}

/// queries, keys; twelve heads of 64 columns
void attention(benchmark::State& state) {
  const std::int64_t queries = state.range(0), keys = state.range(1);
  const auto q = made_up({queries, 768});
  const auto k = made_up({keys, 768});
  const auto v = made_up({keys, 768});
  bt::Tensor<float> out({queries, 768});
  for (auto _ : state) {
    bt::ops::attention<float>(
        {{q.data(), queries, 768}, {k.data(), keys, 768}, {v.data(), keys, 768}, 12, 64},
        out.data());
    benchmark::ClobberMemory();
  }
  set_gflops(state, 2 * queries * keys * 768);
}

void softmax(benchmark::State& state) {
  auto row = made_up({325});
  for (auto _ : state) {
    bt::ops::softmax(row.data(), 325);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * 325);
}

void layer_norm(benchmark::State& state) {
  const auto row = made_up({768});
  bt::Tensor<float> out({768});
  for (auto _ : state) {
    bt::ops::layer_norm(row.data(), out.data(), 768, row.data(), row.data(), 1e-5F);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * 768);
}

void activation(benchmark::State& state, bt::ops::Activation which) {
  const auto function = bt::ops::activation_function<float>(which);
  const auto values = made_up({3072});
  bt::Tensor<float> out({3072});
  for (auto _ : state) {
    std::copy(values.begin(), values.end(), out.begin());
    function(out.data(), 3072);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * 3072);
}

BENCHMARK(product)
    ->Args({325, 2304, 768})
    ->Args({325, 768, 768})
    ->Args({325, 3072, 768})
    ->Args({325, 768, 3072})
    ->Args({12, 3072, 768})
    ->Args({1, 768, 768})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(attention)->Args({325, 325})->Args({12, 325})->Unit(benchmark::kMillisecond);
BENCHMARK(softmax);
BENCHMARK(layer_norm);
BENCHMARK_CAPTURE(activation, gelu, bt::ops::Activation::kGelu);
BENCHMARK_CAPTURE(activation, quick_gelu, bt::ops::Activation::kQuickGelu);

}  // namespace

BENCHMARK_MAIN();

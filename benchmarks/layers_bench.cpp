// One layer of each kind at the base model's sizes, on two threads.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bridgetower/encoders/cross_modal/bert_cross_layer.hpp>
#include <bridgetower/encoders/text/text_layer.hpp>
#include <bridgetower/encoders/vision/residual_attention.hpp>
#include <string>

namespace {

namespace bt = bridgetower;

constexpr std::int64_t kImageTokens = 325, kTextTokens = 12, kD = 768, kF = 3072;

/// A layer's tensors, made up: small numbers under every name.
class MadeUpWeights : public bt::WeightSource {
 public:
  std::string place() const override { return "made up"; }
  std::vector<std::string> names() const override { return {}; }
  std::optional<Info> find(const std::string& name) const override {
    return Info{bt::DType::kF32, shape(name)};
  }
  void read(const std::string&, std::int64_t first, std::int64_t count, float* out) const override {
    fill(first, count, out);
  }
  void read(const std::string&, std::int64_t first, std::int64_t count,
            double* out) const override {
    fill(first, count, out);
  }

 private:
  template <class Scalar>
  static void fill(std::int64_t first, std::int64_t count, Scalar* out) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = Scalar(0.001) * static_cast<Scalar>((first + i) % 61 - 30);
    }
  }

  static bt::Shape shape(const std::string& name) {
    const auto has = [&name](const char* part) { return name.find(part) != std::string::npos; };
    const bool attention = has("attention") || has("attn");
    std::int64_t out = kD, in = kD;
    if (has("in_proj")) out = 3 * kD;
    if (has("c_fc") || has("intermediate")) out = kF;
    if (has("c_proj") || (has("output.dense") && !attention)) in = kF;
    const bool matrix = has("weight") && !has("LayerNorm") && !has("ln_");
    return matrix ? bt::Shape{out, in} : bt::Shape{out};
  }
};

template <class Layer, class Config>
Layer make_layer(const Config& config, const char* name) {
  static const MadeUpWeights weights;
  bt::WeightLoader<float> loader(weights);
  Layer layer(config, bt::WeightView<float>(loader) / name);
  loader.finish();
  return layer;
}

bt::Sequences<float> rows(std::int64_t count) {
  bt::Tensor<float> x({count, kD});
  for (std::int64_t i = 0; i < count * kD; ++i) x.data()[i] = static_cast<float>(i % 13) * 0.1F;
  return bt::Sequences<float>::single(std::move(x));
}

/// Runs `work` and states its multiply-adds per second, twice.
template <class Work>
void measure(benchmark::State& state, const Work& work) {
  bt::ThreadPool pool(2);
  const bt::CallScope scope(&pool);
  const std::uint64_t before = bt::multiply_adds();
  for (auto _ : state) benchmark::DoNotOptimize(work());
  state.counters["GFLOP/s"] = benchmark::Counter(
      2e-9 * static_cast<double>(bt::multiply_adds() - before), benchmark::Counter::kIsRate);
}

void vision_block(benchmark::State& state) {
  const auto layer =
      make_layer<bt::BridgeTowerResidualAttention<float>>(bt::VisionConfig(), "layer");
  const auto x = rows(kImageTokens);
  measure(state, [&] { return layer.forward(x.rows); });
}

void text_layer(benchmark::State& state) {
  const auto layer = make_layer<bt::BridgeTowerTextLayer<float>>(bt::TextConfig(), "layer");
  const auto x = rows(kTextTokens);
  measure(state, [&] { return layer.forward(x); });
}

/// Rows of this modality, of the other.
void cross_layer(benchmark::State& state) {
  const auto layer = make_layer<bt::BridgeTowerBertCrossLayer<float>>(bt::TextConfig(), "layer");
  const auto own = rows(state.range(0));
  const auto other = rows(state.range(1));
  measure(state, [&] {
    return layer.attend_other({layer.attend_own(own, own), own.items}, other);
  });
}

BENCHMARK(vision_block)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(text_layer)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(cross_layer)
    ->Args({kImageTokens, kTextTokens})
    ->Args({kTextTokens, kImageTokens})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();

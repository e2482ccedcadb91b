// One picture, one text, one pair through a model, 2 threads unless BRIDGETOWER_THREADS says
// otherwise.
//
//     BRIDGETOWER_MODEL=DIR model_bench
//
// Without the variable the tests' tiny model runs, which measures overheads and nothing else.
#include <benchmark/benchmark.h>

#include <bridgetower/bridgetower.hpp>
#include <cmath>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace bt = bridgetower;

constexpr std::int64_t kTokens = 12;

std::string setting(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::string model_directory() { return setting("BRIDGETOWER_MODEL", BRIDGETOWER_TINY_MODEL); }

bt::LoadOptions load_options() {
  bt::LoadOptions options;
  options.threads = std::stoi(setting("BRIDGETOWER_THREADS", "2"));
  return options;
}

/// One picture of the model's size and one text without padding.
bt::ForwardInputs<float> made_up_inputs(const bt::BridgeTowerConfig& config) {
  const bt::VisionConfig& vision = config.vision_config;
  bt::ForwardInputs<float> inputs;
  inputs.pixel_values.emplace(
      bt::Shape{1, vision.num_channels, vision.image_size, vision.image_size});
  float angle = 0;
  for (float& pixel : *inputs.pixel_values) pixel = std::sin(angle += 0.37F);
  inputs.input_ids.emplace(bt::Shape{1, kTokens});
  std::int64_t id = config.text_config.pad_token_id;
  for (std::int64_t& token : *inputs.input_ids) token = ++id % config.text_config.vocab_size;
  return inputs;
}

void image(benchmark::State& state) {
  const auto model =
      bt::BridgeTowerModel<float>::from_pretrained(model_directory(), load_options());
  const auto inputs = made_up_inputs(model.config());
  for (auto _ : state) benchmark::DoNotOptimize(model.encode_image(inputs, 0));
}

void text(benchmark::State& state) {
  const auto model =
      bt::BridgeTowerModel<float>::from_pretrained(model_directory(), load_options());
  const auto inputs = made_up_inputs(model.config());
  for (auto _ : state) benchmark::DoNotOptimize(model.encode_text(inputs, 0, false));
}

void matching_pair(benchmark::State& state) {
  const auto model = bt::BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(
      model_directory(), load_options());
  const auto inputs = made_up_inputs(model.model().config());
  for (auto _ : state) benchmark::DoNotOptimize(model.forward(inputs));
}

/// The matching head on states that are there already: what one more text costs a picture.
void fusion(benchmark::State& state) {
  const auto model = bt::BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(
      model_directory(), load_options());
  const auto inputs = made_up_inputs(model.model().config());
  const auto image = model.model().encode_image(inputs, 0);
  const auto text = model.model().encode_text(inputs, 0, false);
  for (auto _ : state) benchmark::DoNotOptimize(model.score(image, text));
}

/// Eight texts more, together.
void fusion_of_eight(benchmark::State& state) {
  const auto model = bt::BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(
      model_directory(), load_options());
  const auto inputs = made_up_inputs(model.model().config());
  const auto image = model.model().encode_image(inputs, 0);
  const auto text = model.model().encode_text(inputs, 0, false);
  const std::vector<bt::StatePair<float>> pairs(8, {&image, &text});
  for (auto _ : state) benchmark::DoNotOptimize(model.scores(pairs));
}

void masked_word(benchmark::State& state) {
  const auto model =
      bt::BridgeTowerForMaskedLM<float>::from_pretrained(model_directory(), load_options());
  const auto inputs = made_up_inputs(model.model().config());
  for (auto _ : state) {
    benchmark::DoNotOptimize(model.masked_logits(model.model().encode_image(inputs, 0),
                                                 model.model().encode_text(inputs, 0, false),
                                                 {kTokens / 2}));
  }
}

/// Four pairs by so many host threads at once, all on one model and its threads.
void four_pairs_by_callers(benchmark::State& state) {
  const auto model = bt::BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(
      model_directory(), load_options());
  const auto inputs = made_up_inputs(model.model().config());
  const std::int64_t callers = state.range(0);
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (std::int64_t i = 0; i < callers; ++i) {
      threads.emplace_back([&] {
        for (std::int64_t pair = 0; pair < 4 / callers; ++pair) {
          benchmark::DoNotOptimize(model.forward(inputs));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

BENCHMARK(image)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(text)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(matching_pair)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(fusion)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(fusion_of_eight)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(masked_word)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(four_pairs_by_callers)
    ->Arg(1)
    ->Arg(2)
    ->Arg(4)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();

// What stands before the model: reading a checkpoint, decoding and resizing pictures, tokenizing.
// The tests' tiny model and pictures, unless BRIDGETOWER_MODEL and BRIDGETOWER_PICTURE name others.
#include <benchmark/benchmark.h>

#include <bridgetower/bridgetower.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

namespace bt = bridgetower;

std::string setting(const char* name, const std::string& otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::string model_directory() { return setting("BRIDGETOWER_MODEL", BRIDGETOWER_TINY_MODEL); }
std::string picture() { return setting("BRIDGETOWER_PICTURE", BRIDGETOWER_PICTURE_FILE); }

void load_model(benchmark::State& state) {
  bt::LoadOptions options;
  options.threads = 2;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        bt::BridgeTowerModel<float>::from_pretrained(model_directory(), options));
  }
}

void load_tokenizer(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(bt::RobertaTokenizer::from_pretrained(model_directory()));
  }
}

void decode_picture(benchmark::State& state) {
  std::ifstream file(picture(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  for (auto _ : state) benchmark::DoNotOptimize(bt::Image::decode(bytes, picture()));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

/// Resize, crop and normalise a picture of 12 megapixels.
void process_picture(benchmark::State& state) {
  const auto processor = bt::BridgeTowerProcessor::from_pretrained(model_directory());
  const bt::Image image(3000, 4000, 3);
  for (auto _ : state) benchmark::DoNotOptimize(processor(image, "a"));
}

void tokenize(benchmark::State& state) {
  const auto tokenizer = bt::RobertaTokenizer::from_pretrained(model_directory());
  std::string text;
  while (text.size() < 10000) text += "a red boat on the water, and two black birds; ";
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer->encode(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK(load_model)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(load_tokenizer)->Unit(benchmark::kMillisecond);
BENCHMARK(decode_picture)->Unit(benchmark::kMillisecond);
BENCHMARK(process_picture)->Unit(benchmark::kMillisecond);
BENCHMARK(tokenize)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();

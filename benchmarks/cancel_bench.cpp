// How long a call goes on after its cancellation was requested: 20 random moments of a match and of
// loading, 2 threads unless BRIDGETOWER_THREADS says otherwise.
//
//     BRIDGETOWER_MODEL=DIR cancel_bench
//
// Without the variable the tests' tiny model runs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bridgetower/bridgetower.hpp>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace bt = bridgetower;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kMoments = 20;

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

/// Runs `call` again and again until it is stopped at a random moment of its second run, on
/// average; how long it goes on then.
template <class Call>
double delay(const Call& call, double run_seconds, std::mt19937& random) {
  bt::Cancellation stop;
  Clock::time_point requested;
  const Seconds moment(std::uniform_real_distribution<double>(0.5, 1.5)(random) * run_seconds);
  std::thread other([&] {
    std::this_thread::sleep_for(moment);
    requested = Clock::now();
    stop.request();
  });
  Clock::time_point stopped;
  try {
    const bt::CancellationScope scope(stop);
    for (;;) call();
  } catch (const bt::CancelledError&) {
    stopped = Clock::now();
  }
  other.join();
  return Seconds(stopped - requested).count();
}

template <class Call>
void measure(benchmark::State& state, const Call& call) {
  const Clock::time_point start = Clock::now();
  call();
  const double run_seconds = Seconds(Clock::now() - start).count();
  std::mt19937 random(1);
  std::vector<double> delays;
  for (auto _ : state) {
    delays.push_back(delay(call, run_seconds, random));
    state.SetIterationTime(delays.back());
  }
  std::sort(delays.begin(), delays.end());
  state.counters["run_ms"] = 1000 * run_seconds;
  state.counters["median_ms"] = 1000 * delays[delays.size() / 2];
  state.counters["largest_ms"] = 1000 * delays.back();
}

void match(benchmark::State& state) {
  const auto matcher = bt::ImageTextMatcher::from_pretrained(model_directory(), load_options());
  const bt::Image image = bt::Image::load(BRIDGETOWER_PICTURE_FILE);
  measure(state, [&] {
    benchmark::DoNotOptimize(
        matcher.logits(matcher.encode(image), matcher.encode("a red boat on the sea")));
  });
}

void load(benchmark::State& state) {
  measure(state, [] {
    benchmark::DoNotOptimize(
        bt::ImageTextMatcher::from_pretrained(model_directory(), load_options()));
  });
}

BENCHMARK(match)->Iterations(kMoments)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(load)->Iterations(kMoments)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();

// bench: times this machine on a model, with made-up pixels and tokens.
#include <sys/resource.h>

#include <algorithm>
#include <bridgetower/ops/detail/kernels.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <chrono>
#include <cmath>
#include <fstream>
#include <numeric>

#include "cli/common.hpp"
#include "cli/machine.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::string task = "match";
  int repeat = 20;
  std::int64_t tokens = 12;
  std::int64_t images = 1;
  std::int64_t texts = 0;  // 0: 32 for the matrix, else 1
};

/// Pictures of the model's size and texts of `tokens` tokens without padding, no two alike.
ForwardInputs<float> made_up_inputs(const BridgeTowerConfig& config, const Options& options) {
  const VisionConfig& vision = config.vision_config;
  ForwardInputs<float> inputs;
  inputs.pixel_values.emplace(
      Shape{options.images, vision.num_channels, vision.image_size, vision.image_size});
  double angle = 0;
  for (float& pixel : *inputs.pixel_values) pixel = static_cast<float>(std::sin(angle += 0.37));
  inputs.input_ids.emplace(Shape{options.texts, options.tokens});
  std::int64_t id = config.text_config.pad_token_id;
  for (std::int64_t& token : *inputs.input_ids) {
    token = ++id % config.text_config.vocab_size;
  }
  return inputs;
}

/// What the repetitions took and how much of the machine they used.
class Meter {
 public:
  Meter(int repeat, int threads) : repeat_(repeat), machine_(threads) {}

  /// The first run, which warms the caches, is not counted.
  template <class Work>
  void measure(const Work& work) {
    work();
    double peak = machine_.multiply_adds_per_second();
    for (int i = 0; i < repeat_; ++i) {
      const std::uint64_t counted = multiply_adds();
      const auto start = std::chrono::steady_clock::now();
      work();
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
      // What a machine gives may change from second to second: it is asked before and after.
      const double next = machine_.multiply_adds_per_second();
      const double rate = static_cast<double>(multiply_adds() - counted) / passed.count();
      seconds_.push_back(passed.count());
      rates_.push_back(rate);
      peaks_.push_back(std::max(peak, next));
      shares_.push_back(rate / peaks_.back());
      peak = next;
    }
  }

  double seconds(double quantile) const { return at(seconds_, quantile); }
  double gflops() const { return 2e-9 * at(rates_, 0.5); }
  double peak_gflops() const { return 2e-9 * at(peaks_, 0.5); }
  double share_of_peak() const { return at(shares_, 0.5); }

 private:
  static double at(std::vector<double> values, double quantile) {
    std::sort(values.begin(), values.end());
    const auto index = static_cast<std::size_t>(quantile * static_cast<double>(values.size()));
    return values[std::min(values.size() - 1, index)];
  }

  int repeat_;
  MachinePeak machine_;
  std::vector<double> seconds_, rates_, peaks_, shares_;
};

/// Of this program alone: getrusage() would count the process that started it as well.
std::int64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

/// Every image with every text, each encoded once.
void match_all(const BridgeTowerForImageAndTextRetrieval<float>& model,
               const ForwardInputs<float>& inputs, const Options& options) {
  constexpr std::int64_t kPairsAtOnce = 8;
  std::vector<std::int64_t> items(static_cast<std::size_t>(options.texts));
  std::iota(items.begin(), items.end(), 0);
  const std::vector<TextState<float>> texts = model.model().encode_texts(inputs, items, false);
  for (std::int64_t image = 0; image < options.images; ++image) {
    const ImageState<float> state = model.model().encode_image(inputs, image);
    std::vector<StatePair<float>> pairs;
    for (const TextState<float>& text : texts) {
      pairs.push_back({&state, &text});
      if (pairs.size() < kPairsAtOnce && &text != &texts.back()) continue;
      model.scores(pairs);
      pairs.clear();
    }
  }
}

void run_task(const Options& options, Meter& meter) {
  const std::filesystem::path directory = options.model.directory();
  const LoadOptions load = options.model.load_options();
  if (options.task == "mask") {
    const auto model = BridgeTowerForMaskedLM<float>::from_pretrained(directory, load);
    const auto inputs = made_up_inputs(model.model().config(), options);
    return meter.measure([&] {
      model.masked_logits(model.model().encode_image(inputs, 0),
                          model.model().encode_text(inputs, 0, false), {options.tokens / 2});
    });
  }
  if (options.task == "match" || options.task == "matrix") {
    const auto model = BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(directory, load);
    const auto inputs = made_up_inputs(model.model().config(), options);
    return meter.measure([&] { match_all(model, inputs, options); });
  }
  const auto model = BridgeTowerForContrastiveLearning<float>::from_pretrained(directory, load);
  const auto inputs = made_up_inputs(model.model().config(), options);
  std::vector<std::int64_t> items(static_cast<std::size_t>(options.texts));
  std::iota(items.begin(), items.end(), 0);
  meter.measure([&] {
    if (options.task == "text") {
      model.text_embeds(inputs, items);
      return;
    }
    for (std::int64_t image = 0; image < options.images; ++image) model.image_embed(inputs, image);
  });
}

/// Pairs for match, mask and matrix, vectors for the others.
std::int64_t items(const Options& options) {
  if (options.task == "image") return options.images;
  if (options.task == "text") return options.texts;
  return options.images * options.texts;
}

std::string to_text(const Json& record) {
  const auto number = [&record](const char* key, int digits, double scale = 1) {
    return fixed(scale * record[key].get<double>(), digits);
  };
  return record["task"].get<std::string>() + ": " + number("median_ms", 2) + " ms (median), " +
         number("p95_ms", 2) + " ms (95 %), " + number("items_per_s", 2) + " items/s\n" +
         record["cpu"].get<std::string>() + ", " + record["threads"].dump() + " threads, " +
         record["kernels"].get<std::string>() + ": " + number("gflops", 1) + " GFLOP/s, " +
         number("share_of_peak", 1, 100) + " % of the " + number("peak_gflops", 1) +
         " measured meanwhile";
}

Status bench(Options& options) {
  const bool matrix = options.task == "matrix";
  if (options.texts == 0) options.texts = matrix ? 32 : 1;
  if (options.task == "match" || options.task == "mask") options.images = options.texts = 1;
  const int threads = ThreadPool(options.model.threads).threads();
  Meter meter(options.repeat, threads);
  run_task(options, meter);
  options.results.write({{"task", options.task},
                         {"dtype", options.model.dtype},
                         {"backend", options.model.backend},
                         {"threads", threads},
                         {"median_ms", meter.seconds(0.5) * 1e3},
                         {"p95_ms", meter.seconds(0.95) * 1e3},
                         {"items_per_s", static_cast<double>(items(options)) / meter.seconds(0.5)},
                         {"peak_rss_bytes", peak_rss_bytes()},
                         {"gflops", meter.gflops()},
                         {"peak_gflops", meter.peak_gflops()},
                         {"share_of_peak", meter.share_of_peak()},
                         {"kernels", detail::kernels().name},
                         {"cpu", cpu_name()}},
                        to_text);
  return options.results.finish();
}

}  // namespace

Command add_bench(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("bench", "How fast is this machine on a model?");
  command->footer("Example:\n  bridgetower bench --model DIR --task match --repeat 20");
  const auto options = std::make_shared<Options>();
  command->add_option("--task", options->task, "match, mask, image, text or matrix")
      ->check(CLI::IsMember({"match", "mask", "image", "text", "matrix"}))
      ->capture_default_str();
  command->add_option("--repeat", options->repeat, "measured repetitions")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--tokens", options->tokens, "length of the text")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--images", options->images, "pictures of matrix and image")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command
      ->add_option("--texts", options->texts, "texts of matrix (default 32) and text (default 1)")
      ->check(CLI::Range(1, 100000));
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  return [options] { return bench(*options); };
}

}  // namespace bridgetower::cli

// bench: times this machine on a model, with made-up pixels and tokens.
#include <sys/resource.h>

#include <algorithm>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <chrono>
#include <cmath>
#include <fstream>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::string task = "match";
  int repeat = 20;
  std::int64_t tokens = 12;
};

/// One picture of the model's size and one text of `tokens` tokens without padding.
ForwardInputs<float> made_up_inputs(const BridgeTowerConfig& config, std::int64_t tokens) {
  const VisionConfig& vision = config.vision_config;
  ForwardInputs<float> inputs;
  inputs.pixel_values.emplace(Shape{1, vision.num_channels, vision.image_size, vision.image_size});
  float angle = 0;
  for (float& pixel : *inputs.pixel_values) pixel = std::sin(angle += 0.37F);
  inputs.input_ids.emplace(Shape{1, tokens});
  std::int64_t id = config.text_config.pad_token_id;
  for (std::int64_t& token : *inputs.input_ids) {
    token = ++id % config.text_config.vocab_size;
  }
  inputs.check(config);
  return inputs;
}

/// Seconds of each repetition, sorted; the first, which warms the caches, is not counted.
template <class Work>
std::vector<double> measure(int repeat, const Work& work) {
  std::vector<double> seconds;
  for (int i = 0; i <= repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    if (i > 0) seconds.push_back(passed.count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

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

std::vector<double> run_task(const Options& options) {
  const std::filesystem::path directory = options.model.directory();
  const LoadOptions load = options.model.load_options();
  if (options.task == "mask") {
    const auto model = BridgeTowerForMaskedLM<float>::from_pretrained(directory, load);
    const auto inputs = made_up_inputs(model.model().config(), options.tokens);
    return measure(options.repeat, [&] {
      model.masked_logits(model.model().encode_image(inputs, 0),
                          model.model().encode_text(inputs, 0, false), {options.tokens / 2});
    });
  }
  if (options.task == "match") {
    const auto model = BridgeTowerForImageAndTextRetrieval<float>::from_pretrained(directory, load);
    const auto inputs = made_up_inputs(model.model().config(), options.tokens);
    return measure(options.repeat, [&] { model.forward(inputs); });
  }
  const auto model = BridgeTowerModel<float>::from_pretrained(directory, load);
  const auto inputs = made_up_inputs(model.config(), options.tokens);
  return measure(options.repeat, [&] {
    if (options.task == "image") model.encode_image(inputs, 0);
    if (options.task == "text") model.encode_text(inputs, 0, false);
  });
}

Status bench(Options& options) {
  const std::vector<double> seconds = run_task(options);
  const double median = seconds[seconds.size() / 2];
  const double p95 = seconds[std::min(seconds.size() - 1, seconds.size() * 95 / 100)];
  options.results.write({{"task", options.task},
                         {"dtype", options.model.dtype},
                         {"backend", options.model.backend},
                         {"threads", ThreadPool(options.model.threads).threads()},
                         {"median_ms", median * 1e3},
                         {"p95_ms", p95 * 1e3},
                         {"items_per_s", 1.0 / median},
                         {"peak_rss_bytes", peak_rss_bytes()}},
                        [](const Json& record) {
                          return record["task"].get<std::string>() + ": " +
                                 fixed(record["median_ms"].get<double>(), 2) + " ms (median), " +
                                 fixed(record["p95_ms"].get<double>(), 2) + " ms (95 %), " +
                                 record["threads"].dump() + " threads";
                        });
  return options.results.finish();
}

}  // namespace

Command add_bench(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("bench", "How fast is this machine on a model?");
  command->footer("Example:\n  bridgetower bench --model DIR --task match --repeat 20");
  const auto options = std::make_shared<Options>();
  command->add_option("--task", options->task, "match, mask, image or text")
      ->check(CLI::IsMember({"match", "mask", "image", "text"}))
      ->capture_default_str();
  command->add_option("--repeat", options->repeat, "measured repetitions")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--tokens", options->tokens, "length of the text")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  return [options] { return bench(*options); };
}

}  // namespace bridgetower::cli

// index: vectors of a collection of pictures, to be searched.
#include <atomic>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/search/index_images.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <chrono>
#include <csignal>
#include <optional>

#include "cli/common.hpp"
#include "search/path_json.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::vector<std::string> images;
  std::string output;
  bool resume = false;
  std::string vectors = "float32";
  std::string states;
  std::optional<bool> graph;
  std::string state_dtype = "bfloat16";
};

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

/// Ctrl-C ends the work after the pictures in hand, a second one at once.
void stop_at_interrupt() {
  std::signal(SIGINT, [](int) {
    interrupted = true;
    std::signal(SIGINT, SIG_DFL);
  });
}

/// What --states asks for; absent where it is not given.
std::optional<KeptStates> wanted_states(const Options& options, const Embedder& embedder) {
  if (options.states.empty()) return std::nullopt;
  if (options.states == "0") return KeptStates();
  return kept_states(embedder.model().config(), parse_size("--states", options.states),
                     options.state_dtype == "float32" ? DType::kF32 : DType::kBF16);
}

std::string to_text(const Json& record) {
  return std::to_string(record["images"].get<std::int64_t>()) + " pictures in " +
         record["output"].get<std::string>() + " (" +
         std::to_string(record["added"].get<std::int64_t>()) + " added, " +
         std::to_string(record["removed"].get<std::int64_t>()) + " removed, " +
         std::to_string(record["failed"].get<std::int64_t>()) + " failed)" +
         (record["interrupted"].get<bool>() ? "; interrupted, run it again for the rest" : "");
}

Status index(Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const std::filesystem::path model = options.model.directory();
  LoadOptions load = options.model.load_options();
  load.threads = 1;  // index_images() has a thread for each picture
  const Embedder embedder = Embedder::from_pretrained(model, load);
  IndexBuilder::Options build;
  build.resume = options.resume;
  build.type = options.vectors == "float32" ? VectorType::kFloat32 : VectorType::kBFloat16;
  build.states = wanted_states(options, embedder);
  build.graph = options.graph;
  IndexBuilder builder(options.output, model_fingerprint(model), embedder.size(), build);
  stop_at_interrupt();
  IndexingOptions indexing;
  indexing.threads = options.model.threads;
  indexing.stop = &interrupted;
  indexing.start = [&](std::size_t total) { options.results.start_progress(total, "pictures"); };
  indexing.advance = [&] { options.results.advance(); };
  const IndexingResult result =
      index_images(builder, embedder, find_images(options.images), indexing);
  builder.commit();
  const EmbeddingIndex index = EmbeddingIndex::open(options.output);
  for (const FailedImage& image : index.failed()) {
    Json record;
    detail::put_path(record, image.path);
    options.results.fail(std::move(record), image.code, image.message);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  options.results.write({{"output", options.output},
                         {"images", index.images()},
                         {"failed", index.failed().size()},
                         {"added", result.added},
                         {"removed", result.removed},
                         {"states", index.states()},
                         {"interrupted", result.interrupted},
                         {"seconds", seconds.count()}},
                        to_text);
  const Status status = options.results.finish();
  return result.interrupted ? Status::kFailed : status;
}

}  // namespace

Command add_index(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "index", "Makes a collection of pictures searchable, or brings it up to date");
  command->footer(
      "A second run encodes what is new or changed and drops what is gone. Ctrl-C leaves an index\n"
      "of the pictures so far.\nExample:\n"
      "  bridgetower index --model DIR --images photos --output photos.index");
  const auto options = std::make_shared<Options>();
  command->add_option("--images", options->images, "PNG or JPEG files, or directories of them")
      ->required();
  command->add_option("--output", options->output, "directory of the index")->required();
  command->add_flag("--resume", options->resume,
                    "go on with what a run that was killed left; without it that is dropped");
  command->add_option("--vectors", options->vectors, "how vectors are stored: float32 or bfloat16")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  command->add_option("--states", options->states,
                      "keep the states of the first pictures, up to so many bytes, such as 2GB;\n"
                      "search then reranks those without the vision tower. 0: none. Not given: as\n"
                      "in the index that is brought up to date");
  command
      ->add_option("--state-dtype", options->state_dtype,
                   "how states are stored: bfloat16, or float32 for the very scores of a new one")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  command->add_flag("--graph,!--no-graph", options->graph,
                    "make a graph for search --approximate. Not given: as in the index that is\n"
                    "brought up to date");
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  options->results.add_progress_to(*command);
  return [options] { return index(*options); };
}

}  // namespace bridgetower::cli

// index: vectors of a collection of pictures, to be searched or exported.
#include <atomic>
#include <bridgetower/search/model_fingerprint.hpp>
#include <chrono>
#include <csignal>
#include <optional>

#include "cli/exports.hpp"
#include "cli/index_options.hpp"
#include "cli/index_results.hpp"
#include "cli/shard.hpp"
#include "cli/store.hpp"

namespace bridgetower::cli {
namespace {

struct Options : IndexOptions {
  std::string store;
  std::vector<std::string> exports;
  std::string shard;
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

IndexingOptions indexing_options(Options& options) {
  IndexingOptions indexing = options.indexing_options();
  indexing.stop = &interrupted;
  return indexing;
}

/// `shard` absent: of everything.
IndexingResult build_index(Options& options, const std::filesystem::path& directory,
                           const std::optional<Shard>& shard) {
  const std::filesystem::path model = options.model.directory();
  const std::string fingerprint = model_fingerprint(model);
  ImageFiles images = find_images(options.images);
  if (shard) {
    images = only_shard(images, *shard);
    if (is_up_to_date(directory, *shard, images, fingerprint)) return {};
    mark_unfinished(directory);
  }
  const Embedder embedder = options.load_embedder(model);
  IndexBuilder::Options build = options.builder_options();
  build.states = wanted_states(options, embedder);
  build.graph = options.graph;
  IndexBuilder builder(directory, fingerprint, embedder.size(), build);
  stop_at_interrupt();
  const IndexingResult result = index_images(builder, embedder, images, indexing_options(options));
  builder.commit();
  if (shard && !result.interrupted) mark_finished(directory, *shard);
  return result;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Status index_store(Options& options) {
  const auto start = std::chrono::steady_clock::now();
  stop_at_interrupt();
  const StoredCollection collection =
      index_into_store({options.store, options.model.directory(), options.load_options(),
                        options.images, options.graph},
                       indexing_options(options));
  write_failed(options.results, collection.failed);
  write_index_summary(options.results, collection.place,
                      {collection.images, collection.failed.size(), 0}, collection.result,
                      Json::array(), seconds_since(start));
  const Status status = options.results.finish();
  return collection.result.interrupted ? Status::kFailed : status;
}

/// Without pictures an index that is there is exported as it is.
Status index(Options& options) {
  if (!options.store.empty()) return index_store(options);
  if (options.output.empty()) throw UsageError("nowhere to write to: give --output or --to");
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Export> exports = exports_from(options.exports, options.output);
  if (options.images.empty() && exports.empty()) {
    throw UsageError("nothing to do: give --images or --export");
  }
  if (uses_stdout(exports)) options.results.use_stderr();
  std::optional<Shard> shard;
  if (!options.shard.empty()) shard = shard_from(options.shard);
  const std::string directory =
      shard ? part_directory(options.output, *shard).string() : options.output;
  const IndexingResult result =
      options.images.empty() ? IndexingResult() : build_index(options, directory, shard);
  const EmbeddingIndex index = EmbeddingIndex::open(directory);
  if (!options.images.empty()) write_failed(options.results, index.failed());
  const Json written = result.interrupted ? Json::array() : write_exports(index, exports);
  write_index_summary(options.results, directory, totals_of(index), result, written,
                      seconds_since(start));
  const Status status = options.results.finish();
  return result.interrupted ? Status::kFailed : status;
}

}  // namespace

Command add_index(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "index", "Makes a collection of pictures searchable, or brings it up to date");
  command->footer(
      "A second run encodes what is new or changed and drops what is gone. Ctrl-C leaves an index\n"
      "of the pictures so far. Without --images an index is exported as it is.\nExamples:\n"
      "  bridgetower index --model DIR --images photos --output photos.index\n"
      "  bridgetower index --output photos.index --export npy --export pgvector=load.sql\n"
      "  bridgetower index --images photos --to postgres://me@server/photos");
  const auto options = std::make_shared<Options>();
  CLI::Option* const images = options->add_to(*command);
  CLI::Option* const store =
      command
          ->add_option(
              "--to", options->store,
              "instead of --output: postgres://USER@HOST:PORT/DATABASE, with pgvector. Any\n"
              "number of processes share the work; those without --images only help.\n"
              "A password is better put into $PGPASSWORD or ~/.pgpass")
          ->excludes(command->get_option("--output"))
          ->excludes(command->get_option("--resume"))
          ->excludes(command->get_option("--vectors"));
  CLI::Option* const shard =
      command
          ->add_option("--shard", options->shard,
                       "i/N (i from 0): only this share of the pictures, into OUTPUT/part-i-of-N,\n"
                       "for bridgetower merge; auto: as Slurm, Kubernetes or MPI number processes")
          ->needs(images)
          ->excludes(store);
  command
      ->add_option("--export", options->exports,
                   "npy, safetensors, jsonl or pgvector (a script for psql), alone or with\n"
                   "=FILE (default: beside the index); =- is stdout for the last two, and the\n"
                   "records of this command go to stderr then")
      ->excludes(shard)
      ->excludes(store);
  command
      ->add_option("--states", options->states,
                   "keep the states of the first pictures, up to so many bytes, such as 2GB;\n"
                   "search then reranks those without the vision tower. 0: none. Not given: as\n"
                   "in the index that is brought up to date")
      ->needs(images)
      ->excludes(shard)
      ->excludes(store);
  command
      ->add_option("--state-dtype", options->state_dtype,
                   "how states are stored: bfloat16, or float32 for the very scores of a new one")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  // Not the variable itself: CLI11 would set it where the flag is absent, too.
  command
      ->add_flag_function(
          "--graph,!--no-graph", [options](std::int64_t count) { options->graph = count > 0; },
          "make a graph for search --approximate, with --to pgvector's HNSW index. Not\n"
          "given: as in the index that is brought up to date")
      ->needs(images)
      ->excludes(shard);
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  options->results.add_progress_to(*command);
  return [options] { return index(*options); };
}

}  // namespace bridgetower::cli

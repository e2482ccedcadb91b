// index: vectors of a collection of pictures, made by all ranks.
#include <unistd.h>

#include <bridgetower/mpi/index_images.hpp>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <chrono>
#include <csignal>

#include "cli/index_results.hpp"
#include "cli/mpi/commands.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::vector<std::string> images;
  std::string output;
  bool resume = false;
  std::string vectors = "float32";
};

/// mpirun ends the other ranks so when one has died.
void explain_end() {
  std::signal(SIGTERM, [](int) {
    constexpr char kLine[] =
        "bridgetower-mpi: the job was ended before all pictures were done; run it again with "
        "--resume for the rest\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kLine, sizeof kLine - 1);
    ::_exit(static_cast<int>(Status::kFailed));
  });
}

Embedder load_embedder(const Options& options, const std::filesystem::path& model) {
  LoadOptions load = options.model.load_options();
  load.threads = 1;  // there is a thread for each picture
  return Embedder::from_pretrained(model, load);
}

IndexingResult build_index(const mpi::Communicator& ranks, Options& options,
                           const std::filesystem::path& model) {
  const ImageFiles images = find_images(options.images);
  const Embedder embedder = load_embedder(options, model);
  IndexBuilder::Options build;
  build.resume = options.resume;
  build.type = options.vectors == "float32" ? VectorType::kFloat32 : VectorType::kBFloat16;
  IndexBuilder builder(options.output, model_fingerprint(model), embedder.size(), build);
  explain_end();
  IndexingOptions indexing;
  indexing.threads = options.model.threads;
  indexing.start = [&](std::size_t total) { options.results.start_progress(total, "pictures"); };
  indexing.advance = [&] { options.results.advance(); };
  const IndexingResult result = mpi::index_images(ranks, builder, embedder, images, indexing);
  builder.commit();
  return result;
}

Status index(const mpi::Communicator& ranks, Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const std::filesystem::path model = options.model.directory();
  check_same_model(ranks, model);
  if (ranks.rank() != 0) {
    mpi::serve_index_images(ranks, load_embedder(options, model), options.model.threads);
    return Status::kDone;
  }
  const IndexingResult result = build_index(ranks, options, model);
  const EmbeddingIndex index = EmbeddingIndex::open(options.output);
  write_failed(options.results, index.failed());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  write_index_summary(options.results, options.output, totals_of(index), result, Json::array(),
                      seconds.count());
  return options.results.finish();
}

}  // namespace

RankCommand add_mpi_index(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "index", "Makes a collection of pictures searchable, or brings it up to date");
  command->footer(
      "Rank 0 hands out the pictures and writes the index, which has the bytes of bridgetower\n"
      "index. All ranks have to see the pictures and the model under the same paths.\nExample:\n"
      "  mpirun -n 8 bridgetower-mpi index --model DIR --images photos --output photos.index");
  const auto options = std::make_shared<Options>();
  command->add_option("--images", options->images, "PNG or JPEG files, or directories of them")
      ->required();
  command->add_option("--output", options->output, "directory of the index; rank 0 alone needs it")
      ->required();
  command->add_flag("--resume", options->resume,
                    "go on with what a job that died left; without it that is dropped");
  command->add_option("--vectors", options->vectors, "how vectors are stored: float32 or bfloat16")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  options->results.add_progress_to(*command);
  return [options](const mpi::Communicator& ranks) { return index(ranks, *options); };
}

}  // namespace bridgetower::cli

// index: vectors of a collection of pictures, made by all ranks.
#include <unistd.h>

#include <bridgetower/mpi/index_images.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <chrono>
#include <csignal>

#include "cli/index_options.hpp"
#include "cli/index_results.hpp"
#include "cli/mpi/commands.hpp"

namespace bridgetower::cli {
namespace {

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

IndexingResult build_index(const mpi::Communicator& ranks, IndexOptions& options,
                           const std::filesystem::path& model) {
  const ImageFiles images = find_images(options.images);
  const Embedder embedder = options.load_embedder(model);
  IndexBuilder builder(options.output, model_fingerprint(model), embedder.size(),
                       options.builder_options());
  explain_end();
  const IndexingResult result =
      mpi::index_images(ranks, builder, embedder, images, options.indexing_options());
  builder.commit();
  return result;
}

Status index(const mpi::Communicator& ranks, IndexOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const std::filesystem::path model = options.model.directory();
  check_same_model(ranks, model);
  if (ranks.rank() != 0) {
    mpi::serve_index_images(ranks, options.load_embedder(model), options.model.threads);
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
      "index. All ranks have to see the pictures and the model under the same paths, rank 0 alone\n"
      "the output.\nExample:\n"
      "  mpirun -n 8 bridgetower-mpi index --model DIR --images photos --output photos.index");
  const auto options = std::make_shared<IndexOptions>();
  options->add_to(*command)->required();
  command->get_option("--output")->required();
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  options->results.add_progress_to(*command);
  options->results.use_progress_lines();
  return [options](const mpi::Communicator& ranks) { return index(ranks, *options); };
}

}  // namespace bridgetower::cli

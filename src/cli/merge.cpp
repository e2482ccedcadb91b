// merge: the parts that index --shard made as one index.
#include <bridgetower/search/shards.hpp>
#include <chrono>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  Results results;
  std::string parts;
  std::string output;
  int threads = 0;
};

std::string to_text(const Json& record) {
  return record["images"].dump() + " pictures of " + record["parts"].dump() + " parts in " +
         record["output"].get<std::string>() + " (" + record["failed"].dump() + " failed)";
}

Status merge(Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const PartsSummary summary = merge_parts(options.parts, options.output, options.threads);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  options.results.write({{"output", options.output},
                         {"parts", summary.parts},
                         {"images", summary.images},
                         {"failed", summary.failed},
                         {"seconds", seconds.count()}},
                        to_text);
  return options.results.finish();
}

}  // namespace

Command add_merge(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("merge", "Makes one index of the parts that index --shard made");
  command->footer(
      "The index has the bytes that one process would have made.\nExample:\n"
      "  bridgetower merge --parts photos.parts --output photos.index");
  const auto options = std::make_shared<Options>();
  command->add_option("--parts", options->parts, "directory that index --shard wrote its parts to")
      ->required();
  command->add_option("--output", options->output, "directory of the index")->required();
  command->add_option("--threads", options->threads, "threads that check the parts (default: all)")
      ->check(CLI::Range(1, 1024));
  options->results.add_to(*command);
  return [options] { return merge(*options); };
}

}  // namespace bridgetower::cli

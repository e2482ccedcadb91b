// search: pictures of an index that all ranks hold together, found by a sentence.
#include <bridgetower/mpi/search.hpp>

#include "cli/mpi/commands.hpp"
#include "cli/query_options.hpp"
#include "cli/search_results.hpp"

namespace bridgetower::cli {
namespace {

Status search(const mpi::Communicator& ranks, QueryOptions& options) {
  std::vector<std::string> texts;
  if (ranks.rank() == 0) {
    texts = options.sentences();
    if (texts.empty()) throw UsageError("nothing to search for: give --text or --texts");
  }
  const std::filesystem::path model = options.model.directory();
  const auto find = mpi::Search::from_pretrained(
      ranks, model, options.index, options.search.rerank > 0, options.model.load_options());
  if (ranks.rank() != 0) {
    find.serve();
    return Status::kDone;
  }
  options.results.write_heading(kResultsHeading);
  for (const std::string& text : texts) {
    const Json query = {{"text", text}};
    try {
      const std::vector<SearchResult> results = find.search(text, options.search);
      if (texts.size() > 1) options.results.write_heading("== " + text);
      write_results(options.results, texts.size() > 1 ? query : Json::object(), results);
    } catch (const InputError& error) {
      options.results.fail(query, error);
    }
  }
  find.finish();
  return options.results.finish();
}

}  // namespace

RankCommand add_mpi_search(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("search", "Finds pictures of an index by a sentence");
  command->footer(
      "Each rank holds a part of the vectors, and the matching head looks at a picture on the\n"
      "rank that has its vector. Rank 0 reads --texts, all read the index. The answer is that of\n"
      "bridgetower search.\nExample:\n"
      "  mpirun -n 8 bridgetower-mpi search --index photos.index --text \"a red boat\"");
  const auto options = std::make_shared<QueryOptions>();
  options->add_to(*command);
  command->get_option("--index")->required();
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  return [options](const mpi::Communicator& ranks) { return search(ranks, *options); };
}

}  // namespace bridgetower::cli

// search: pictures of an index that all ranks hold together, found by a sentence.
#include <bridgetower/mpi/search.hpp>
#include <optional>

#include "cli/mpi/commands.hpp"
#include "cli/search_results.hpp"

namespace bridgetower::cli {
namespace {

struct Options {
  ModelOptions model;
  Results results;
  std::string index;
  std::vector<std::string> texts;
  std::string text_file;
  SearchOptions search;
  std::optional<float> min_score;
};

std::vector<std::string> sentences(const Options& options) {
  std::vector<std::string> all = options.texts;
  if (!options.text_file.empty()) {
    for (std::string& line : read_lines(options.text_file)) all.push_back(std::move(line));
  }
  if (all.empty()) throw UsageError("nothing to search for: give --text or --texts");
  return all;
}

Status search(const mpi::Communicator& ranks, Options& options) {
  std::vector<std::string> texts;
  if (ranks.rank() == 0) texts = sentences(options);
  options.search.min_score = options.min_score;
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
      "Each rank holds a part of the vectors, and the matching head looks at a picture on the "
      "rank\n"
      "that has its vector. The answer is that of bridgetower search.\nExample:\n"
      "  mpirun -n 8 bridgetower-mpi search --index photos.index --text \"a red boat\"");
  const auto options = std::make_shared<Options>();
  command->add_option("--index", options->index, "directory of the index, the same on all ranks")
      ->required();
  command->add_option("--text", options->texts, "sentences");
  command->add_option("--texts", options->text_file,
                      "file of sentences, one a line; - for standard input; rank 0 reads it");
  command->add_option("--top-k", options->search.top_k, "how many pictures to show")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
  command
      ->add_option("--rerank", options->search.rerank,
                   "how many pictures the matching head looks at; 0: none")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->capture_default_str();
  command->add_option("--filter", options->search.filter,
                      "only paths of this pattern, such as '*/2024/*' (* crosses /)");
  command->add_option("--min-score", options->min_score, "only pictures with at least this score");
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  return [options](const mpi::Communicator& ranks) { return search(ranks, *options); };
}

}  // namespace bridgetower::cli

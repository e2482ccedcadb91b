// search: pictures of an index, found by a sentence or by another picture.
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <optional>

#include "cli/query_options.hpp"
#include "cli/report.hpp"
#include "cli/search_results.hpp"
#include "cli/store.hpp"
#include "search/path_json.hpp"

namespace bridgetower::cli {
namespace {

struct Options : QueryOptions {
  std::string store;
  std::vector<std::string> images;
  std::string html;
};

/// A sentence, or the path of a picture.
struct Query {
  bool is_image;
  std::string value;

  /// What its records begin with where there are several.
  Json to_json() const {
    Json record;
    if (!is_image) return {{"text", value}};
    detail::put_path(record, value);
    Json renamed = {{"query_image", record["image"]}};
    if (record.contains("image_hex")) renamed["query_image_hex"] = record["image_hex"];
    return renamed;
  }
};

using Search = std::function<std::vector<SearchResult>(const Query&)>;

std::vector<Query> queries(const Options& options) {
  std::vector<Query> all;
  for (const std::string& text : options.sentences()) all.push_back({false, text});
  for (const std::string& image : options.images) all.push_back({true, image});
  if (all.empty()) throw UsageError("nothing to search for: give --text, --texts or --image");
  return all;
}

/// Without reranking the contrastive head is enough.
Search make_search(const Options& options) {
  const std::filesystem::path model = options.model.directory();
  const LoadOptions load = options.model.load_options();
  if (!options.store.empty()) {
    const StoreSearch find = search_in_store(options.store, model, load, options.search);
    return [find](const Query& query) { return find(query.is_image, query.value); };
  }
  EmbeddingIndex index = EmbeddingIndex::open(options.index, load.threads);
  if (options.search.rerank == 0) {
    index.check_model(model_fingerprint(model));
    const auto opened = std::make_shared<EmbeddingIndex>(std::move(index));
    const auto embedder = std::make_shared<Embedder>(Embedder::from_pretrained(model, load));
    return [opened, embedder, &options](const Query& query) {
      const Tensor<float> vector =
          query.is_image ? embedder->embed(Image::load(query.value)) : embedder->embed(query.value);
      return search_vectors(*opened, vector, options.search);
    };
  }
  const auto both = std::make_shared<TwoStageSearch>(
      TwoStageSearch::from_pretrained(model, std::move(index), load));
  return [both, &options](const Query& query) {
    return query.is_image ? both->search(Image::load(query.value), options.search)
                          : both->search(std::string_view(query.value), options.search);
  };
}

Status search(Options& options) {
  const std::vector<Query> all = queries(options);
  if (options.index.empty() && options.store.empty()) {
    throw UsageError("nothing to search in: give --index or --from");
  }
  std::optional<Report> report;
  if (!options.html.empty()) report.emplace(options.html);
  Search find = make_search(options);
  options.results.write_heading(kResultsHeading);
  for (const Query& query : all) {
    try {
      const std::vector<SearchResult> results = find(query);
      if (all.size() > 1) options.results.write_heading("== " + query.value);
      write_results(options.results, all.size() > 1 ? query.to_json() : Json::object(), results);
      if (report) report->add({query.is_image, query.value, results, {}});
    } catch (const Error& error) {
      options.results.fail(query.to_json(), error);
      if (report) report->add({query.is_image, query.value, {}, error});
    }
  }
  const Status status = options.results.finish();
  find = nullptr;  // its model's memory serves the report's
  if (report) report->write(options.model.directory(), options.model.load_options());
  return status;
}

}  // namespace

Command add_search(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("search", "Finds pictures of an index by a sentence or by a picture");
  command->footer(
      "The vectors choose the best --rerank pictures, the matching head sorts them; score is its\n"
      "probability, or the cosine of the vectors with --rerank 0 and for --image.\nExamples:\n"
      "  bridgetower search --model DIR --index photos.index --text \"a red boat\"\n"
      "  bridgetower search --from postgres://me@server/photos --text \"a red boat\"");
  const auto options = std::make_shared<Options>();
  options->add_to(*command);
  command
      ->add_option(
          "--from", options->store,
          "instead of --index: the database that bridgetower index --to filled, as\n"
          "postgres://USER@HOST:PORT/DATABASE. The pictures are read for reranking from here")
      ->excludes(command->get_option("--index"));
  command->add_option("--image", options->images, "pictures to find the like of");
  command->add_flag("--approximate", options->search.approximate,
                    "ask the graph (index --graph; with --from pgvector's HNSW index) instead of\n"
                    "comparing with every vector");
  command->add_option(
      "--html", options->html,
      "write the results as a page too, with thumbnails and what each word looks at");
  options->model.add_model(*command);
  options->model.add_compute(*command);
  options->results.add_to(*command);
  return [options] { return search(*options); };
}

}  // namespace bridgetower::cli

#include <bridgetower/postgres/search.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <utility>

#include "search/search_model.hpp"

namespace bridgetower::postgres {
namespace {

std::vector<SearchResult> results_of(const std::vector<StoredNeighbour>& neighbours) {
  std::vector<SearchResult> results;
  for (const StoredNeighbour& one : neighbours) {
    results.push_back({one.file.path, one.similarity, one.similarity, {}, {}});
  }
  return results;
}

/// The vectors' answer alone.
SearchOptions without_reranking(SearchOptions options) {
  options.rerank = 0;
  return options;
}

}  // namespace

Search::Search(Store store) : store_(std::move(store)) {}
Search::~Search() = default;
Search::Search(Search&&) noexcept = default;
Search& Search::operator=(Search&&) noexcept = default;

Search Search::from_pretrained(const std::filesystem::path& model, Store store, bool rerank,
                               const LoadOptions& options) {
  store.check_model(model_fingerprint(model, options.revision));
  Search search(std::move(store));
  if (rerank) {
    search.model_ = detail::SearchModel::from_pretrained(model, options);
  } else {
    search.embedder_ = std::make_unique<const Embedder>(Embedder::from_pretrained(model, options));
  }
  return search;
}

std::vector<SearchResult> Search::search(std::string_view text, const SearchOptions& options) {
  if (options.rerank > 0 && !model_) {
    throw InputError("Search", "rerank", "0, as it was loaded without the matching head",
                     std::to_string(options.rerank));
  }
  const Tensor<float> query = model_ ? model_->embed(text) : embedder_->embed(text);
  const std::vector<StoredNeighbour> chosen = store_.nearest(query, options);
  std::vector<SearchResult> results = results_of(chosen);
  if (options.rerank > 0) {
    model_->match(
        text, [&](std::size_t i) { return model_->encode(chosen[i].file); }, results);
  }
  return ranked(std::move(results), options);
}

std::vector<SearchResult> Search::search(const Image& image, const SearchOptions& options) {
  const Tensor<float> query = model_ ? model_->embed(image) : embedder_->embed(image);
  return ranked(results_of(store_.nearest(query, without_reranking(options))), options);
}

}  // namespace bridgetower::postgres

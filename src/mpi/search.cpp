#include <algorithm>
#include <bridgetower/mpi/search.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <map>
#include <utility>

#include "mpi/search_messages.hpp"

namespace bridgetower::mpi {
namespace {

/// The best of all ranks in the order of a single process: by similarity, then by row.
std::vector<Neighbour> best_of(const std::vector<std::string>& parts,
                               const SearchOptions& options) {
  std::vector<Neighbour> all;
  for (const std::string& part : parts) {
    const std::vector<Neighbour> neighbours = unpack_neighbours(part);
    all.insert(all.end(), neighbours.begin(), neighbours.end());
  }
  std::sort(all.begin(), all.end(), [](const Neighbour& a, const Neighbour& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
  });
  const std::int64_t count =
      options.rerank == 0 ? options.top_k : std::max(options.top_k, options.rerank);
  if (all.size() > static_cast<std::size_t>(count)) all.resize(static_cast<std::size_t>(count));
  return all;
}

/// Tells an index from another by its model and the number of its pictures, in words.
std::string identity(const EmbeddingIndex& index) {
  return std::to_string(index.images()) + " pictures of model " + index.model();
}

}  // namespace

Search Search::from_pretrained(const Communicator& ranks, const std::filesystem::path& model,
                               const std::filesystem::path& index, bool rerank,
                               const LoadOptions& options) {
  Search search(ranks);
  EmbeddingIndex part =
      EmbeddingIndex::open_part(index, ranks.rank(), ranks.size(), options.threads);
  const std::string expected = ranks.broadcast(identity(part));
  if (identity(part) != expected) {
    throw InputError(index.string(), "index", "that of rank 0, " + expected, identity(part));
  }
  if (rerank) {
    search.reranker_ = TwoStageSearch::from_pretrained(model, std::move(part), options);
    return search;
  }
  if (ranks.rank() == 0) {
    part.check_model(model_fingerprint(model, options.revision));
    search.embedder_ = Embedder::from_pretrained(model, options);
  }
  search.index_ = std::move(part);
  return search;
}

std::vector<SearchResult> Search::search(const std::string& text,
                                         const SearchOptions& options) const {
  const Request request{text, reranker_ ? reranker_->embed(text) : embedder_->embed(text), options};
  const auto own = find_candidates(index(), request.query, options);
  ranks_.broadcast(pack_request(request));
  const auto candidates = best_of(ranks_.gather(pack_neighbours(own)), options);
  if (options.rerank > 0) {
    ranks_.broadcast(pack_neighbours(candidates));
    return ranked(match(text, candidates), options);
  }
  std::vector<SearchResult> results;
  for (const auto& [row, similarity] : candidates) {
    results.push_back({std::string(index().path(row)), similarity, similarity, {}, {}});
  }
  return ranked(std::move(results), options);
}

/// On rank 0 the results of all ranks in the order of the candidates, elsewhere nothing.
std::vector<SearchResult> Search::match(const std::string& text,
                                        const std::vector<Neighbour>& candidates) const {
  std::vector<Neighbour> own;
  for (const Neighbour& one : candidates) {
    if (index().rows().has(one.row)) own.push_back(one);
  }
  const auto results = own.empty() ? std::vector<SearchResult>() : reranker_->match(text, own);
  std::map<std::string, SearchResult> by_path;
  for (const std::string& part : ranks_.gather(pack_results(results))) {
    for (SearchResult& result : unpack_results(part)) by_path.emplace(result.image, result);
  }
  if (ranks_.rank() != 0) return {};
  std::vector<SearchResult> ordered;
  for (const Neighbour& one : candidates) {
    ordered.push_back(by_path.at(std::string(index().path(one.row))));
  }
  return ordered;
}

void Search::finish() const { ranks_.broadcast({}); }

void Search::serve() const {
  for (;;) {
    const std::string bytes = ranks_.broadcast({});
    if (bytes.empty()) return;
    const Request request = unpack_request(bytes);
    ranks_.gather(pack_neighbours(find_candidates(index(), request.query, request.options)));
    if (request.options.rerank == 0) continue;
    match(request.text, unpack_neighbours(ranks_.broadcast({})));
  }
}

}  // namespace bridgetower::mpi

#include <fnmatch.h>

#include <algorithm>
#include <bridgetower/search/model_fingerprint.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <utility>

#include "search/search_model.hpp"

namespace bridgetower {
namespace {

std::vector<Neighbour> candidates(const EmbeddingIndex& index, const Tensor<float>& query,
                                  const SearchOptions& options, std::int64_t count) {
  NearestOptions nearest;
  nearest.top_k = count;
  nearest.approximate = options.approximate;
  if (!options.filter.empty()) {
    nearest.filter = [&](std::int64_t row) {
      return ::fnmatch(options.filter.c_str(), std::string(index.path(row)).c_str(), 0) == 0;
    };
  }
  return index.nearest(query, nearest);
}

SearchResult result_of(const EmbeddingIndex& index, const Neighbour& neighbour) {
  return {
      std::string(index.path(neighbour.row)), neighbour.similarity, neighbour.similarity, {}, {}};
}

/// Drops what scores too little, and more than top_k. What failed is kept where there is room: its
/// score is of another kind.
std::vector<SearchResult> cut(std::vector<SearchResult> results, const SearchOptions& options) {
  if (options.min_score) {
    const auto low = [&](const SearchResult& r) {
      return !r.error && r.score < *options.min_score;
    };
    results.erase(std::remove_if(results.begin(), results.end(), low), results.end());
  }
  if (results.size() > static_cast<std::size_t>(options.top_k)) {
    results.erase(results.begin() + options.top_k, results.end());
  }
  return results;
}

}  // namespace

TwoStageSearch::TwoStageSearch(EmbeddingIndex index,
                               std::unique_ptr<const detail::SearchModel> model)
    : index_(std::move(index)), model_(std::move(model)) {}
TwoStageSearch::~TwoStageSearch() = default;
TwoStageSearch::TwoStageSearch(TwoStageSearch&&) noexcept = default;
TwoStageSearch& TwoStageSearch::operator=(TwoStageSearch&&) noexcept = default;

TwoStageSearch TwoStageSearch::from_pretrained(const std::filesystem::path& model,
                                               EmbeddingIndex index, const LoadOptions& options) {
  index.check_model(model_fingerprint(model, options.revision, options.limits));
  return {std::move(index), detail::SearchModel::from_pretrained(model, options)};
}

std::vector<SearchResult> search_vectors(const EmbeddingIndex& index, const Tensor<float>& query,
                                         const SearchOptions& options) {
  detail::candidates_wanted(options);
  std::vector<SearchResult> results;
  for (const Neighbour& neighbour : candidates(index, query, options, options.top_k)) {
    results.push_back(result_of(index, neighbour));
  }
  return cut(std::move(results), options);
}

std::vector<Neighbour> find_candidates(const EmbeddingIndex& index, const Tensor<float>& query,
                                       const SearchOptions& options) {
  return candidates(index, query, options, detail::candidates_wanted(options));
}

std::vector<SearchResult> ranked(std::vector<SearchResult> results, const SearchOptions& options) {
  std::stable_sort(results.begin(), results.end(), [](const auto& a, const auto& b) {
    if (a.error.has_value() != b.error.has_value()) return b.error.has_value();
    return a.score > b.score;
  });
  return cut(std::move(results), options);
}

Tensor<float> TwoStageSearch::embed(std::string_view text) const { return model_->embed(text); }

std::vector<SearchResult> TwoStageSearch::match(std::string_view text,
                                                const std::vector<Neighbour>& rows) const {
  std::vector<SearchResult> results;
  for (const Neighbour& row : rows) results.push_back(result_of(index_, row));
  const auto state_of = [&](std::size_t i) {
    const std::int64_t row = rows[i].row;
    return row < index_.states() ? model_->unpack(index_.state(row))
                                 : model_->encode(index_.record(row));
  };
  model_->match(text, state_of, results);
  return results;
}

std::vector<SearchResult> TwoStageSearch::search(std::string_view text,
                                                 const SearchOptions& options) const {
  const Tensor<float> query = model_->embed(text);
  if (options.rerank == 0) return search_vectors(index_, query, options);
  return ranked(match(text, find_candidates(index_, query, options)), options);
}

std::vector<SearchResult> TwoStageSearch::search(const Image& image,
                                                 const SearchOptions& options) const {
  return search_vectors(index_, model_->embed(image), options);
}

}  // namespace bridgetower

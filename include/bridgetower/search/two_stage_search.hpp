#pragma once

#include <bridgetower/core/error.hpp>
#include <bridgetower/pipeline/from_pretrained.hpp>
#include <bridgetower/preprocessing/processor.hpp>
#include <bridgetower/search/embedding_index.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

namespace detail {
class SearchModel;
}

/// One picture that was found.
struct SearchResult {
  std::string image;  ///< path; bytes, as in the index
  float score;        ///< what the order follows: `match` where there is one, else similarity
  float similarity;   ///< cosine of the vectors
  std::optional<float> match;  ///< probability of the matching head; absent where it was not asked
  std::optional<Error> error;  ///< why it could not be asked: the file is gone, changed or broken
};

struct SearchOptions {
  std::int64_t top_k = 10;
  std::int64_t rerank = 50;  ///< at least as many as top_k are; 0: none
  bool approximate = false;  ///< as in NearestOptions
  std::string filter;        ///< pattern for paths as of fnmatch ("*" crosses "/"); empty: all
  std::optional<float> min_score;
};

/// The vectors' answer alone. query [E]; `rerank` is not looked at.
std::vector<SearchResult> search_vectors(const EmbeddingIndex& index, const Tensor<float>& query,
                                         const SearchOptions& options);

/// The first step of a search: the rows of the best vectors, as many as have to be looked at.
std::vector<Neighbour> find_candidates(const EmbeddingIndex& index, const Tensor<float>& query,
                                       const SearchOptions& options);

/// The last step: best first, those that the matching head scored, then those whose files failed;
/// none that scores too little, no more than top_k. Equal ones stay in their order.
std::vector<SearchResult> ranked(std::vector<SearchResult> results, const SearchOptions& options);

/// Finds pictures by a sentence: the vectors choose the best few, the matching head sorts those.
/// One model with both heads, the towers loaded once.
///
///     const auto search = TwoStageSearch::from_pretrained("model", EmbeddingIndex::open("index"));
///     for (const SearchResult& found : search.search("a red boat")) …
class TwoStageSearch {
 public:
  /// `model` as in BridgeTowerModel; needs the matching and the contrastive head. Throws IoError,
  /// FormatError, ConfigError, WeightError, and InputError where the index is another model's.
  static TwoStageSearch from_pretrained(const std::filesystem::path& model, EmbeddingIndex index,
                                        const LoadOptions& options = {});

  ~TwoStageSearch();
  TwoStageSearch(TwoStageSearch&&) noexcept;
  TwoStageSearch& operator=(TwoStageSearch&&) noexcept;

  const EmbeddingIndex& index() const noexcept { return index_; }

  /// Best first: those that the matching head scored, then those whose files failed. Throws
  /// InputError for a text that the model cannot take or options out of range.
  std::vector<SearchResult> search(std::string_view text, const SearchOptions& options = {}) const;

  /// The steps between: the sentence's vector [E], and what the matching head says of rows.
  Tensor<float> embed(std::string_view text) const;
  std::vector<SearchResult> match(std::string_view text, const std::vector<Neighbour>& rows) const;

  /// The pictures most like this one, by their vectors alone.
  std::vector<SearchResult> search(const Image& image, const SearchOptions& options = {}) const;

 private:
  TwoStageSearch(EmbeddingIndex index, std::unique_ptr<const detail::SearchModel> model);

  EmbeddingIndex index_;
  std::unique_ptr<const detail::SearchModel> model_;
};

}  // namespace bridgetower

#pragma once

#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/postgres/store.hpp>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace bridgetower::postgres {

/// Finds pictures of a store: the database chooses the best few by their vectors, the matching head
/// of the model that is here sorts those, from their files. The result is TwoStageSearch's.
class Search {
 public:
  /// Without `rerank` the contrastive head alone is loaded. Throws as
  /// TwoStageSearch::from_pretrained and Store::check_model do.
  static Search from_pretrained(const std::filesystem::path& model, Store store, bool rerank,
                                const LoadOptions& options = {});
  ~Search();
  Search(Search&&) noexcept;
  Search& operator=(Search&&) noexcept;

  /// Throws as TwoStageSearch::search and Store::nearest do. One thread at a time.
  std::vector<SearchResult> search(std::string_view text, const SearchOptions& options);

  /// The pictures most like this one, by their vectors alone.
  std::vector<SearchResult> search(const Image& image, const SearchOptions& options);

 private:
  explicit Search(Store store);

  Store store_;
  std::unique_ptr<const detail::SearchModel> model_;  // with `rerank`
  std::unique_ptr<const Embedder> embedder_;          // without
};

}  // namespace bridgetower::postgres

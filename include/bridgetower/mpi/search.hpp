#pragma once

#include <bridgetower/mpi/communicator.hpp>
#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bridgetower::mpi {

/// Finds pictures by a sentence with all ranks, each of which holds a range of an index's vectors.
/// Rank 0 makes the sentence's vector, every rank finds the best of its rows, and the matching head
/// looks at a picture on the rank that has its row. The result is TwoStageSearch's.
class Search {
 public:
  /// Called by all ranks, each with its threads. Without `rerank` rank 0 alone reads the model.
  /// Throws as TwoStageSearch::from_pretrained and EmbeddingIndex::open do, and InputError where a
  /// rank sees another index than rank 0.
  static Search from_pretrained(const Communicator& ranks, const std::filesystem::path& model,
                                const std::filesystem::path& index, bool rerank,
                                const LoadOptions& options = {});

  /// Called by rank 0 while the others are in serve(). Throws InputError as
  /// TwoStageSearch::search does; the others know nothing of it and wait for the next sentence.
  std::vector<SearchResult> search(const std::string& text, const SearchOptions& options) const;

  /// Ends serve() on the other ranks.
  void finish() const;

  /// What the ranks but 0 do.
  void serve() const;

 private:
  explicit Search(const Communicator& ranks) : ranks_(ranks) {}

  const EmbeddingIndex& index() const { return reranker_ ? reranker_->index() : *index_; }
  std::vector<SearchResult> match(const std::string& text,
                                  const std::vector<Neighbour>& candidates) const;

  Communicator ranks_;
  std::optional<TwoStageSearch> reranker_;  // with it:
  std::optional<EmbeddingIndex> index_;     // without, and on rank 0:
  std::optional<Embedder> embedder_;
};

}  // namespace bridgetower::mpi

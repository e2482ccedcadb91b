#pragma once

#include <bridgetower/search/embedding_index.hpp>
#include <bridgetower/search/index_images.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/common.hpp"

// What index writes, and bridgetower-mpi's too.
namespace bridgetower::cli {

/// What a collection holds in the end.
struct IndexTotals {
  std::int64_t images = 0;
  std::size_t failed = 0;
  std::int64_t states = 0;
};
IndexTotals totals_of(const EmbeddingIndex& index);

/// A record for every file that could not be used.
void write_failed(Results& results, const std::vector<FailedImage>& failed);

/// `output`: the index or the database.
void write_index_summary(Results& results, const std::string& output, const IndexTotals& totals,
                         const IndexingResult& result, const Json& exports, double seconds);

}  // namespace bridgetower::cli

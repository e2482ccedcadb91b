#pragma once

#include <bridgetower/search/embedding_index.hpp>
#include <bridgetower/search/index_images.hpp>
#include <string>

#include "cli/common.hpp"

// What index writes, and bridgetower-mpi's too.
namespace bridgetower::cli {

/// A record for every file that could not be used.
void write_failed(Results& results, const EmbeddingIndex& index);

void write_index_summary(Results& results, const std::string& directory,
                         const EmbeddingIndex& index, const IndexingResult& result,
                         const Json& exports, double seconds);

}  // namespace bridgetower::cli

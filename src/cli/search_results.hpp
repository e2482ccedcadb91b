#pragma once

#include <bridgetower/search/two_stage_search.hpp>
#include <vector>

#include "cli/common.hpp"

// What search writes, and bridgetower-mpi's too.
namespace bridgetower::cli {

constexpr const char* kResultsHeading = "rank   score  cosine   match  picture";

/// A record for every picture, best first; `query` is what each begins with.
void write_results(Results& out, const Json& query, const std::vector<SearchResult>& results);

}  // namespace bridgetower::cli

#pragma once

#include <bridgetower/postgres/store.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "postgres/connection.hpp"

namespace bridgetower::postgres {

/// A pattern of fnmatch as one of LIKE. Throws InputError for sets of characters, which LIKE lacks.
std::string like_pattern(const std::string& filter);

/// As Store::nearest, without making a lost connection anew. `query` has the length of the vectors.
std::vector<StoredNeighbour> nearest(Connection& connection, const Tensor<float>& query,
                                     const SearchOptions& options);

}  // namespace bridgetower::postgres

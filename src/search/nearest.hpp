#pragma once

#include <bridgetower/core/parallel.hpp>
#include <bridgetower/search/embedding_index.hpp>
#include <cstdint>
#include <vector>

namespace bridgetower::detail {

/// Stored vectors, [rows, size] of the type.
struct VectorRows {
  const void* data;
  std::int64_t rows;
  std::int64_t size;
  VectorType type;
};

/// For each of `count` queries [count, size] its nearest rows, best first.
std::vector<std::vector<Neighbour>> nearest_rows(const VectorRows& vectors, const float* queries,
                                                 std::int64_t count, const NearestOptions& options,
                                                 ThreadPool& threads);

/// The same of these rows alone, for one query.
std::vector<Neighbour> nearest_among(const VectorRows& vectors,
                                     const std::vector<std::int64_t>& rows, const float* query,
                                     std::int64_t top_k);

/// The scalar product of two vectors [size] as they are stored.
float stored_product(const VectorRows& vectors, const void* a, const void* b);

/// A stored vector as float; `buffer` [size] is used where it has to be widened.
const float* widened(const VectorRows& vectors, std::int64_t row, float* buffer);

}  // namespace bridgetower::detail

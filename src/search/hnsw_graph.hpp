#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "search/nearest.hpp"

namespace bridgetower::detail {

/// A graph over stored vectors whose edges lead to near ones: hierarchical navigable small worlds
/// (Malkov and Yashunin, 2016), by hnswlib. A build without that library has no such graph.
///
/// The file: its entry (a row) and highest level, then for every row its level, and for each level
/// from 0 the number of edges and the rows they lead to; all numbers 32 bits.
class HnswGraph {
 public:
  static bool is_available();

  /// The bytes of such a file. One thread, so that the same vectors give the same bytes. Throws
  /// ConfigError in a build without hnswlib, LimitError for lack of memory.
  static std::string build(const VectorRows& vectors);

  /// Checks every number. The vectors outlive this. Throws FormatError, and what build() throws.
  HnswGraph(const std::string& place, const unsigned char* bytes, std::size_t size,
            const VectorRows& vectors);
  ~HnswGraph();

  /// About the `count` nearest rows, in no order. Safe for concurrent use.
  std::vector<std::int64_t> nearest(const float* query, std::int64_t count) const;

 private:
  struct Graph;
  std::unique_ptr<Graph> graph_;
};

}  // namespace bridgetower::detail

// A build without hnswlib.
#include <bridgetower/core/error.hpp>

#include "search/hnsw_graph.hpp"

namespace bridgetower::detail {
namespace {

[[noreturn]] void fail(const std::string& place) {
  throw ConfigError(place, "graph", "a build with hnswlib", "one without");
}

}  // namespace

struct HnswGraph::Graph {};

bool HnswGraph::is_available() { return false; }

std::string HnswGraph::build(const VectorRows&) { fail("index"); }

HnswGraph::HnswGraph(const std::string& place, const unsigned char*, std::size_t,
                     const VectorRows&) {
  fail(place);
}

HnswGraph::~HnswGraph() = default;

std::vector<std::int64_t> HnswGraph::nearest(const float*, std::int64_t) const { return {}; }

}  // namespace bridgetower::detail

#include "postgres/nearest.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "core/json.hpp"
#include "postgres/schema.hpp"
#include "postgres/wire.hpp"
#include "search/nearest.hpp"
#include "search/search_model.hpp"

namespace bridgetower::postgres {
namespace {

/// The server adds up in another order than we do, so pictures that are all but equal may change
/// places at the end of its answer: so many more are asked for, and the best are chosen here.
constexpr std::int64_t kMore = 16;

/// Of pgvector's hnsw.ef_search, the most rows that its index answers with.
constexpr std::int64_t kLeastOfGraph = 40;
constexpr std::int64_t kMostOfGraph = 1000;

// Nothing orders by a sum but a look at every vector.
constexpr const char* kExact = R"(
SELECT path, size, modified_ns, sha256, embedding FROM bridgetower.pictures
WHERE $3::bytea IS NULL OR path LIKE $3::bytea
ORDER BY (embedding <#> $1::vector) + 0, path LIMIT $2::bigint)";

constexpr const char* kApproximate = R"(
SELECT path, size, modified_ns, sha256, embedding FROM bridgetower.pictures
ORDER BY embedding <#> $1::vector LIMIT $2::bigint)";

Rows ask_all(Connection& connection, const std::string& query, std::int64_t count,
             const std::string& filter) {
  const std::string pattern = like_pattern(filter);
  return connection.query_prepared(
      "exact", kExact,
      {query, to_wire(count), filter.empty() ? std::string_view() : std::string_view(pattern)});
}

Rows ask_graph(Connection& connection, const std::string& query, std::int64_t count) {
  if (count > kMostOfGraph) {
    throw InputError("search", "pictures asked of the graph",
                     "at most " + std::to_string(kMostOfGraph), std::to_string(count));
  }
  if (!has_graph(connection)) {
    throw InputError(connection.place(), "graph", "a store with one (index --graph)",
                     "one without");
  }
  Transaction transaction(connection);
  connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL hnsw.ef_search = " +
                     std::to_string(std::max(count, kLeastOfGraph)));
  Rows rows = connection.query_prepared("approximate", kApproximate, {query, to_wire(count)});
  transaction.commit();
  return rows;
}

/// Whoever may write to the tables may have written anything.
ImageRecord record_of(const Rows& rows, int row, const std::string& place) {
  ImageRecord record;
  record.path = rows.bytes(row, 0);
  if (record.path.empty() || record.path.find('\0') != std::string::npos) {
    throw FormatError(place, "path of a picture", "a name without zero bytes",
                      detail::in_quotes(record.path));
  }
  const std::int64_t size = rows.integer(row, 1);
  record.bytes = static_cast<std::uint64_t>(size);
  record.modified_ns = rows.integer(row, 2);
  const std::string_view sum = rows.bytes(row, 3);
  if (size < 0 || sum.size() != record.sha256.size()) {
    throw FormatError(place, "row of " + record.path, "a size from 0 and a SHA-256 of 32 bytes",
                      std::to_string(size) + " and " + std::to_string(sum.size()) + " bytes");
  }
  std::copy(sum.begin(), sum.end(), record.sha256.begin());
  return record;
}

struct StoredRow {
  ImageRecord file;
  int row;
};

/// As an index has them.
std::vector<StoredRow> in_order_of_paths(const Rows& rows, const std::string& place) {
  std::vector<StoredRow> stored;
  for (int row = 0; row < rows.size(); ++row) stored.push_back({record_of(rows, row, place), row});
  std::sort(stored.begin(), stored.end(),
            [](const StoredRow& a, const StoredRow& b) { return a.file.path < b.file.path; });
  return stored;
}

void read_vector(const Rows& rows, int row, const std::string& path, const std::string& place,
                 std::int64_t size, float* out) {
  const std::string_view value = rows.bytes(row, 4);
  if (!vector_from_wire(value, size, out) ||
      !std::all_of(out, out + size, [](float number) { return std::isfinite(number); })) {
    throw FormatError(place, "vector of " + path, std::to_string(size) + " finite numbers",
                      std::to_string(value.size()) + " bytes of something else");
  }
}

}  // namespace

std::string like_pattern(const std::string& filter) {
  std::string pattern;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    char c = filter[i];
    if (c == '*' || c == '?') {
      pattern += c == '*' ? '%' : '_';
      continue;
    }
    const bool literal = c == '\\';
    if (c == '[' || (literal && i + 1 == filter.size())) {
      throw InputError("search", "filter of a store",
                       "*, ? and characters (\\[ for [), no sets of them", filter);
    }
    if (literal) c = filter[++i];
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

std::vector<StoredNeighbour> nearest(Connection& connection, const Tensor<float>& query,
                                     const SearchOptions& options) {
  const std::int64_t count = detail::candidates_wanted(options);
  const std::string vector = vector_to_wire(query);
  const Rows rows = options.approximate && options.filter.empty()
                        ? ask_graph(connection, vector, count)
                        : ask_all(connection, vector, count + kMore, options.filter);
  const auto size = static_cast<std::int64_t>(query.size());
  const std::vector<StoredRow> stored = in_order_of_paths(rows, connection.place());
  std::vector<float> vectors(stored.size() * query.size());
  float* out = vectors.data();
  for (const StoredRow& one : stored) {
    read_vector(rows, one.row, one.file.path, connection.place(), size, out);
    out += size;
  }
  std::vector<std::int64_t> all(stored.size());
  std::iota(all.begin(), all.end(), 0);
  const detail::VectorRows matrix{vectors.data(), static_cast<std::int64_t>(all.size()), size,
                                  VectorType::kFloat32};
  std::vector<StoredNeighbour> neighbours;
  for (const auto& [row, similarity] : detail::nearest_among(matrix, all, query.data(), count)) {
    neighbours.push_back({stored[static_cast<std::size_t>(row)].file, similarity});
  }
  return neighbours;
}

}  // namespace bridgetower::postgres

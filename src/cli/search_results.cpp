#include "cli/search_results.hpp"

#include "search/path_json.hpp"

namespace bridgetower::cli {
namespace {

std::string to_text(const Json& record) {
  const auto number = [](const Json& value) {
    return value.is_null() ? std::string("     -") : fixed(value.get<double>());
  };
  const std::string rank = std::to_string(record["rank"].get<std::int64_t>());
  return std::string(rank.size() < 4 ? 4 - rank.size() : 0, ' ') + rank + "  " +
         number(record["score"]) + "  " + number(record["similarity"]) + "  " +
         number(record["match"]) + "  " + record["image"].get<std::string>();
}

}  // namespace

void write_results(Results& out, const Json& query, const std::vector<SearchResult>& results) {
  std::int64_t rank = 0;
  for (const SearchResult& result : results) {
    Json record = query;
    record["rank"] = ++rank;
    detail::put_path(record, result.image);
    record["score"] = result.score;
    record["similarity"] = result.similarity;
    record["match"] = result.match ? Json(*result.match) : Json(nullptr);
    if (result.error) {
      out.fail(std::move(record), to_string(result.error->code()), result.error->what());
    } else {
      out.write(record, to_text);
    }
  }
}

}  // namespace bridgetower::cli

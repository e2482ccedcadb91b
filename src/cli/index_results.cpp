#include "cli/index_results.hpp"

#include "search/path_json.hpp"

namespace bridgetower::cli {
namespace {

std::string to_text(const Json& record) {
  const auto number = [&](const char* key) {
    return std::to_string(record[key].get<std::int64_t>());
  };
  std::string line = number("images") + " pictures in " + record["output"].get<std::string>() +
                     " (" + number("added") + " added, " + number("removed") + " removed, " +
                     number("failed") + " failed)";
  for (const Json& one : record["exports"]) {
    line += "; " + one["format"].get<std::string>() + " in " + one["file"].get<std::string>();
  }
  if (record["interrupted"].get<bool>()) line += "; interrupted, run it again for the rest";
  return line;
}

}  // namespace

IndexTotals totals_of(const EmbeddingIndex& index) {
  return {index.images(), index.failed().size(), index.states()};
}

void write_failed(Results& results, const std::vector<FailedImage>& failed) {
  for (const FailedImage& image : failed) {
    Json record;
    detail::put_path(record, image.path);
    results.fail(std::move(record), image.code, image.message);
  }
}

void write_index_summary(Results& results, const std::string& output, const IndexTotals& totals,
                         const IndexingResult& result, const Json& exports, double seconds) {
  results.write({{"output", output},
                 {"images", totals.images},
                 {"failed", totals.failed},
                 {"added", result.added},
                 {"removed", result.removed},
                 {"exports", exports},
                 {"states", totals.states},
                 {"interrupted", result.interrupted},
                 {"seconds", seconds}},
                to_text);
}

}  // namespace bridgetower::cli

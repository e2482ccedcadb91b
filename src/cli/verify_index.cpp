#include "cli/verify_index.hpp"

#include <bridgetower/search/embedding_index.hpp>
#include <bridgetower/search/shards.hpp>
#include <filesystem>

namespace bridgetower::cli {
namespace {

namespace fs = std::filesystem;

bool has_parts(const fs::path& directory) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().rfind("part-", 0) == 0) return true;
  }
  return false;
}

Json check(const std::string& directory, int threads) {
  Json record = {{"index", directory}, {"ok", true}};
  if (has_parts(directory)) {
    const PartsSummary summary = check_parts(directory, threads);
    record["parts"] = summary.parts;
    record["images"] = summary.images;
    record["failed"] = summary.failed;
  } else {
    const EmbeddingIndex index = EmbeddingIndex::open(directory, threads);
    record["images"] = index.images();
    record["failed"] = index.failed().size();
  }
  return record;
}

}  // namespace

void verify_indexes(const std::vector<std::string>& directories, int threads, Results& results) {
  for (const std::string& directory : directories) {
    try {
      results.write(check(directory, threads), [](const Json& record) {
        return "ok      " + record["index"].get<std::string>() + "  " + record["images"].dump() +
               " pictures" +
               (record.contains("parts") ? " in " + record["parts"].dump() + " parts" : "");
      });
    } catch (const Error& error) {
      results.fail({{"index", directory}, {"ok", false}}, error);
    }
  }
}

}  // namespace bridgetower::cli

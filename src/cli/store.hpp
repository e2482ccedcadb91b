#pragma once

#include <bridgetower/core/load_options.hpp>
#include <bridgetower/search/index_images.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// index --to and search --from: collections in PostgreSQL. A build without the component has these
// functions too; they throw ConfigError.
namespace bridgetower::cli {

struct StoreIndexing {
  std::string url;
  std::filesystem::path model;
  LoadOptions load;
  std::vector<std::string> images;  ///< none: only the work that is there is done
  std::optional<bool> graph;        ///< absent: as it is
};

/// A store as it is in the end, and what was done.
struct StoredCollection {
  std::string place;  ///< without a password
  std::int64_t images = 0;
  std::vector<FailedImage> failed;
  IndexingResult result;
};

/// Throws UsageError for what is no URL of a database.
StoredCollection index_into_store(const StoreIndexing& what, const IndexingOptions& options);

/// A sentence, or the path of a picture.
using StoreSearch =
    std::function<std::vector<SearchResult>(bool is_image, const std::string& query)>;

StoreSearch search_in_store(const std::string& url, const std::filesystem::path& model,
                            const LoadOptions& load, const SearchOptions& options);

}  // namespace bridgetower::cli

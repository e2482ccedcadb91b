#include "cli/store.hpp"

#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/postgres/search.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <memory>
#include <utility>

#include "cli/common.hpp"

namespace bridgetower::cli {
namespace {

void check_url(const char* option, const std::string& url) {
  try {
    postgres::check_url(url);
  } catch (const InputError& error) {
    throw UsageError(std::string(option) + ": expected " + error.expected());
  }
}

}  // namespace

StoredCollection index_into_store(const StoreIndexing& what, const IndexingOptions& options) {
  check_url("--to", what.url);
  const std::string fingerprint = model_fingerprint(what.model);
  postgres::Store store(what.url);
  // Before the model is loaded. Without pictures there is nothing to make a store for.
  if (what.images.empty() || store.exists()) store.check_model(fingerprint);
  const Embedder embedder = Embedder::from_pretrained(what.model, what.load);
  store.create(fingerprint, embedder.size());
  StoredCollection collection;
  collection.place = store.place();
  collection.result = store.index_images(embedder, find_images(what.images), options);
  if (what.graph && !collection.result.interrupted) store.set_graph(*what.graph);
  collection.images = store.images();
  collection.failed = store.failed();
  return collection;
}

StoreSearch search_in_store(const std::string& url, const std::filesystem::path& model,
                            const LoadOptions& load, const SearchOptions& options) {
  check_url("--from", url);
  const auto search = std::make_shared<postgres::Search>(
      postgres::Search::from_pretrained(model, postgres::Store(url), options.rerank > 0, load));
  return [search, options](bool is_image, const std::string& query) {
    return is_image ? search->search(Image::load(query), options)
                    : search->search(std::string_view(query), options);
  };
}

}  // namespace bridgetower::cli

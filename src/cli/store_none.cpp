// In place of store.cpp where libpq was not found.
#include <bridgetower/core/error.hpp>

#include "cli/store.hpp"

namespace bridgetower::cli {
namespace {

[[noreturn]] void fail(const char* option) {
  throw ConfigError(option, "PostgreSQL", "a build with libpq", "one without");
}

}  // namespace

StoredCollection index_into_store(const StoreIndexing&, const IndexingOptions&) { fail("--to"); }

StoreSearch search_in_store(const std::string&, const std::filesystem::path&, const LoadOptions&,
                            const SearchOptions&) {
  fail("--from");
}

}  // namespace bridgetower::cli

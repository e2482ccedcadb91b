#pragma once

#include <bridgetower/search/two_stage_search.hpp>
#include <string>
#include <vector>

#include "cli/common.hpp"

namespace bridgetower::cli {

/// What search has in common with bridgetower-mpi's.
struct QueryOptions {
  ModelOptions model;
  Results results;
  std::string index;
  std::vector<std::string> texts;
  std::string text_file;
  SearchOptions search;

  /// Adds --index, --text, --texts, --top-k, --rerank, --filter and --min-score.
  void add_to(CLI::App& command);

  /// Those of --text, then those of --texts.
  std::vector<std::string> sentences() const;
};

}  // namespace bridgetower::cli

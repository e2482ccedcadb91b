#pragma once

#include <bridgetower/core/load_options.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/file.hpp"

namespace bridgetower::cli {

/// One query of a search and its answer, or why there is none.
struct ReportedQuery {
  bool is_image;
  std::string value;  ///< the sentence, or the picture's path
  std::vector<SearchResult> results;
  std::optional<Error> error;
};

/// The results of a search as one self-contained HTML page: thumbnails, both scores, and what each
/// word of the sentence looks at. Nothing is loaded from outside; it works without a network.
class Report {
 public:
  /// The file appears when it is complete; that it can be written is known at once. Throws IoError.
  explicit Report(const std::string& file) : file_(file) {}

  void add(ReportedQuery query) { queries_.push_back(std::move(query)); }

  /// Makes the page and ends the file. The model computes the attention; it is loaded where a
  /// sentence found something. A picture that cannot be shown gets a card with the error.
  void write(const std::filesystem::path& model, const LoadOptions& options);

 private:
  detail::OutputFile file_;
  std::vector<ReportedQuery> queries_;
};

}  // namespace bridgetower::cli

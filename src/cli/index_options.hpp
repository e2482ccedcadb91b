#pragma once

#include <bridgetower/pipeline/embed.hpp>
#include <bridgetower/search/index_images.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/common.hpp"

namespace bridgetower::cli {

/// What index has in common with bridgetower-mpi's.
struct IndexOptions {
  ModelOptions model;
  Results results;
  std::vector<std::string> images;
  std::string output;
  bool resume = false;
  std::string vectors = "float32";

  /// Adds --images, --output, --resume and --vectors; returns the first.
  CLI::Option* add_to(CLI::App& command);

  /// With one thread: index_images() has a thread for each picture.
  LoadOptions load_options() const;
  Embedder load_embedder(const std::filesystem::path& directory) const;
  IndexBuilder::Options builder_options() const;

  /// They show the progress in `results`.
  IndexingOptions indexing_options();
};

}  // namespace bridgetower::cli

#pragma once

#include <bridgetower/search/export.hpp>
#include <string>
#include <vector>

#include "cli/common.hpp"

namespace bridgetower::cli {

/// One export of an index that the command line asks for.
struct Export {
  std::string name;  ///< as on the command line: npy, safetensors, jsonl or pgvector
  ExportFormat format;
  std::string file;  ///< "-": standard output
};

/// Of FORMAT or FORMAT=FILE each; without a file it is named after the index and lies beside it.
/// Throws UsageError: an unknown format, a file twice, or standard output for what is no text.
std::vector<Export> exports_from(const std::vector<std::string>& arguments,
                                 const std::string& index);

bool uses_stdout(const std::vector<Export>& exports);

/// Writes them; what the summary says of them.
Json write_exports(const EmbeddingIndex& index, const std::vector<Export>& exports);

}  // namespace bridgetower::cli

#pragma once

#include <bridgetower/search/embedding_index.hpp>
#include <filesystem>
#include <functional>
#include <string_view>

namespace bridgetower {

/// What other programs read. Rows are in the order of the index, vectors are float32 (stored
/// bfloat16 is widened) and come back bit for bit from every format; docs/search.md describes each.
enum class ExportFormat {
  kNpy,          ///< NumPy, float32 [N, E]: the vectors alone
  kSafetensors,  ///< "embeddings" F32 [N, E], and the records as tensors beside it
  kJsonl,        ///< a JSON object a picture
  kPgvector      ///< a script for psql: a table, its rows and an HNSW index
};

/// Takes the next bytes of an export.
using ExportSink = std::function<void(std::string_view bytes)>;

/// Writes an index as one file, row after row, in bounded memory. Throws what `sink` throws, and
/// InputError for vectors longer than the 16,000 numbers that pgvector can hold.
void export_index(const EmbeddingIndex& index, ExportFormat format, const ExportSink& sink);

/// The file appears under its name only when complete. Throws IoError too.
void export_index(const EmbeddingIndex& index, ExportFormat format,
                  const std::filesystem::path& file);

}  // namespace bridgetower

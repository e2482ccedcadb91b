#include <bridgetower/search/export.hpp>

#include "core/file.hpp"
#include "io/npy.hpp"
#include "io/safetensors_header.hpp"
#include "search/exports.hpp"

namespace bridgetower {
namespace detail {
namespace {

void write_vectors(const EmbeddingIndex& index, BufferedSink& out) {
  for (std::int64_t row = 0; row < index.images(); ++row) {
    const Tensor<float> vector = index.vector(row);
    out.write(vector.data(), vector.size() * sizeof(float));
  }
}

/// For each row the number that `of(record)` returns, eight bytes each.
template <class Of>
void write_numbers(const EmbeddingIndex& index, BufferedSink& out, const Of& of) {
  for (std::int64_t row = 0; row < index.images(); ++row) {
    const auto number = static_cast<std::int64_t>(of(index.record(row)));
    out.write(&number, sizeof number);
  }
}

std::int64_t bytes_of_paths(const EmbeddingIndex& index) {
  std::int64_t bytes = 0;
  for (std::int64_t row = 0; row < index.images(); ++row) {
    bytes += static_cast<std::int64_t>(index.path(row).size());
  }
  return bytes;
}

}  // namespace

void export_npy(const EmbeddingIndex& index, BufferedSink& out) {
  out.write(npy_header(index.images(), index.size()));
  write_vectors(index, out);
}

/// Wide types first, so that every tensor is aligned. Paths are bytes and may be many: as metadata
/// they would have to be text, and the header may not grow beyond 100 MB.
void export_safetensors(const EmbeddingIndex& index, BufferedSink& out) {
  const std::int64_t rows = index.images();
  out.write(safetensors_header({{"path_ends", {DType::kI64, {rows}}},
                                {"size", {DType::kI64, {rows}}},
                                {"modified_ns", {DType::kI64, {rows}}},
                                {"embeddings", {DType::kF32, {rows, index.size()}}},
                                {"paths", {DType::kU8, {bytes_of_paths(index)}}},
                                {"sha256", {DType::kU8, {rows, 32}}}},
                               {{"model", index.model()}}));
  std::int64_t end = 0;
  write_numbers(index, out, [&end](const ImageRecord& record) {
    end += static_cast<std::int64_t>(record.path.size());
    return end;
  });
  write_numbers(index, out, [](const ImageRecord& record) { return record.bytes; });
  write_numbers(index, out, [](const ImageRecord& record) { return record.modified_ns; });
  write_vectors(index, out);
  for (std::int64_t row = 0; row < rows; ++row) out.write(index.path(row));
  for (std::int64_t row = 0; row < rows; ++row) {
    const ImageRecord record = index.record(row);
    out.write(record.sha256.data(), record.sha256.size());
  }
}

}  // namespace detail

void export_index(const EmbeddingIndex& index, ExportFormat format, const ExportSink& sink) {
  detail::BufferedSink out(sink);
  switch (format) {
    case ExportFormat::kNpy:
      detail::export_npy(index, out);
      break;
    case ExportFormat::kSafetensors:
      detail::export_safetensors(index, out);
      break;
    case ExportFormat::kJsonl:
      detail::export_jsonl(index, out);
      break;
    case ExportFormat::kPgvector:
      detail::export_pgvector(index, out);
      break;
  }
  out.flush();
}

void export_index(const EmbeddingIndex& index, ExportFormat format,
                  const std::filesystem::path& file) {
  detail::OutputFile out(file);
  export_index(index, format,
               [&out](std::string_view bytes) { out.write(bytes.data(), bytes.size()); });
  out.commit();
}

}  // namespace bridgetower

#pragma once

#include <bridgetower/search/embedding_index.hpp>
#include <bridgetower/search/export.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace bridgetower::detail {

/// Hands bytes on in pieces of a megabyte.
class BufferedSink {
 public:
  explicit BufferedSink(const ExportSink& sink) : sink_(sink) {}

  void write(std::string_view bytes) {
    buffer_ += bytes;
    if (buffer_.size() >= kBytes) flush();
  }
  void write(const void* bytes, std::size_t count) {
    write(std::string_view(static_cast<const char*>(bytes), count));
  }
  void flush() {
    sink_(buffer_);
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kBytes = 1 << 20;

  const ExportSink& sink_;
  std::string buffer_;
};

void export_npy(const EmbeddingIndex& index, BufferedSink& out);
void export_safetensors(const EmbeddingIndex& index, BufferedSink& out);
void export_jsonl(const EmbeddingIndex& index, BufferedSink& out);
void export_pgvector(const EmbeddingIndex& index, BufferedSink& out);

/// Nanoseconds since 1970 as ISO 8601: 2026-11-27T05:23:19.123456789Z
std::string utc_time(std::int64_t nanoseconds);

}  // namespace bridgetower::detail

#include "cli/vector_file.hpp"

#include <bridgetower/io/safetensors.hpp>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "io/npy.hpp"

namespace bridgetower::cli {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void write_rows(std::ostream& out, VectorFormat format, const VectorRows& rows) {
  const std::int64_t size = rows.vectors.dim(1);
  if (format == VectorFormat::kNpy) {
    out << detail::npy_header(rows.vectors.dim(0), size);
    out.write(reinterpret_cast<const char*>(rows.vectors.data()),
              static_cast<std::streamsize>(rows.vectors.size() * sizeof(float)));
    return;
  }
  for (std::size_t i = 0; i < rows.sources.size(); ++i) {
    Json record = rows.sources[i];
    const float* const vector = rows.vectors.data() + static_cast<std::int64_t>(i) * size;
    record["embedding"] = std::vector<float>(vector, vector + size);
    out << record.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
}

}  // namespace

VectorFormat vector_format(const std::string& file) {
  if (ends_with(file, ".npy")) return VectorFormat::kNpy;
  if (ends_with(file, ".safetensors")) return VectorFormat::kSafetensors;
  if (ends_with(file, ".jsonl") || file == "-") return VectorFormat::kJsonl;
  throw UsageError("--output " + file +
                   ": expected a name that ends in .npy, .safetensors or .jsonl, or -");
}

void write_vectors(const std::string& file, VectorFormat format, const VectorRows& rows) {
  if (format == VectorFormat::kSafetensors) {
    return write_safetensors(file, {{"embeddings", rows.vectors}}, {});
  }
  if (file == "-") {
    write_rows(std::cout, format, rows);
    std::cout.flush();
    if (!std::cout) throw IoError("standard output", "cannot be written");
    return;
  }
  std::error_code error;
  if (std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(file, error)) {
    throw IoError(file, "create", "a regular file", "another kind of file");
  }
  const std::string part = file + ".part";
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  if (out) write_rows(out, format, rows);
  out.close();
  if (out) std::filesystem::rename(part, file, error);
  if (!out || error) {
    std::filesystem::remove(part, error);
    throw IoError(file, "cannot be written");
  }
}

}  // namespace bridgetower::cli

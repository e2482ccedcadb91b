// A script for psql. Everything is one transaction: the whole table appears, or nothing.
#include <bridgetower/core/error.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "core/sha256.hpp"
#include "search/exports.hpp"

namespace bridgetower::detail {
namespace {

// Of pgvector's type vector, and of its index.
constexpr std::int64_t kMaxSize = 16000;
constexpr std::int64_t kMaxIndexedSize = 2000;

// The script up to the length of the vectors, and from there to the first row.
constexpr const char* kBeforeSize = R"(\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_encoding = 'UTF8';
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE bridgetower_images (
  id bigint PRIMARY KEY,
  path text NOT NULL,
  path_bytes bytea,
  size bigint NOT NULL,
  modified timestamptz NOT NULL,
  sha256 bytea NOT NULL,
  model text NOT NULL,
  embedding vector()";
constexpr const char* kAfterSize = R"() NOT NULL
);
COMMENT ON COLUMN bridgetower_images.path_bytes IS
  'the name where it is no UTF-8; path has U+FFFD in place of its invalid bytes then';
COPY bridgetower_images (id, path, path_bytes, size, modified, sha256, model, embedding) FROM stdin;
)";

/// After the rows: faster than an index that grows with them.
std::string index_definition(std::int64_t size) {
  if (size > kMaxIndexedSize) {
    return "-- No index: pgvector's HNSW takes vectors of at most " +
           std::to_string(kMaxIndexedSize) + " numbers.\n";
  }
  return "CREATE INDEX ON bridgetower_images USING hnsw (embedding vector_ip_ops);\n";
}

/// PostgreSQL's text is UTF-8 without zero bytes.
bool is_postgres_text(const std::string& text) {
  return is_utf8(text) && text.find('\0') == std::string::npos;
}

/// U+FFFD in place of what text cannot hold.
std::string replaced(const std::string& bytes) {
  using nlohmann::json;
  auto text = json::parse(json(bytes).dump(-1, ' ', false, json::error_handler_t::replace))
                  .get<std::string>();
  for (std::size_t at = 0; (at = text.find('\0', at)) != std::string::npos;) {
    text.replace(at, 1, "\xEF\xBF\xBD");
  }
  return text;
}

/// As a field of COPY's text format.
std::string escaped(const std::string& text) {
  constexpr std::string_view kSpecial = "\\\t\n\r";
  constexpr std::string_view kLetters = "\\tnr";
  std::string field;
  for (const char c : text) {
    const std::size_t found = kSpecial.find(c);
    if (found != std::string_view::npos) field += '\\';
    field += found == std::string_view::npos ? c : kLetters[found];
  }
  return field;
}

std::string bytea(const void* bytes, std::size_t count) { return "\\\\x" + to_hex(bytes, count); }

std::string path_fields(const std::string& path) {
  if (is_postgres_text(path)) return escaped(path) + "\t\\N";
  return escaped(replaced(path)) + "\t" + bytea(path.data(), path.size());
}

/// The shortest digits that give the same float again, which is how pgvector reads them.
std::string vector_field(const Tensor<float>& vector) {
  std::string field = "[";
  for (const float value : vector) {
    if (field.size() > 1) field += ',';
    char digits[32];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), value);
    field.append(digits, end.ptr);
  }
  return field + "]";
}

}  // namespace

void export_pgvector(const EmbeddingIndex& index, BufferedSink& out) {
  if (index.size() > kMaxSize) {
    throw InputError("pgvector", "length of the vectors", "at most " + std::to_string(kMaxSize),
                     std::to_string(index.size()));
  }
  out.write(kBeforeSize + std::to_string(index.size()) + kAfterSize);
  for (std::int64_t row = 0; row < index.images(); ++row) {
    const ImageRecord record = index.record(row);
    out.write(std::to_string(row) + "\t" + path_fields(record.path) + "\t" +
              std::to_string(record.bytes) + "\t" + utc_time(record.modified_ns) + "\t" +
              bytea(record.sha256.data(), record.sha256.size()) + "\t" + index.model() + "\t" +
              vector_field(index.vector(row)) + "\n");
  }
  out.write("\\.\n");
  out.write(index_definition(index.size()));
  out.write("COMMIT;\n");
}

}  // namespace bridgetower::detail

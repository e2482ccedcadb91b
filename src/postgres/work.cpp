#include "postgres/work.hpp"

#include <algorithm>
#include <map>

#include "postgres/copy_in.hpp"
#include "postgres/wire.hpp"
#include "search/file_state.hpp"

namespace bridgetower::postgres {
namespace {

constexpr std::int64_t kMostOfBlock = 64;  // what a process that dies takes with it
constexpr std::int64_t kShares = 8;        // of the rest, towards the end

// Of this connection alone, and empty after every transaction: the files that were found, and what
// was made of some of them.
constexpr const char* kStages = R"(
CREATE TEMPORARY TABLE IF NOT EXISTS bridgetower_found (
  key bytea GENERATED ALWAYS AS (sha256(path)) STORED,
  path bytea,
  size bigint,
  modified_ns bigint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS bridgetower_made (
  key bytea GENERATED ALWAYS AS (sha256(path)) STORED,
  path bytea,
  size bigint,
  modified_ns bigint,
  sha256 bytea,
  embedding vector,
  code bytea,
  message bytea
) ON COMMIT DELETE ROWS)";

constexpr const char* kStore = R"(
INSERT INTO bridgetower.pictures (path, size, modified_ns, sha256, embedding)
  SELECT path, size, modified_ns, sha256, embedding FROM pg_temp.bridgetower_made
  WHERE embedding IS NOT NULL
  ON CONFLICT (key) DO UPDATE SET size = excluded.size, modified_ns = excluded.modified_ns,
    sha256 = excluded.sha256, embedding = excluded.embedding;
DELETE FROM bridgetower.failed f USING pg_temp.bridgetower_made m
  WHERE f.key = m.key AND m.embedding IS NOT NULL;
INSERT INTO bridgetower.failed (path, code, message)
  SELECT path, code, message FROM pg_temp.bridgetower_made WHERE code IS NOT NULL
  ON CONFLICT (key) DO UPDATE SET code = excluded.code, message = excluded.message;
DELETE FROM bridgetower.pictures p USING pg_temp.bridgetower_made m
  WHERE p.key = m.key AND m.code IS NOT NULL;
DELETE FROM bridgetower.work w USING pg_temp.bridgetower_made m WHERE w.key = m.key;
TRUNCATE pg_temp.bridgetower_made)";

// Of pictures and failed files in or below a directory, those that were not found now.
constexpr const char* kNotFound = R"(
SELECT t.path FROM (
  SELECT key, path FROM bridgetower.pictures UNION SELECT key, path FROM bridgetower.failed) t
WHERE (t.path = $1::bytea OR substr(t.path, 1, octet_length($2::bytea)) = $2::bytea)
  AND NOT EXISTS (SELECT FROM pg_temp.bridgetower_found f WHERE f.key = t.key))";

constexpr const char* kRemove = R"(
DELETE FROM bridgetower.pictures p USING pg_temp.bridgetower_made m WHERE p.key = m.key;
DELETE FROM bridgetower.failed f USING pg_temp.bridgetower_made m WHERE f.key = m.key;
DELETE FROM bridgetower.work w USING pg_temp.bridgetower_made m WHERE w.key = m.key;
TRUNCATE pg_temp.bridgetower_made)";

constexpr const char* kAddWork = R"(
INSERT INTO bridgetower.work (path)
  SELECT f.path FROM pg_temp.bridgetower_found f LEFT JOIN bridgetower.pictures p USING (key)
  WHERE p.key IS NULL OR p.size IS DISTINCT FROM f.size
    OR p.modified_ns IS DISTINCT FROM f.modified_ns
  ORDER BY f.path
  ON CONFLICT (key) DO NOTHING)";

// A picture may be stored already: the work was finished by another process, after this one had
// found it missing and before it added the work.
constexpr const char* kClaim = R"(
SELECT w.path, p.size, p.modified_ns
FROM bridgetower.work w LEFT JOIN bridgetower.pictures p USING (key)
ORDER BY w.id LIMIT $1::bigint FOR UPDATE OF w SKIP LOCKED)";

}  // namespace

Work::Work(Connection& connection) : connection_(connection) { connection_.execute(kStages); }

std::int64_t Work::plan(const ImageFiles& images) {
  Transaction transaction(connection_);
  CopyIn found(connection_, "pg_temp.bridgetower_found (path, size, modified_ns)");
  for (const std::string& path : images.files) {
    const std::optional<ImageRecord> file = detail::state_of(path);
    if (file) {
      found.add(
          {path, to_wire(static_cast<std::int64_t>(file->bytes)), to_wire(file->modified_ns)});
    } else {
      found.add({path, std::nullopt, std::nullopt});
    }
  }
  found.finish();
  std::vector<EncodedImage> removed;
  for (std::string& path : gone(images.directories)) {
    removed.emplace_back().file.path = std::move(path);
  }
  stage(removed);
  connection_.execute(kRemove);
  std::map<std::string, EncodedImage> failed;  // a directory may be given twice
  for (const auto& [directory, error] : images.failed) {
    failed[directory].failure = {directory, to_string(error.code()), error.what()};
  }
  std::vector<EncodedImage> recorded;
  for (const auto& [directory, image] : failed) recorded.push_back(image);
  finish(recorded);
  connection_.execute(kAddWork);
  transaction.commit();
  return static_cast<std::int64_t>(removed.size());
}

std::vector<std::string> Work::gone(const std::vector<std::string>& directories) {
  std::vector<std::string> paths;
  for (const std::string& directory : directories) {
    const std::string below = directory.back() == '/' ? directory : directory + "/";
    const Rows rows = connection_.query(kNotFound, {directory, below});
    for (int row = 0; row < rows.size(); ++row) {
      std::string path(rows.bytes(row, 0));
      if (detail::is_gone(path)) paths.push_back(std::move(path));
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

std::int64_t Work::left() {
  return connection_.query("SELECT count(*) FROM bridgetower.work").integer(0, 0);
}

std::vector<Claim> Work::claim(int threads) {
  // No more is counted than matters: there may be millions.
  const std::int64_t most = kMostOfBlock * kShares;
  const std::int64_t rest =
      connection_
          .query("SELECT count(*) FROM (SELECT FROM bridgetower.work LIMIT $1::bigint) w",
                 {to_wire(most)})
          .integer(0, 0);
  const std::int64_t count = std::max(std::int64_t{threads}, rest / kShares);
  const Rows rows = connection_.query_prepared("claim", kClaim, {to_wire(count)});
  std::vector<Claim> claims;
  for (int row = 0; row < rows.size(); ++row) {
    Claim claim{std::string(rows.bytes(row, 0)), !rows.is_null(row, 1)};
    if (claim.is_stored) {
      claim.size = rows.integer(row, 1);
      claim.modified_ns = rows.integer(row, 2);
    }
    claims.push_back(std::move(claim));
  }
  return claims;
}

void Work::finish(const std::vector<EncodedImage>& images) {
  if (images.empty()) return;
  stage(images);
  connection_.execute(kStore);
}

void Work::stage(const std::vector<EncodedImage>& images) {
  CopyIn made(
      connection_,
      "pg_temp.bridgetower_made (path, size, modified_ns, sha256, embedding, code, message)");
  for (const EncodedImage& image : images) {
    std::vector<std::optional<std::string>> row(7);
    if (image.failure) {
      row[0] = image.failure->path;
      row[5] = image.failure->code;
      row[6] = image.failure->message;
    } else {
      row[0] = image.file.path;
    }
    if (!image.failure && image.vector.size() > 0) {
      row[1] = to_wire(static_cast<std::int64_t>(image.file.bytes));
      row[2] = to_wire(image.file.modified_ns);
      row[3] = std::string(image.file.sha256.begin(), image.file.sha256.end());
      row[4] = vector_to_wire(image.vector);
    }
    made.add(row);
  }
  made.finish();
}

}  // namespace bridgetower::postgres

#include "postgres/schema.hpp"

#include "postgres/wire.hpp"

namespace bridgetower::postgres {
namespace {

constexpr std::int64_t kVersion = 1;

// Of pgvector's type vector, and of its index.
constexpr std::int64_t kMaxSize = 16000;
constexpr std::int64_t kMaxIndexedSize = 2000;

/// Vectors that fit into a page with the rest of their row are kept there: reading all of them, as
/// an exact search does, would be slow otherwise.
constexpr std::int64_t kMaxPlainSize = 1500;

/// Only one process at a time makes tables or indexes; held until the transaction ends.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(7092815204371)";

// From here to the length of the vectors, and on.
constexpr const char* kTables = R"(
CREATE SCHEMA bridgetower;
CREATE TABLE bridgetower.store (
  the_one boolean PRIMARY KEY DEFAULT true CHECK (the_one),
  version bigint NOT NULL,
  model text NOT NULL,
  vector_size bigint NOT NULL
);
CREATE TABLE bridgetower.work (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  key bytea UNIQUE GENERATED ALWAYS AS (sha256(path)) STORED,
  path bytea NOT NULL
);
CREATE TABLE bridgetower.failed (
  key bytea PRIMARY KEY GENERATED ALWAYS AS (sha256(path)) STORED,
  path bytea NOT NULL,
  code bytea NOT NULL,
  message bytea NOT NULL
);
CREATE TABLE bridgetower.pictures (
  key bytea PRIMARY KEY GENERATED ALWAYS AS (sha256(path)) STORED,
  path bytea NOT NULL,
  size bigint NOT NULL,
  modified_ns bigint NOT NULL,
  sha256 bytea NOT NULL,
  embedding vector()";
constexpr const char* kAfterSize = ") NOT NULL\n);\n";
constexpr const char* kPlain =
    "ALTER TABLE bridgetower.pictures ALTER COLUMN embedding SET STORAGE PLAIN;";

bool is_true(Connection& connection, const char* sql) {
  return connection.query(sql).boolean(0, 0);
}

bool has_extension(Connection& connection) {
  return is_true(connection, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')");
}

[[noreturn]] void fail_without_extension(const std::string& place) {
  throw ConfigError(place, "extension vector", "a server with pgvector", "one without");
}

void create_extension(Connection& connection) {
  if (has_extension(connection)) return;
  if (!is_true(connection,
               "SELECT EXISTS (SELECT FROM pg_available_extensions "
               "WHERE name = 'vector')")) {
    fail_without_extension(connection.place());
  }
  connection.execute("CREATE EXTENSION vector");
}

/// The type and the operators of pgvector are found wherever it was installed, and no others.
void use_extension(Connection& connection) {
  if (!has_extension(connection)) fail_without_extension(connection.place());
  connection.query(
      "SELECT set_config('search_path', quote_ident(nspname) || ', pg_temp', false) "
      "FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector'");
}

void create_tables(Connection& connection, const std::string& model, std::int64_t size) {
  connection.execute(kTables + std::to_string(size) + kAfterSize);
  if (size <= kMaxPlainSize) connection.execute(kPlain);
  connection.query(
      "INSERT INTO bridgetower.store (version, model, vector_size) "
      "VALUES ($1::bigint, $2::text, $3::bigint) RETURNING the_one",
      {to_wire(kVersion), model, to_wire(size)});
}

}  // namespace

bool has_schema(Connection& connection) {
  // Not to_regclass(): what that has not found once, it may go on not finding in a transaction that
  // waited for the lock.
  return is_true(
      connection,
      "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
      "WHERE nspname = 'bridgetower' AND relname = 'store')");
}

void create_schema(Connection& connection, const std::string& model, std::int64_t size) {
  if (size > kMaxSize) {
    throw InputError(connection.place(), "length of the vectors",
                     "at most " + std::to_string(kMaxSize), std::to_string(size));
  }
  Transaction transaction(connection);
  connection.execute(kLock);
  if (!has_schema(connection)) {
    create_extension(connection);
    use_extension(connection);
    create_tables(connection, model, size);
  }
  const std::int64_t stored = check_schema(connection, model);
  if (stored != size) {
    throw InputError(connection.place(), "length of the vectors", std::to_string(stored),
                     std::to_string(size));
  }
  transaction.commit();
}

std::int64_t check_schema(Connection& connection, const std::string& model) {
  const std::string& place = connection.place();
  if (!has_schema(connection)) {
    throw InputError(place, "store", "one that bridgetower index --to made", "none");
  }
  use_extension(connection);
  const Rows rows = connection.query("SELECT version, model, vector_size FROM bridgetower.store");
  if (rows.size() != 1) {
    throw FormatError(place, "bridgetower.store", "one row", std::to_string(rows.size()));
  }
  const std::int64_t version = rows.integer(0, 0);
  if (version != kVersion) {
    throw FormatError(place, "version of the store", std::to_string(kVersion),
                      std::to_string(version));
  }
  const std::string stored(rows.bytes(0, 1));
  if (stored != model) throw InputError(place, "model of the store", model, stored);
  const std::int64_t size = rows.integer(0, 2);
  if (size < 1 || size > kMaxSize) {
    throw FormatError(place, "length of the vectors", "1 to " + std::to_string(kMaxSize),
                      std::to_string(size));
  }
  return size;
}

void set_graph(Connection& connection, bool wanted) {
  Transaction transaction(connection);
  connection.execute(kLock);
  if (!wanted) {
    connection.execute("DROP INDEX IF EXISTS bridgetower.pictures_hnsw");
  } else {
    const Rows rows = connection.query("SELECT vector_size FROM bridgetower.store");
    if (rows.size() == 1 && rows.integer(0, 0) > kMaxIndexedSize) {
      throw InputError(connection.place(), "length of vectors in a graph",
                       "at most " + std::to_string(kMaxIndexedSize),
                       std::to_string(rows.integer(0, 0)));
    }
    connection.execute(
        "CREATE INDEX IF NOT EXISTS pictures_hnsw ON bridgetower.pictures "
        "USING hnsw (embedding vector_ip_ops)");
  }
  transaction.commit();
}

bool has_graph(Connection& connection) {
  return is_true(connection, "SELECT to_regclass('bridgetower.pictures_hnsw') IS NOT NULL");
}

}  // namespace bridgetower::postgres

#include "postgres/connection.hpp"

#include <algorithm>
#include <utility>

#include "postgres/url.hpp"
#include "postgres/wire.hpp"

namespace bridgetower::postgres {
namespace {

constexpr int kOldestServer = 120000;  // generated columns

// A server gives back what a process has taken when it knows that the process is gone. Of a machine
// that lost its power it knows by these, two minutes later.
constexpr const char* kSession =
    "SET client_min_messages = warning;"
    "SET idle_in_transaction_session_timeout = 0;"
    "SET tcp_keepalives_idle = 60;"
    "SET tcp_keepalives_interval = 10;"
    "SET tcp_keepalives_count = 6";

/// libpq's messages have several lines.
std::string one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    const bool space = c == '\n' || c == '\t' || c == ' ';
    if (!space) line += c;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

/// The arrays that libpq takes.
struct Parameters {
  explicit Parameters(const std::vector<std::string_view>& parameters) {
    for (const std::string_view parameter : parameters) {
      values.push_back(parameter.data());
      lengths.push_back(static_cast<int>(parameter.size()));
      formats.push_back(1);
    }
  }
  int count() const { return static_cast<int>(values.size()); }

  std::vector<const char*> values;  // nullptr: null
  std::vector<int> lengths;
  std::vector<int> formats;
};

}  // namespace

std::string_view Rows::bytes(int row, int column) const {
  if (is_null(row, column)) {
    throw FormatError(place_, PQfname(result_.get(), column), "a value", "null");
  }
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::string_view Rows::bytes(int row, int column, std::size_t expected) const {
  const std::string_view value = bytes(row, column);
  if (value.size() != expected) {
    throw FormatError(place_, PQfname(result_.get(), column), std::to_string(expected) + " bytes",
                      std::to_string(value.size()));
  }
  return value;
}

std::int64_t Rows::integer(int row, int column) const {
  return from_wire<std::int64_t>(bytes(row, column, sizeof(std::int64_t)));
}

bool Rows::boolean(int row, int column) const { return bytes(row, column, 1)[0] != 0; }

Connection::Connection(const std::string& url) : url_(url), place_(place_of(url)) { connect(); }

void Connection::connect() {
  // What stands before the URL is overruled by it.
  const char* const keywords[] = {"connect_timeout", "fallback_application_name", "dbname",
                                  "client_encoding", nullptr};
  const char* const values[] = {"15", "bridgetower", url_.c_str(), "UTF8", nullptr};
  prepared_.clear();
  connection_.reset(PQconnectdbParams(keywords, values, 1));
  if (connection_ == nullptr) throw std::bad_alloc();
  if (is_lost()) {
    throw IoError(place_, "connect: " + one_line(PQerrorMessage(connection_.get())));
  }
  // The library never prints.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  const int version = PQserverVersion(connection_.get());
  if (version < kOldestServer) {
    throw ConfigError(place_, "server", "PostgreSQL 12 or later", std::to_string(version / 10000));
  }
  execute(kSession);
}

void Connection::reconnect() { connect(); }

void Connection::execute(const std::string& sql) {
  checked(PQexec(connection_.get(), sql.c_str()), PGRES_COMMAND_OK);
}

Rows Connection::query(const char* sql, const std::vector<std::string_view>& parameters) {
  const Parameters given(parameters);
  Result result =
      checked(PQexecParams(connection_.get(), sql, given.count(), nullptr, given.values.data(),
                           given.lengths.data(), given.formats.data(), 1),
              PGRES_TUPLES_OK);
  return {place_, std::move(result)};
}

Rows Connection::query_prepared(const char* name, const char* sql,
                                const std::vector<std::string_view>& parameters) {
  if (std::find(prepared_.begin(), prepared_.end(), name) == prepared_.end()) {
    checked(PQprepare(connection_.get(), name, sql, 0, nullptr), PGRES_COMMAND_OK);
    prepared_.emplace_back(name);
  }
  const Parameters given(parameters);
  Result result =
      checked(PQexecPrepared(connection_.get(), name, given.count(), given.values.data(),
                             given.lengths.data(), given.formats.data(), 1),
              PGRES_TUPLES_OK);
  return {place_, std::move(result)};
}

Result Connection::checked(PGresult* got, ExecStatusType expected) {
  Result result(got);
  const ExecStatusType status = PQresultStatus(got);
  // A text of several statements may end with one that gives rows.
  if (status == expected || (expected == PGRES_COMMAND_OK && status == PGRES_TUPLES_OK)) {
    return result;
  }
  fail(got);
}

void Connection::fail(const PGresult* result) {
  const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* const detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  std::string message = one_line(primary == nullptr ? PQerrorMessage(connection_.get()) : primary);
  if (detail != nullptr) message += " (" + one_line(detail) + ")";
  throw IoError(place_, (is_lost() ? "connection lost: " : "server: ") + message);
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.execute("BEGIN ISOLATION LEVEL READ COMMITTED");
}

Transaction::~Transaction() {
  if (!open_ || connection_.is_lost()) return;
  try {
    connection_.execute("ROLLBACK");
  } catch (const Error&) {  // the server rolls back what has no connection
  }
}

void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace bridgetower::postgres

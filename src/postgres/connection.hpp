#pragma once

#include <libpq-fe.h>

#include <bridgetower/core/error.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridgetower::postgres {

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

/// Rows that the server sent, in the binary format.
class Rows {
 public:
  Rows(std::string place, Result result) : place_(std::move(place)), result_(std::move(result)) {}

  int size() const { return PQntuples(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) == 1; }

  /// Of text and bytea. These throw FormatError for null and for a value of another length.
  std::string_view bytes(int row, int column) const;
  std::int64_t integer(int row, int column) const;  ///< of bigint
  bool boolean(int row, int column) const;

 private:
  std::string_view bytes(int row, int column, std::size_t expected) const;

  std::string place_;
  Result result_;
};

/// A connection to a database. Every failure is an Error that names the database and what the
/// server or libpq said: IoError where nothing else is said.
class Connection {
 public:
  /// Throws as Store does.
  explicit Connection(const std::string& url);

  const std::string& place() const noexcept { return place_; }

  /// Several statements may be one text.
  void execute(const std::string& sql);

  /// Parameters and rows are in the binary format.
  Rows query(const char* sql, const std::vector<std::string_view>& parameters = {});

  /// The same of one statement that is planned once; `name` is its own.
  Rows query_prepared(const char* name, const char* sql,
                      const std::vector<std::string_view>& parameters);

  bool is_lost() const { return PQstatus(connection_.get()) != CONNECTION_OK; }
  void reconnect();

 private:
  friend class CopyIn;

  void connect();
  Result checked(PGresult* got, ExecStatusType expected);
  [[noreturn]] void fail(const PGresult* result);

  std::string url_;
  std::string place_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, PQfinish};
  std::vector<std::string> prepared_;
};

/// BEGIN, whatever the server's default, so that every statement sees what others have committed
/// by then; and ROLLBACK unless commit() was called.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace bridgetower::postgres

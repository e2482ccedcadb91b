#include "postgres/copy_in.hpp"

#include "postgres/wire.hpp"

namespace bridgetower::postgres {

CopyIn::CopyIn(Connection& connection, const std::string& target) : connection_(connection) {
  const std::string sql = "COPY " + target + " FROM STDIN (FORMAT binary)";
  connection_.checked(PQexec(connection_.connection_.get(), sql.c_str()), PGRES_COPY_IN);
  send(
      {"PGCOPY\n\377\r\n\0"
       "\0\0\0\0"   // flags
       "\0\0\0\0",  // length of an extension of this header
       19});
}

/// A COPY that is not finished is given up, so that the connection takes other commands again.
CopyIn::~CopyIn() {
  if (!open_) return;
  PGconn* const connection = connection_.connection_.get();
  if (PQputCopyEnd(connection, "given up") != 1) return;
  while (PGresult* const result = PQgetResult(connection)) PQclear(result);
}

void CopyIn::add(const std::vector<std::optional<std::string>>& values) {
  std::string row = to_wire(static_cast<std::int16_t>(values.size()));
  for (const std::optional<std::string>& value : values) {
    row += to_wire(value ? static_cast<std::int32_t>(value->size()) : std::int32_t{-1});
    if (value) row += *value;
  }
  send(row);
}

void CopyIn::finish() {
  send(to_wire(std::int16_t{-1}));
  PGconn* const connection = connection_.connection_.get();
  if (PQputCopyEnd(connection, nullptr) != 1) connection_.fail(nullptr);
  open_ = false;
  const auto result = connection_.checked(PQgetResult(connection), PGRES_COMMAND_OK);
  while (PGresult* const rest = PQgetResult(connection)) PQclear(rest);
}

void CopyIn::send(std::string_view bytes) {
  PGconn* const connection = connection_.connection_.get();
  if (PQputCopyData(connection, bytes.data(), static_cast<int>(bytes.size())) != 1) {
    connection_.fail(nullptr);
  }
}

}  // namespace bridgetower::postgres

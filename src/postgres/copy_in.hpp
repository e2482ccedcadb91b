#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/connection.hpp"

namespace bridgetower::postgres {

/// COPY … FROM STDIN (FORMAT binary): rows on their way into a table.
class CopyIn {
 public:
  /// `target` is a table and its columns, as SQL has it.
  CopyIn(Connection& connection, const std::string& target);
  CopyIn(const CopyIn&) = delete;
  CopyIn& operator=(const CopyIn&) = delete;
  ~CopyIn();

  /// A value for each column; none is null.
  void add(const std::vector<std::optional<std::string>>& values);

  void finish();

 private:
  void send(std::string_view bytes);

  Connection& connection_;
  bool open_ = true;
};

}  // namespace bridgetower::postgres

#pragma once

#include <cstdint>
#include <string>

#include "postgres/connection.hpp"

// The tables of a store, all in the schema "bridgetower". Names, messages and sums are bytea, as
// names are bytes and a database need not be of UTF-8. The key of a path is its SHA-256: an index
// of PostgreSQL takes less than 2,704 bytes, a path may have 4,096.
namespace bridgetower::postgres {

bool has_schema(Connection& connection);

/// As Store::create.
void create_schema(Connection& connection, const std::string& model, std::int64_t size);

/// The length of the vectors. Throws InputError where there is no store or it is another model's,
/// FormatError for another version.
std::int64_t check_schema(Connection& connection, const std::string& model);

/// As Store::set_graph.
void set_graph(Connection& connection, bool wanted);
bool has_graph(Connection& connection);

}  // namespace bridgetower::postgres

#pragma once

#include <string>
#include <vector>

#include "cli/common.hpp"

namespace bridgetower::cli {

/// Reads and checks indexes, or directories of parts; writes a record for each.
void verify_indexes(const std::vector<std::string>& directories, int threads, Results& results);

}  // namespace bridgetower::cli

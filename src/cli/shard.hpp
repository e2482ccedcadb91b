#pragma once

#include <bridgetower/search/shards.hpp>
#include <string>

namespace bridgetower::cli {

/// Of "3/8", or of "auto": what the scheduler that started this process says. Throws UsageError.
Shard shard_from(const std::string& argument);

}  // namespace bridgetower::cli

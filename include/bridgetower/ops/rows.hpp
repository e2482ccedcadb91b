#pragma once

#include <algorithm>
#include <bridgetower/core/parallel.hpp>
#include <cstdint>

namespace bridgetower::ops {

/// Calls function(begin, end) for blocks of rows that together are [0, rows), in parallel where
/// there is enough to do. The function must treat every row by itself.
template <class Function>
void for_row_blocks(std::int64_t rows, std::int64_t row_size, const Function& function) {
  constexpr std::int64_t kElementsInBlock = 16384;
  const std::int64_t block =
      std::max<std::int64_t>(1, kElementsInBlock / std::max<std::int64_t>(1, row_size));
  parallel_for((rows + block - 1) / block,
               [&](std::int64_t i) { function(i * block, std::min(rows, (i + 1) * block)); });
}

}  // namespace bridgetower::ops

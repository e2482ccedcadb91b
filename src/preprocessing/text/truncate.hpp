#pragma once

#include <bridgetower/preprocessing/text/encoding.hpp>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace bridgetower::detail {

/// Tokens of a text and its pair.
struct Lengths {
  std::size_t first;
  std::size_t second;
  bool pair;
};

/// How many tokens of each text stay, `limit` of both together. Throws InputError where the
/// strategy cannot reach the limit.
Lengths truncated_lengths(const Lengths& lengths, std::int64_t limit, Truncation strategy);

/// Cuts `count` tokens to windows of `size` that share `stride` tokens: [begin, end) of the one
/// that is kept, then of those that overflow. Throws InputError for a stride that is not below the
/// size.
std::vector<std::pair<std::size_t, std::size_t>> windows(std::size_t count, std::size_t size,
                                                         std::int64_t stride, bool from_left);

}  // namespace bridgetower::detail

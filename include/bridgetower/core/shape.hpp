#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace bridgetower {

/// Sizes of a tensor's axes, outermost first; empty for a scalar.
///
/// Letters used in every shape comment of the library, e.g. [B, L, D]:
/// B batch, L text tokens, P image positions (patches + 1), N either of the two, D hidden size,
/// H attention heads, K head size, F feed-forward size, V vocabulary, E contrastive size, C
/// channels.
using Shape = std::vector<std::int64_t>;

/// "[2, 3, 768]"
inline std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

/// Product of the sizes; -1 when one is negative or the product does not fit into 63 bits.
inline std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return -1;
    if (size == 0) {
      empty = true;
    } else if (count > std::numeric_limits<std::int64_t>::max() / size) {
      return -1;
    } else {
      count *= size;
    }
  }
  return empty ? 0 : count;
}

}  // namespace bridgetower

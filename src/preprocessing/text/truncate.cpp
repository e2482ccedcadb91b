#include "preprocessing/text/truncate.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <string>

namespace bridgetower::detail {
namespace {

/// The engine's rule: the shorter text stays whole where it can; of two that are cut to the same
/// length the odd token goes to the longer, and to the second where both are equal.
Lengths longest_first(Lengths lengths, std::size_t limit) {
  const bool second_is_longer = lengths.second >= lengths.first;
  std::size_t shorter = std::min(lengths.first, lengths.second);
  std::size_t longer = std::max(lengths.first, lengths.second);
  longer = std::max(shorter, limit - std::min(limit, shorter));
  if (shorter + longer > limit) {
    shorter = limit / 2;
    longer = shorter + limit % 2;
  }
  lengths.first = second_is_longer ? shorter : longer;
  lengths.second = second_is_longer ? longer : shorter;
  return lengths;
}

}  // namespace

Lengths truncated_lengths(const Lengths& lengths, std::int64_t limit_given, Truncation strategy) {
  const auto limit = static_cast<std::size_t>(limit_given);
  const std::size_t total = lengths.first + lengths.second;
  if (strategy == Truncation::kNone || total <= limit) return lengths;
  if (limit == 0) return {0, 0, lengths.pair};
  if (strategy == Truncation::kLongestFirst) {
    return lengths.pair ? longest_first(lengths, limit) : Lengths{limit, 0, false};
  }
  const bool first = strategy == Truncation::kOnlyFirst;
  const std::size_t cut = total - limit;
  const std::size_t available = first ? lengths.first : lengths.second;
  if (!first && !lengths.pair) {
    throw InputError("truncation", "only_second", "a pair of texts", "one text");
  }
  if (available <= cut) {
    throw InputError("truncation",
                     std::string(first ? "only_first" : "only_second") + ": tokens to remove",
                     "fewer than the text's " + std::to_string(available), std::to_string(cut));
  }
  Lengths kept = lengths;
  (first ? kept.first : kept.second) -= cut;
  return kept;
}

std::vector<std::pair<std::size_t, std::size_t>> windows(std::size_t count, std::size_t size,
                                                         std::int64_t stride, bool from_left) {
  if (stride < 0) throw InputError("stride", "value", "0 or more", std::to_string(stride));
  if (size >= count) return {{0, count}};
  if (size == 0) return {{0, 0}, {0, count}};
  if (static_cast<std::size_t>(stride) >= size) {
    throw InputError("stride", "value", "0 to " + std::to_string(size - 1), std::to_string(stride));
  }
  std::vector<std::pair<std::size_t, std::size_t>> all;
  const std::size_t step = size - static_cast<std::size_t>(stride);
  for (std::size_t start = 0;; start += step) {
    const std::size_t end = std::min(count, start + size);
    all.emplace_back(from_left ? count - end : start, from_left ? count - start : end);
    if (end == count) return all;
  }
}

}  // namespace bridgetower::detail

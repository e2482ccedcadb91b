#include "preprocessing/text/unicode.hpp"

#include <algorithm>
#include <iterator>

namespace bridgetower::detail {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
  CharClass kind;
};

constexpr Range kRanges[] = {
#include "preprocessing/text/unicode_ranges.inc"
};

std::uint32_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

}  // namespace

CharClass char_class(std::uint32_t code_point) noexcept {
  const Range* const range =
      std::upper_bound(std::begin(kRanges), std::end(kRanges), code_point,
                       [](std::uint32_t value, const Range& r) { return value < r.first; });
  if (range == std::begin(kRanges)) return CharClass::kOther;
  const Range& before = *std::prev(range);
  return code_point <= before.last ? before.kind : CharClass::kOther;
}

CodePoint code_point_at(std::string_view text, std::size_t position) noexcept {
  const std::uint32_t lead = byte_at(text, position);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t value = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i)
    value = value << 6 | (byte_at(text, position + i) & 0x3F);
  return {value, length};
}

void append_utf8(std::uint32_t code_point, std::string& out) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) return put(code_point);
  put(0xC0 | code_point >> 6);
  put(0x80 | (code_point & 0x3F));
}

}  // namespace bridgetower::detail

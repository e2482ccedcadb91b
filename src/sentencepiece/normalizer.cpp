#include "sentencepiece/normalizer.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>

#include "preprocessing/text/unicode.hpp"

namespace bridgetower::detail {
namespace {

constexpr std::size_t kLongestReplacement = 256;
constexpr std::size_t kLongestKey = 256;  // a trie may lead in a circle

std::uint32_t little_endian(std::string_view bytes, std::size_t position) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[position + i]);
  }
  return value;
}

/// A unit of the double array: a byte, where its successors are, and whether a key ends here.
struct Unit {
  std::uint32_t bits;

  bool leads_to(std::uint32_t byte) const { return (bits & 0x800000FF) == byte; }
  bool ends_key() const { return (bits >> 8 & 1) != 0; }
  std::size_t offset() const { return std::size_t{bits >> 10} << ((bits & 0x200) >> 6); }
  std::size_t value() const { return bits & 0x7FFFFFFF; }
};

std::size_t character_end(std::string_view text, std::size_t position, std::size_t end) {
  return std::min(position + code_point_at(text, position).bytes, end);
}

}  // namespace

Normalizer::Normalizer(std::string_view table, const std::string& place, std::uint64_t max_bytes)
    : max_bytes_(max_bytes) {
  const auto refuse = [&place](const std::string& expected, const std::string& got) {
    throw FormatError(place, "normalizer_spec.precompiled_charsmap", expected, got);
  };
  if (table.empty()) return;
  const std::size_t trie_bytes = table.size() < 4 ? 0 : little_endian(table, 0);
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > table.size() - 4) {
    refuse("a trie and its size in front", std::to_string(table.size()) + " bytes");
  }
  for (std::size_t i = 0; i < trie_bytes; i += 4) trie_.push_back(little_endian(table, 4 + i));
  strings_ = std::string(table.substr(4 + trie_bytes));
  if (strings_.empty() || strings_.back() != '\0' ||
      find_invalid_utf8(strings_) != std::string_view::npos) {
    refuse("replacements in UTF-8 that end in a zero byte", "others");
  }
  for (std::size_t begin = 0; begin < strings_.size();) {
    const std::size_t end = strings_.find('\0', begin);
    if (end - begin > kLongestReplacement) {
      refuse("replacements of at most " + std::to_string(kLongestReplacement) + " bytes",
             std::to_string(end - begin) + " bytes");
    }
    begin = end + 1;
  }
}

/// The longest key of the table that the text has here, else the character itself.
Normalizer::Replacement Normalizer::replacement_at(std::string_view text,
                                                   std::size_t position) const {
  Replacement best{text.substr(position, code_point_at(text, position).bytes), 0};
  // Positions in the trie are not trusted: one that is outside ends the search.
  std::size_t node = trie_.empty() ? 0 : Unit{trie_[0]}.offset();
  const std::size_t end = position + std::min(text.size() - position, kLongestKey);
  for (std::size_t i = position; i < end; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= trie_.size()) break;
    const Unit unit{trie_[node]};
    if (!unit.leads_to(byte)) break;
    node ^= unit.offset();
    if (node >= trie_.size()) break;
    if (!unit.ends_key()) continue;
    const std::size_t value = Unit{trie_[node]}.value();
    // A replacement begins at a character, and a key ends at one.
    const bool whole =
        i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0) != 0x80;
    if (value < strings_.size() && (static_cast<unsigned char>(strings_[value]) & 0xC0) != 0x80 &&
        whole) {
      best = {std::string_view(strings_.data() + value), i + 1 - position};
    }
  }
  if (best.length == 0) best.length = best.bytes.size();
  return best;
}

/// Appends a replacement but for its first `skip` bytes. Its n-th character comes from the n-th of
/// what it replaces, or from the last.
void Normalizer::append(const Replacement& replacement, std::string_view text, std::size_t position,
                        std::size_t skip, Text& out) {
  const std::size_t end = position + replacement.length;
  std::size_t from = position;
  for (std::size_t i = 0; i < replacement.bytes.size();) {
    const std::size_t next = character_end(replacement.bytes, i, replacement.bytes.size());
    const std::size_t to = character_end(text, from, end);
    if (i >= skip) {
      const std::string_view character = replacement.bytes.substr(i, next - i);
      out.bytes += character == " " ? kSpaceSymbol : character;
      out.sources.resize(out.bytes.size(), {from, to});
    }
    if (to < end) from = to;
    i = next;
  }
}

Normalizer::Text Normalizer::normalize(std::string_view text) const {
  Text out;
  out.bytes = kSpaceSymbol;
  out.sources.resize(out.bytes.size(), {0, 0});
  bool after_space = true;
  for (std::size_t position = 0; position < text.size();) {
    const Replacement replacement = replacement_at(text, position);
    const std::size_t first = replacement.bytes.find_first_not_of(' ');
    const std::size_t skip = !after_space ? 0 : std::min(first, replacement.bytes.size());
    append(replacement, text, position, skip, out);
    if (out.bytes.size() > max_bytes_) {
      throw LimitError("text", "normalised length",
                       "at most " + std::to_string(max_bytes_) + " bytes", "more");
    }
    if (skip < replacement.bytes.size()) after_space = replacement.bytes.back() == ' ';
    position += replacement.length;
  }
  while (out.bytes.size() >= kSpaceSymbol.size() &&
         out.bytes.compare(out.bytes.size() - kSpaceSymbol.size(), std::string::npos,
                           kSpaceSymbol) == 0) {
    out.bytes.resize(out.bytes.size() - kSpaceSymbol.size());
  }
  out.sources.resize(out.bytes.size());
  return out;
}

}  // namespace bridgetower::detail

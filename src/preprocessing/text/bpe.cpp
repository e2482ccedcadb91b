#include "preprocessing/text/bpe.hpp"

#include <bridgetower/core/error.hpp>
#include <functional>
#include <queue>

#include "core/json.hpp"
#include "preprocessing/text/byte_level.hpp"

namespace bridgetower::detail {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFF;

std::uint64_t pair_key(std::uint32_t left, std::uint32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | right;
}

/// A token in the making, linked to its neighbours. Small: a long word has as many as bytes.
struct Symbol {
  std::uint32_t id;
  std::uint32_t end;  // past its last byte; its first is its index; 0 once it is part of another
  std::uint32_t previous;
  std::uint32_t next;
};

/// A merge that is possible at a place, unless something has happened there since.
struct Candidate {
  std::uint32_t rank;
  std::uint32_t position;
  std::uint32_t result;

  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

}  // namespace

Bpe::Bpe(const Vocabulary& vocabulary, const Merges& merges, bool ignore_merges,
         const std::string& place) {
  const auto id_of = [&](const std::string& token, const std::string& what) {
    const auto found = vocabulary.find(token);
    if (found == vocabulary.end()) {
      throw FormatError(place, what + ": " + in_quotes(token) + " is not in the vocabulary");
    }
    return static_cast<std::uint32_t>(found->second);
  };
  for (std::size_t byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = id_of(byte_alphabet()[byte], "byte " + std::to_string(byte));
  }
  merges_.reserve(merges.size());
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string what = "merge " + std::to_string(rank);
    const auto& [left, right] = merges[rank];
    const std::uint32_t left_id = id_of(left, what);
    const std::uint32_t right_id = id_of(right, what);
    merges_[pair_key(left_id, right_id)] = {static_cast<std::uint32_t>(rank),
                                            id_of(left + right, what)};
  }
  if (!ignore_merges) return;
  for (const auto& [token, id] : vocabulary) {
    const auto bytes = bytes_of_token(token);
    if (bytes) whole_[*bytes] = static_cast<std::uint32_t>(id);
  }
}

const Bpe::Merge* Bpe::find(std::uint32_t left, std::uint32_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void Bpe::encode(std::string_view text, std::size_t begin, std::size_t end,
                 std::vector<Token>& tokens) const {
  if (!whole_.empty()) {
    const auto found = whole_.find(std::string(text.substr(begin, end - begin)));
    if (found != whole_.end()) {
      tokens.push_back({found->second, begin, end});
      return;
    }
  }
  if (end - begin >= kNone) {
    throw LimitError("text", "length of a word", "below 4294967295 bytes",
                     std::to_string(end - begin));
  }
  const auto size = static_cast<std::uint32_t>(end - begin);
  std::vector<Symbol> symbols(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    symbols[i] = {byte_ids_[static_cast<unsigned char>(text[begin + i])], i + 1,
                  i == 0 ? kNone : i - 1, i + 1 == size ? kNone : i + 1};
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto consider = [&](std::uint32_t left) {
    if (left == kNone || symbols[left].next == kNone) return;
    const Merge* const merge = find(symbols[left].id, symbols[symbols[left].next].id);
    if (merge != nullptr) queue.push({merge->rank, left, merge->result});
  };
  for (std::uint32_t i = 0; i + 1 < size; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.position];
    if (left.end == 0 || left.next == kNone) continue;
    Symbol& right = symbols[left.next];
    const Merge* const merge = find(left.id, right.id);
    if (merge == nullptr || merge->result != best.result) continue;
    left.id = merge->result;
    left.end = right.end;
    right.end = 0;
    left.next = right.next;
    if (right.next != kNone) symbols[right.next].previous = best.position;
    consider(left.previous);
    consider(best.position);
  }
  for (std::uint32_t i = 0; i != kNone; i = symbols[i].next) {
    tokens.push_back({symbols[i].id, begin + i, begin + symbols[i].end});
  }
}

}  // namespace bridgetower::detail

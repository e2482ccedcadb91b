#include "sentencepiece/unigram.hpp"

#include <algorithm>
#include <limits>

#include "preprocessing/text/unicode.hpp"

namespace bridgetower::detail {
namespace {

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
constexpr float kUnknownPenalty = 10;  // below the lowest score

/// The best way to reach a position: its last piece begins at `begin`.
struct Path {
  float score = 0;
  std::size_t begin = kNowhere;
  std::int64_t piece = Unigram::kUnknown;

  void improve(double other_score, std::size_t other_begin, std::int64_t other_piece) {
    if (begin != kNowhere && other_score <= static_cast<double>(score)) return;
    *this = {static_cast<float>(other_score), other_begin, other_piece};
  }
};

}  // namespace

Unigram::Unigram(const std::vector<ModelFile::Piece>& pieces) {
  float lowest = std::numeric_limits<float>::max();
  for (const ModelFile::Piece& piece : pieces) {
    lowest = std::min(lowest, piece.score);
    entries_.push_back({piece.text, piece.score, static_cast<std::int64_t>(entries_.size())});
  }
  unknown_score_ = lowest - kUnknownPenalty;
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.text < b.text; });
}

std::vector<Unigram::Token> Unigram::segment(std::string_view text) const {
  std::vector<Path> paths(text.size() + 1);
  for (std::size_t start = 0; start < text.size();) {
    const auto score = static_cast<double>(paths[start].score);
    const std::size_t character_end = start + code_point_at(text, start).bytes;
    bool covered = false;
    // The entries that begin with text[start, end), narrowed byte by byte.
    auto first = entries_.begin();
    auto last = entries_.end();
    for (std::size_t end = start; end < text.size();) {
      const std::size_t depth = end - start;
      const auto byte = static_cast<unsigned char>(text[end++]);
      const auto byte_of = [depth](const Entry& entry) {
        return static_cast<unsigned char>(entry.text[depth]);
      };
      if (first->text.size() == depth) ++first;  // the one that ended here
      first = std::partition_point(first, last, [&](const Entry& e) { return byte_of(e) < byte; });
      last = std::partition_point(first, last, [&](const Entry& e) { return byte_of(e) == byte; });
      if (first == last) break;
      if (first->text.size() != depth + 1) continue;
      paths[end].improve(score + static_cast<double>(first->score), start, first->piece);
      covered |= end == character_end;
    }
    if (!covered)
      paths[character_end].improve(score + static_cast<double>(unknown_score_), start, kUnknown);
    start = character_end;
  }
  std::vector<Token> tokens;
  for (std::size_t end = text.size(); end > 0; end = paths[end].begin) {
    const Path& path = paths[end];
    if (path.piece == kUnknown && !tokens.empty() && tokens.back().piece == kUnknown) {
      tokens.back().begin = path.begin;
    } else {
      tokens.push_back({path.piece, path.begin, end});
    }
  }
  std::reverse(tokens.begin(), tokens.end());
  return tokens;
}

}  // namespace bridgetower::detail

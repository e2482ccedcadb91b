#include "search/hnsw_graph.hpp"

#include <algorithm>
#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/core/error.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "search/layout.hpp"

// Its own distances are not used, and their helpers would be functions of ours in every program.
#define NO_MANUAL_VECTORIZATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

namespace bridgetower::detail {
namespace {

using Distance = double;  // not float: the class is then another than that of programs that use it
using Hnsw = hnswlib::HierarchicalNSW<Distance>;
using Word = std::uint32_t;

constexpr std::size_t kEdges = 16;    // of a row on a level; twice as many on level 0
constexpr std::size_t kBuild = 200;   // candidates while edges are chosen
constexpr std::size_t kSearch = 256;  // at least, while a query is answered
constexpr int kMaxLevel = 64;
constexpr std::size_t kSeed = 1;

/// hnswlib copies what it calls the data of a point: here only where its vector is. The distance of
/// vectors of length 1; what is no number is far away.
class StoredVectors : public hnswlib::SpaceInterface<Distance> {
 public:
  explicit StoredVectors(const VectorRows& vectors) : vectors_(vectors) {}

  std::size_t get_data_size() override { return sizeof(const void*); }
  hnswlib::DISTFUNC<Distance> get_dist_func() override { return distance; }
  void* get_dist_func_param() override { return &vectors_; }

  const void* at(std::int64_t row) const {
    const auto bytes = static_cast<std::size_t>(vectors_.size) * bytes_of(vectors_.type);
    return static_cast<const unsigned char*>(vectors_.data) + static_cast<std::size_t>(row) * bytes;
  }
  const VectorRows& vectors() const { return vectors_; }

 private:
  static Distance distance(const void* a, const void* b, const void* vectors) {
    const void* first;
    const void* second;
    std::memcpy(&first, a, sizeof first);
    std::memcpy(&second, b, sizeof second);
    const auto product = static_cast<Distance>(
        stored_product(*static_cast<const VectorRows*>(vectors), first, second));
    return std::isnan(product) ? std::numeric_limits<Distance>::max() : 1 - product;
  }

  VectorRows vectors_;
};

/// Numbers one after the other.
class Words {
 public:
  Words(std::string place, const unsigned char* bytes, std::size_t size)
      : place_(std::move(place)), bytes_(bytes), size_(size) {}

  /// The next one. Throws FormatError where the file ends or the number is larger.
  Word next(const char* what, std::uint64_t largest) {
    Word word;
    if (size_ - at_ < sizeof word) throw FormatError(place_, what, "a number", "the end");
    std::memcpy(&word, bytes_ + at_, sizeof word);
    at_ += sizeof word;
    if (word > largest) {
      throw FormatError(place_, what, "at most " + std::to_string(largest), std::to_string(word));
    }
    return word;
  }

  void finish() const {
    if (at_ != size_) throw FormatError(place_, "end", std::to_string(at_), std::to_string(size_));
  }

 private:
  std::string place_;
  const unsigned char* bytes_;
  std::size_t size_;
  std::size_t at_ = 0;
};

void put(std::string& bytes, Word word) {
  bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
}

std::unique_ptr<Hnsw> empty_graph(StoredVectors& vectors) {
  const std::int64_t rows = vectors.vectors().rows;
  if (rows >= std::int64_t{std::numeric_limits<int>::max()}) {
    throw LimitError("index", "pictures of a graph", "below 2147483647", std::to_string(rows));
  }
  try {
    return std::make_unique<Hnsw>(
        &vectors, static_cast<std::size_t>(std::max<std::int64_t>(rows, 1)), kEdges, kBuild, kSeed);
  } catch (const std::exception&) {
    throw LimitError("index", "graph", "memory for " + std::to_string(rows) + " pictures",
                     "too little");
  }
}

/// A row's edges on a level, and the levels of every row: hnswlib follows an edge without asking
/// whether its end is there.
void read_edges(Words& words, Hnsw& graph, Word row, int level) {
  const std::size_t most = level == 0 ? graph.maxM0_ : graph.maxM_;
  const Word count = words.next("edges", most);
  hnswlib::linklistsizeint* const list = graph.get_linklist_at_level(row, level);
  graph.setListCount(list, static_cast<unsigned short>(count));
  for (Word i = 1; i <= count; ++i) {
    list[i] = words.next("end of an edge", graph.cur_element_count - 1);
  }
}

void check_levels(const std::string& place, const Hnsw& graph) {
  for (Word row = 0; row < graph.cur_element_count; ++row) {
    for (int level = 1; level <= graph.element_levels_[row]; ++level) {
      const auto* const list = graph.get_linklist(row, level);
      for (Word i = 1; i <= graph.getListCount(const_cast<hnswlib::linklistsizeint*>(list)); ++i) {
        if (graph.element_levels_[list[i]] >= level) continue;
        throw FormatError(place, "end of an edge on level " + std::to_string(level),
                          "a row of that level", "a lower one");
      }
    }
  }
}

}  // namespace

struct HnswGraph::Graph {
  explicit Graph(const VectorRows& rows) : vectors(rows), hnsw(empty_graph(vectors)) {}

  void add_row(Word row, int level) {
    std::memset(hnsw->data_level0_memory_ + row * hnsw->size_data_per_element_, 0,
                hnsw->size_data_per_element_);
    const void* const vector = vectors.at(row);
    std::memcpy(hnsw->getDataByInternalId(row), &vector, sizeof vector);
    hnsw->setExternalLabel(row, row);
    if (level == 0) return;  // as all are to begin with
    const std::size_t bytes = hnsw->size_links_per_element_ * static_cast<std::size_t>(level);
    hnsw->linkLists_[row] = static_cast<char*>(std::calloc(bytes + 1, 1));
    if (hnsw->linkLists_[row] == nullptr) throw std::bad_alloc();
    hnsw->element_levels_[row] = level;
  }

  StoredVectors vectors;
  std::unique_ptr<Hnsw> hnsw;
};

bool HnswGraph::is_available() { return true; }

std::string HnswGraph::build(const VectorRows& vectors) {
  Graph graph(vectors);
  Hnsw& hnsw = *graph.hnsw;
  try {
    for (std::int64_t row = 0; row < vectors.rows; ++row) {
      const void* const vector = graph.vectors.at(row);
      hnsw.addPoint(&vector, static_cast<hnswlib::labeltype>(row));
    }
  } catch (const std::exception& error) {
    throw LimitError("index", "graph", "memory for " + std::to_string(vectors.rows) + " pictures",
                     error.what());
  }
  std::string bytes;
  if (vectors.rows == 0) return bytes;
  put(bytes, hnsw.enterpoint_node_);
  put(bytes, static_cast<Word>(hnsw.maxlevel_));
  for (Word row = 0; row < hnsw.cur_element_count; ++row) {
    put(bytes, static_cast<Word>(hnsw.element_levels_[row]));
    for (int level = 0; level <= hnsw.element_levels_[row]; ++level) {
      auto* const list = hnsw.get_linklist_at_level(row, level);
      const Word count = hnsw.getListCount(list);
      put(bytes, count);
      for (Word i = 1; i <= count; ++i) put(bytes, list[i]);
    }
  }
  return bytes;
}

HnswGraph::HnswGraph(const std::string& place, const unsigned char* bytes, std::size_t size,
                     const VectorRows& vectors)
    : graph_(std::make_unique<Graph>(vectors)) {
  Words words(place, bytes, size);
  Hnsw& hnsw = *graph_->hnsw;
  if (vectors.rows == 0) {
    words.finish();
    return;
  }
  const auto last = static_cast<std::uint64_t>(vectors.rows - 1);
  hnsw.enterpoint_node_ = words.next("entry", last);
  hnsw.maxlevel_ = static_cast<int>(words.next("highest level", kMaxLevel));
  hnsw.cur_element_count = static_cast<std::size_t>(vectors.rows);
  for (Word row = 0; row <= last; ++row) {
    const Word level = words.next("level", static_cast<std::uint64_t>(hnsw.maxlevel_));
    graph_->add_row(row, static_cast<int>(level));
    for (int l = 0; l <= static_cast<int>(level); ++l) read_edges(words, hnsw, row, l);
  }
  words.finish();
  if (hnsw.element_levels_[hnsw.enterpoint_node_] != hnsw.maxlevel_) {
    throw FormatError(place, "entry", "a row of the highest level", "another");
  }
  check_levels(place, hnsw);
}

HnswGraph::~HnswGraph() = default;

std::vector<std::int64_t> HnswGraph::nearest(const float* query, std::int64_t count) const {
  const VectorRows& vectors = graph_->vectors.vectors();
  const void* stored = query;
  std::vector<std::uint16_t> rounded;
  if (vectors.type == VectorType::kBFloat16) {
    std::transform(query, query + vectors.size, std::back_inserter(rounded), bfloat_from_float);
    stored = rounded.data();
  }
  const auto wanted = static_cast<std::size_t>(std::min(count, vectors.rows));
  // hnswlib keeps as many candidates as results are asked for.
  auto found = graph_->hnsw->searchKnn(&stored, std::max(wanted, kSearch));
  std::vector<std::int64_t> rows;
  for (; !found.empty(); found.pop()) rows.push_back(static_cast<std::int64_t>(found.top().second));
  return rows;
}

}  // namespace bridgetower::detail

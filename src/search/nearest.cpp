#include "search/nearest.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace bridgetower::detail {
namespace {

constexpr std::int64_t kRowsOfTask = 4096;
constexpr std::int64_t kRowsAtOnce = 64;  // stay in the cache while all queries meet them

float to_float(float value) { return value; }

float to_float(std::uint16_t bfloat16) {
  const std::uint32_t bits = std::uint32_t{bfloat16} << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Sixteen sums, so that compilers keep them in vector registers; the order is fixed.
template <class Stored>
float dot_product(const Stored* a, const Stored* b, std::int64_t size) {
  constexpr std::int64_t kLanes = 16;
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += to_float(a[i + lane]) * to_float(b[i + lane]);
    }
  }
  for (std::int64_t lane = 0; i < size; ++i, ++lane) sums[lane] += to_float(a[i]) * to_float(b[i]);
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::int64_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

bool better(const Neighbour& a, const Neighbour& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
}

/// The best so far, the worst of them in front.
class Best {
 public:
  explicit Best(std::int64_t limit) : limit_(static_cast<std::size_t>(limit)) {}

  /// What is no number is never among the best.
  void offer(const Neighbour& next) {
    if (heap_.size() == limit_) {
      if (!better(next, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.pop_back();
    }
    heap_.push_back(next);
    std::push_heap(heap_.begin(), heap_.end(), better);
  }

  const std::vector<Neighbour>& heap() const { return heap_; }

 private:
  std::size_t limit_;
  std::vector<Neighbour> heap_;
};

/// The best of rows [first, last) for every query.
std::vector<Best> best_of(const VectorRows& vectors, std::int64_t first, std::int64_t last,
                          const float* queries, std::int64_t count, const NearestOptions& options) {
  std::vector<Best> best(static_cast<std::size_t>(count),
                         Best(std::min(options.top_k, last - first)));
  std::vector<float> buffer(static_cast<std::size_t>(vectors.size));
  std::vector<std::int64_t> rows;
  for (std::int64_t begin = first; begin < last; begin += kRowsAtOnce) {
    rows.clear();
    for (std::int64_t row = begin; row < std::min(last, begin + kRowsAtOnce); ++row) {
      if (!options.filter || options.filter(row)) rows.push_back(row);
    }
    for (const std::int64_t row : rows) {
      const float* const vector = widened(vectors, row, buffer.data());
      for (std::int64_t q = 0; q < count; ++q) {
        const float similarity = dot_product(vector, queries + q * vectors.size, vectors.size);
        if (similarity == similarity) best[static_cast<std::size_t>(q)].offer({row, similarity});
      }
    }
  }
  return best;
}

}  // namespace

const float* widened(const VectorRows& vectors, std::int64_t row, float* buffer) {
  if (vectors.type == VectorType::kFloat32) {
    return static_cast<const float*>(vectors.data) + row * vectors.size;
  }
  const auto* const stored = static_cast<const std::uint16_t*>(vectors.data) + row * vectors.size;
  std::transform(stored, stored + vectors.size, buffer,
                 [](std::uint16_t value) { return to_float(value); });
  return buffer;
}

float stored_product(const VectorRows& vectors, const void* a, const void* b) {
  if (vectors.type == VectorType::kFloat32) {
    return dot_product(static_cast<const float*>(a), static_cast<const float*>(b), vectors.size);
  }
  return dot_product(static_cast<const std::uint16_t*>(a), static_cast<const std::uint16_t*>(b),
                     vectors.size);
}

std::vector<Neighbour> nearest_among(const VectorRows& vectors,
                                     const std::vector<std::int64_t>& rows, const float* query,
                                     std::int64_t top_k) {
  Best best(std::min(top_k, static_cast<std::int64_t>(rows.size())));
  std::vector<float> buffer(static_cast<std::size_t>(vectors.size));
  for (const std::int64_t row : rows) {
    const float similarity = dot_product(widened(vectors, row, buffer.data()), query, vectors.size);
    if (similarity == similarity) best.offer({row, similarity});
  }
  std::vector<Neighbour> found = best.heap();
  std::sort(found.begin(), found.end(), better);
  return found;
}

std::vector<std::vector<Neighbour>> nearest_rows(const VectorRows& vectors, const float* queries,
                                                 std::int64_t count, const NearestOptions& options,
                                                 ThreadPool& threads) {
  const std::int64_t tasks = (vectors.rows + kRowsOfTask - 1) / kRowsOfTask;
  std::vector<std::vector<Best>> parts(static_cast<std::size_t>(tasks));
  threads.run(tasks, [&](std::int64_t task) {
    const std::int64_t first = task * kRowsOfTask;
    parts[static_cast<std::size_t>(task)] = best_of(
        vectors, first, std::min(vectors.rows, first + kRowsOfTask), queries, count, options);
  });
  std::vector<std::vector<Neighbour>> all(static_cast<std::size_t>(count));
  for (std::size_t q = 0; q < all.size(); ++q) {
    for (const std::vector<Best>& part : parts) {
      all[q].insert(all[q].end(), part[q].heap().begin(), part[q].heap().end());
    }
    std::sort(all[q].begin(), all[q].end(), better);
    if (all[q].size() > static_cast<std::size_t>(options.top_k)) {
      all[q].resize(static_cast<std::size_t>(options.top_k));
    }
  }
  return all;
}

}  // namespace bridgetower::detail

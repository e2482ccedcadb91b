#pragma once

#include <bridgetower/core/limits.hpp>
#include <bridgetower/core/tensor.hpp>
#include <bridgetower/search/image_record.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bridgetower {

/// How the vectors of an index are stored.
enum class VectorType {
  kFloat32,
  kBFloat16  ///< rounded to the nearest: half the bytes, similarities within about 0.004
};

/// A picture of an index and the scalar product of its vector with the query's.
struct Neighbour {
  std::int64_t row;
  float similarity;
};

struct NearestOptions {
  std::int64_t top_k = 10;
  std::function<bool(std::int64_t row)> filter;  ///< absent: all; called from several threads
  bool approximate = false;  ///< by the index's graph, which may miss some; not with a filter
};

/// The rows from `first` on, `last` not among them.
struct RowRange {
  std::int64_t first = 0;
  std::int64_t last = 0;

  bool has(std::int64_t row) const noexcept { return row >= first && row < last; }
};

/// The vectors of a collection of pictures and what each was made from, in the order of their
/// paths' bytes. Opened from a directory that IndexBuilder made (docs/search.md has the layout);
/// every byte but the states' is checked then. Immutable; every call may run from any thread.
class EmbeddingIndex {
 public:
  /// Throws IoError, FormatError (another format, a newer one, anything damaged) or LimitError.
  /// `threads` as in LoadOptions.
  static EmbeddingIndex open(const std::filesystem::path& directory, int threads = 0,
                             const Limits& limits = {});

  /// The same for process `part` of `parts` (from 0), which searches one of as many ranges of rows:
  /// only vectors of rows() are read, checked and looked at by nearest(). Throws InputError for
  /// numbers that do not fit.
  static EmbeddingIndex open_part(const std::filesystem::path& directory, std::int64_t part,
                                  std::int64_t parts, int threads = 0, const Limits& limits = {});

  ~EmbeddingIndex();
  EmbeddingIndex(EmbeddingIndex&&) noexcept;
  EmbeddingIndex& operator=(EmbeddingIndex&&) noexcept;

  /// N, the number of pictures.
  std::int64_t images() const noexcept;

  /// Whose vectors are there: all, or those of the part that was opened.
  RowRange rows() const noexcept;

  /// E, the length of every vector.
  std::int64_t size() const noexcept;

  VectorType type() const noexcept;

  /// model_fingerprint() of the model that made the vectors.
  const std::string& model() const noexcept;

  /// Throws InputError where the vectors are another model's.
  void check_model(const std::string& fingerprint) const;

  /// One picture; throw InputError for a row that is not there.
  std::string_view path(std::int64_t row) const;
  ImageRecord record(std::int64_t row) const;
  Tensor<float> vector(std::int64_t row) const;  ///< [E]

  /// What is kept of states, and of how many pictures: of rows 0 to states() - 1.
  const KeptStates& kept_states() const noexcept;
  std::int64_t states() const noexcept;

  /// The bytes of one state, for unpack_image_state. They are read, and checked, when they are
  /// asked for. Throws InputError for a row that has none, IoError, FormatError (damaged).
  std::string state(std::int64_t row) const;

  /// Files that were met and could not be used, in the order of their paths.
  const std::vector<FailedImage>& failed() const noexcept;

  /// Whether there is a graph for approximate answers (docs/search.md).
  bool has_graph() const noexcept;

  /// The pictures with the largest scalar products, exactly: all vectors are read. Equal ones in
  /// the order of their rows. query [E]; throws ShapeError or InputError (top_k below 1).
  /// Approximate answers have the same scalar products; the first one reads the graph. They throw
  /// InputError where there is none, FormatError (damaged), and ConfigError in a build without
  /// hnswlib. With a filter the answer is exact.
  std::vector<Neighbour> nearest(const Tensor<float>& query,
                                 const NearestOptions& options = {}) const;

  /// queries [Q, E] in one reading of the vectors.
  std::vector<std::vector<Neighbour>> nearest_all(const Tensor<float>& queries,
                                                  const NearestOptions& options = {}) const;

 private:
  struct Data;
  explicit EmbeddingIndex(std::unique_ptr<const Data> data);

  friend class IndexBuilder;
  const void* stored_vector(std::int64_t row) const;

  std::unique_ptr<const Data> data_;
};

}  // namespace bridgetower

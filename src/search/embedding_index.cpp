#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/search/embedding_index.hpp>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/file.hpp"
#include "search/hnsw_graph.hpp"
#include "search/layout.hpp"
#include "search/mapped_file.hpp"
#include "search/nearest.hpp"

namespace bridgetower {

using detail::MappedFile;
using detail::StoredRecord;

namespace {

/// Ranges of all parts follow each other; their lengths differ by one at most.
RowRange range_of(std::int64_t part, std::int64_t parts, std::int64_t rows) {
  const std::int64_t each = rows / parts;
  const std::int64_t longer = rows % parts;
  const std::int64_t first = part * each + std::min(part, longer);
  return {first, first + each + (part < longer ? 1 : 0)};
}

}  // namespace

struct EmbeddingIndex::Data {
  detail::Manifest manifest;
  MappedFile vectors;
  detail::ReadFile images;
  detail::ReadFile paths;
  detail::InputFile states;
  std::vector<FailedImage> failed;
  std::unique_ptr<ThreadPool> threads;
  std::string place;
  RowRange held;
  std::filesystem::path graph_file;
  mutable std::mutex graph_mutex{};
  mutable std::unique_ptr<const detail::HnswGraph> read_graph{};

  /// Read when it is first asked for.
  const detail::HnswGraph& graph() const {
    if (!manifest.graph) {
      throw InputError(place, "graph", "an index with one (index --graph)", "one without");
    }
    const std::lock_guard<std::mutex> guard(graph_mutex);
    if (!read_graph) {
      const detail::ReadFile file =
          detail::read_checked(graph_file, manifest.files[detail::kGraph], *threads);
      read_graph = std::make_unique<const detail::HnswGraph>(
          file.place, file.bytes.data(), file.bytes.size(), rows({0, manifest.images}));
    }
    return *read_graph;
  }

  StoredRecord stored(std::int64_t row) const {
    StoredRecord record;
    std::memcpy(&record, images.bytes.data() + static_cast<std::size_t>(row) * sizeof record,
                sizeof record);
    return record;
  }

  std::string_view path(std::int64_t row) const {
    const std::uint64_t begin = row == 0 ? 0 : stored(row - 1).path_end;
    return {reinterpret_cast<const char*>(paths.bytes.data()) + begin,
            static_cast<std::size_t>(stored(row).path_end - begin)};
  }

  std::size_t vector_bytes() const {
    return static_cast<std::size_t>(manifest.size) * detail::bytes_of(manifest.type);
  }

  detail::VectorRows rows(const RowRange& range) const {
    return {vectors.data() + static_cast<std::size_t>(range.first) * vector_bytes(),
            range.last - range.first, manifest.size, manifest.type};
  }

  void check_row(std::int64_t row) const {
    if (row >= 0 && row < manifest.images) return;
    throw InputError(place, "row", "0 to " + std::to_string(manifest.images - 1),
                     std::to_string(row));
  }

  void check_held(std::int64_t row) const {
    if (held.has(row)) return;
    throw InputError(place, "row of a vector",
                     std::to_string(held.first) + " to " + std::to_string(held.last - 1),
                     std::to_string(row));
  }

  /// Paths follow each other without gaps, in their order, and none comes twice.
  void check_paths() const {
    std::uint64_t begin = 0;
    std::string_view before;
    for (std::int64_t row = 0; row < manifest.images; ++row) {
      const std::uint64_t end = stored(row).path_end;
      if (end <= begin || end > paths.bytes.size()) {
        throw FormatError(images.place, "end of path " + std::to_string(row),
                          std::to_string(begin + 1) + " to " + std::to_string(paths.bytes.size()),
                          std::to_string(end));
      }
      const std::string_view path(reinterpret_cast<const char*>(paths.bytes.data()) + begin,
                                  static_cast<std::size_t>(end - begin));
      if (row > 0 && path <= before) {
        throw FormatError(paths.place, "path " + std::to_string(row), "the order of bytes",
                          "another order");
      }
      before = path;
      begin = end;
    }
    if (begin != paths.bytes.size()) {
      throw FormatError(paths.place, "file size", std::to_string(begin) + " bytes of paths",
                        std::to_string(paths.bytes.size()));
    }
  }
};

EmbeddingIndex::EmbeddingIndex(std::unique_ptr<const Data> data) : data_(std::move(data)) {}
EmbeddingIndex::~EmbeddingIndex() = default;
EmbeddingIndex::EmbeddingIndex(EmbeddingIndex&&) noexcept = default;
EmbeddingIndex& EmbeddingIndex::operator=(EmbeddingIndex&&) noexcept = default;

EmbeddingIndex EmbeddingIndex::open(const std::filesystem::path& directory, int threads,
                                    const Limits& limits) {
  return open_part(directory, 0, 1, threads, limits);
}

EmbeddingIndex EmbeddingIndex::open_part(const std::filesystem::path& directory, std::int64_t part,
                                         std::int64_t parts, int threads, const Limits& limits) {
  if (part < 0 || part >= parts) {
    throw InputError("EmbeddingIndex", "part", "0 to " + std::to_string(parts - 1),
                     std::to_string(part));
  }
  detail::Manifest manifest = detail::read_manifest(directory, limits);
  auto pool = std::make_unique<ThreadPool>(threads);
  const RowRange held = range_of(part, parts, manifest.images);
  const auto read_file = [&](detail::IndexFile file) {
    return detail::read_checked(directory / manifest.file_name(file), manifest.files[file], *pool);
  };
  const std::uint64_t vector_bytes =
      static_cast<std::uint64_t>(manifest.size) * detail::bytes_of(manifest.type);
  MappedFile vectors = detail::open_checked(directory / manifest.file_name(detail::kVectors),
                                            manifest.files[detail::kVectors], *pool,
                                            static_cast<std::uint64_t>(held.first) * vector_bytes,
                                            static_cast<std::uint64_t>(held.last) * vector_bytes);
  detail::ReadFile images = read_file(detail::kImages);
  detail::ReadFile paths = read_file(detail::kPaths);
  detail::InputFile states(directory / manifest.file_name(detail::kStates));
  detail::check_length(states.place(), states.size(), manifest.files[detail::kStates]);
  const detail::ReadFile failed_lines = read_file(detail::kFailed);
  std::vector<FailedImage> failed = detail::failed_from_lines(failed_lines);
  if (static_cast<std::int64_t>(failed.size()) != manifest.failed) {
    throw FormatError(failed_lines.place, "lines", std::to_string(manifest.failed),
                      std::to_string(failed.size()));
  }
  const std::filesystem::path graph_file = directory / manifest.file_name(detail::kGraph);
  detail::check_length(graph_file.string(), detail::InputFile(graph_file).size(),
                       manifest.files[detail::kGraph]);
  std::unique_ptr<Data> data(new Data{std::move(manifest), std::move(vectors), std::move(images),
                                      std::move(paths), std::move(states), std::move(failed),
                                      std::move(pool), directory.string(), held, graph_file});
  data->check_paths();
  return EmbeddingIndex(std::move(data));
}

std::int64_t EmbeddingIndex::images() const noexcept { return data_->manifest.images; }
RowRange EmbeddingIndex::rows() const noexcept { return data_->held; }
std::int64_t EmbeddingIndex::size() const noexcept { return data_->manifest.size; }
VectorType EmbeddingIndex::type() const noexcept { return data_->manifest.type; }
const std::string& EmbeddingIndex::model() const noexcept { return data_->manifest.model; }
const std::vector<FailedImage>& EmbeddingIndex::failed() const noexcept { return data_->failed; }

void EmbeddingIndex::check_model(const std::string& fingerprint) const {
  if (fingerprint == model()) return;
  throw InputError(data_->place, "model of the index", fingerprint, model());
}

std::string_view EmbeddingIndex::path(std::int64_t row) const {
  data_->check_row(row);
  return data_->path(row);
}

ImageRecord EmbeddingIndex::record(std::int64_t row) const {
  data_->check_row(row);
  const StoredRecord stored = data_->stored(row);
  ImageRecord record;
  record.path = data_->path(row);
  record.bytes = stored.bytes;
  record.modified_ns = stored.modified_ns;
  std::copy(std::begin(stored.sha256), std::end(stored.sha256), record.sha256.begin());
  return record;
}

Tensor<float> EmbeddingIndex::vector(std::int64_t row) const {
  data_->check_row(row);
  data_->check_held(row);
  data_->vectors.check_unchanged();
  auto result = Tensor<float>::uninitialized({size()});
  const float* const vector = detail::widened(data_->rows({0, images()}), row, result.data());
  if (vector != result.data()) std::copy_n(vector, size(), result.data());
  return result;
}

bool EmbeddingIndex::has_graph() const noexcept { return data_->manifest.graph; }
const KeptStates& EmbeddingIndex::kept_states() const noexcept { return data_->manifest.kept; }
std::int64_t EmbeddingIndex::states() const noexcept { return data_->manifest.states; }

std::string EmbeddingIndex::state(std::int64_t row) const {
  if (row < 0 || row >= states()) {
    throw InputError(data_->place, "row with a state",
                     "one of the first " + std::to_string(states()), std::to_string(row));
  }
  const std::uint64_t count = kept_states().bytes_each;
  std::string bytes(static_cast<std::size_t>(count), '\0');
  data_->states.read(static_cast<std::uint64_t>(row) * count, bytes.data(), bytes.size());
  detail::check_block(data_->states.place(), bytes.data(), bytes.size(),
                      static_cast<std::size_t>(row), data_->manifest.files[detail::kStates]);
  return bytes;
}

const void* EmbeddingIndex::stored_vector(std::int64_t row) const {
  data_->vectors.check_unchanged();
  return data_->vectors.data() + static_cast<std::size_t>(row) * data_->vector_bytes();
}

std::vector<Neighbour> EmbeddingIndex::nearest(const Tensor<float>& query,
                                               const NearestOptions& options) const {
  return nearest_all(Tensor<float>(query).reshaped({1, static_cast<std::int64_t>(query.size())}),
                     options)
      .front();
}

std::vector<std::vector<Neighbour>> EmbeddingIndex::nearest_all(
    const Tensor<float>& queries, const NearestOptions& options) const {
  if (queries.rank() != 2 || queries.dim(1) != size()) {
    throw ShapeError("EmbeddingIndex", "queries", "[queries, " + std::to_string(size()) + "]",
                     to_string(queries.shape()));
  }
  if (options.top_k < 1) {
    throw InputError("EmbeddingIndex", "top_k", "at least 1", std::to_string(options.top_k));
  }
  data_->vectors.check_unchanged();
  const bool holds_all = rows().first == 0 && rows().last == images();
  if (options.approximate && !options.filter && holds_all) {
    const detail::HnswGraph& graph = data_->graph();
    std::vector<std::vector<Neighbour>> found(static_cast<std::size_t>(queries.dim(0)));
    data_->threads->run(queries.dim(0), [&](std::int64_t q) {
      const float* const query = queries.data() + q * size();
      found[static_cast<std::size_t>(q)] = detail::nearest_among(
          data_->rows(data_->held), graph.nearest(query, options.top_k), query, options.top_k);
    });
    return found;
  }
  const std::int64_t first = data_->held.first;
  NearestOptions from_first;  // its row 0 is `first`
  from_first.top_k = options.top_k;
  if (options.filter) {
    from_first.filter = [&](std::int64_t row) { return options.filter(first + row); };
  }
  auto all = detail::nearest_rows(data_->rows(data_->held), queries.data(), queries.dim(0),
                                  from_first, *data_->threads);
  for (std::vector<Neighbour>& best : all) {
    for (Neighbour& neighbour : best) neighbour.row += first;
  }
  return all;
}

}  // namespace bridgetower

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <bridgetower/core/detail/bfloat16.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <cerrno>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "core/descriptor.hpp"
#include "core/file.hpp"
#include "core/sha256.hpp"
#include "search/check_finite.hpp"
#include "search/hnsw_graph.hpp"
#include "search/journal.hpp"
#include "search/layout.hpp"
#include "search/nearest.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using detail::Manifest;
using detail::MappedFile;
using detail::StoredRecord;

/// Holds a directory for one builder; the system lets go when the process ends, however it does.
class DirectoryLock {
 public:
  explicit DirectoryLock(const fs::path& directory)
      : descriptor_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    const char* const wanted = "a directory that no other run works on";
    if (!descriptor_.is_open()) {
      throw IoError(directory.string(), "open", wanted, std::generic_category().message(errno));
    }
    if (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0) {
      const int code = errno;
      throw IoError(
          directory.string(), "lock", wanted,
          code == EWOULDBLOCK ? "one that is in use" : std::generic_category().message(code));
    }
  }
  /// What was renamed in it is renamed after a power failure, too.
  void sync() const { ::fsync(descriptor_.get()); }

 private:
  detail::Descriptor descriptor_;
};

/// A picture and where its vector is: a row of the old index or a position in the journal.
struct Row {
  std::uint64_t bytes;
  std::int64_t modified_ns;
  std::array<unsigned char, 32> sha256;
  bool in_journal;
  std::uint64_t place;
  bool has_state;
};

using Rows = std::map<std::string, Row>;

fs::path prepared(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    throw IoError(directory.string(), "create", "a writable directory", error.message());
  }
  return directory;
}

/// The index as it is in files, made from rows; the same rows give the same bytes.
struct Tables {
  std::string images;
  std::string paths;
  std::string failed;

  Tables(const Rows& rows, const std::map<std::string, FailedImage>& failures) {
    for (const auto& [path, row] : rows) {
      paths += path;
      StoredRecord record{paths.size(), row.bytes, row.modified_ns, {}};
      std::copy(row.sha256.begin(), row.sha256.end(), record.sha256);
      images.append(reinterpret_cast<const char*>(&record), sizeof record);
    }
    std::vector<FailedImage> list;
    for (const auto& [path, image] : failures) list.push_back(image);
    failed = detail::to_lines(list);
  }

  /// A name for exactly this content: model and pictures determine the vectors.
  std::string generation(const Manifest& manifest) const {
    detail::Sha256 hash;
    const auto add = [&hash](const std::string& part) {
      const std::string length = std::to_string(part.size()) + "\n";
      hash.add(length.data(), length.size());
      hash.add(part.data(), part.size());
    };
    add(manifest.model);
    add(manifest.type == VectorType::kFloat32 ? "float32" : "bfloat16");
    add(images);
    add(paths);
    add(failed);
    add(to_string(manifest.kept.dtype));
    add(std::to_string(manifest.kept.max_bytes) + " " + std::to_string(manifest.states));
    add(manifest.graph ? "graph" : "no graph");
    return detail::to_hex(hash.finish().data(), 8);
  }
};

detail::FileSum write_table(const fs::path& path, const std::string& bytes) {
  detail::SummedFile file(path);
  file.write(bytes.data(), bytes.size());
  return file.commit();
}

}  // namespace

struct IndexBuilder::State {
  fs::path directory;
  DirectoryLock lock;
  std::int64_t size;
  Manifest manifest;
  std::optional<EmbeddingIndex> index;  // the one that is extended
  mutable std::mutex mutex;
  Rows rows;
  std::map<std::string, FailedImage> failed;
  std::optional<detail::Journal> journal;

  State(const fs::path& where, const std::string& model, std::int64_t vector_size,
        const Options& options)
      : directory(prepared(where)), lock(directory), size(vector_size) {
    manifest.model = model;
    manifest.size = size;
    manifest.type = options.type;
    if (detail::is_there(directory / detail::kManifestName)) open_index(options);
    if (options.states) manifest.kept = checked(*options.states);
    if (options.graph) manifest.graph = *options.graph;
    if (manifest.graph && !detail::HnswGraph::is_available()) {
      throw ConfigError(directory.string(), "graph", "a build with hnswlib", "one without");
    }
    journal.emplace(directory / detail::kJournalName,
                    detail::Journal::Format{model, size, manifest.kept}, options.resume,
                    [this](const ImageRecord& record, std::uint64_t position, bool has_state) {
                      put(record, true, position, has_state);
                    });
  }

  KeptStates checked(const KeptStates& states) const {
    if (states.max_bytes == 0) return {};
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (states.bytes_each == 0 ||
        states.bytes_each > static_cast<std::uint64_t>(detail::kMaxStateBytes) ||
        states.max_bytes > static_cast<std::uint64_t>(most)) {
      throw InputError(directory.string(), "bytes of a state",
                       "1 to " + std::to_string(detail::kMaxStateBytes),
                       std::to_string(states.bytes_each));
    }
    return states;
  }

  void open_index(const Options& options) {
    index = EmbeddingIndex::open(directory);
    index->check_model(manifest.model);
    if (index->size() != size || index->type() != manifest.type) {
      const auto text = [](std::int64_t length, VectorType type) {
        return std::to_string(length) +
               (type == VectorType::kFloat32 ? " numbers in float32" : " numbers in bfloat16");
      };
      throw InputError(directory.string(), "vectors", text(index->size(), index->type()),
                       text(size, manifest.type));
    }
    manifest.kept = index->kept_states();
    manifest.graph = index->has_graph();
    const bool fit = !options.states || (options.states->dtype == manifest.kept.dtype &&
                                         options.states->bytes_each == manifest.kept.bytes_each);
    for (std::int64_t row = 0; row < index->images(); ++row) {
      put(index->record(row), false, static_cast<std::uint64_t>(row), fit && row < index->states());
    }
    for (const FailedImage& image : index->failed()) failed[image.path] = image;
  }

  void put(const ImageRecord& record, bool in_journal, std::uint64_t place, bool has_state) {
    rows[record.path] = {record.bytes, record.modified_ns, record.sha256, in_journal,
                         place,        has_state};
  }

  /// Of the first pictures, up to one that has none.
  std::int64_t states_there() const {
    std::int64_t count = 0;
    for (const auto& [path, row] : rows) {
      if (count == manifest.kept.limit() || !row.has_state) break;
      ++count;
    }
    return count;
  }

  void write_states() {
    const MappedFile added(journal->path());
    const std::uint64_t each = manifest.kept.bytes_each;
    detail::SummedFile file(directory / manifest.file_name(detail::kStates),
                            each == 0 ? detail::FileSum::kBlock : each);
    auto row = rows.begin();
    for (std::int64_t i = 0; i < manifest.states; ++i, ++row) {
      const Row& from = row->second;
      if (from.in_journal) {
        file.write(added.data() + from.place + static_cast<std::size_t>(size) * sizeof(float),
                   each);
      } else {
        const std::string bytes = index->state(static_cast<std::int64_t>(from.place));
        file.write(bytes.data(), bytes.size());
      }
    }
    manifest.files[detail::kStates] = file.commit();
  }

  void write_vectors() {
    const MappedFile added(journal->path());
    detail::SummedFile file(directory / manifest.file_name(detail::kVectors));
    const auto count = static_cast<std::size_t>(size);
    std::vector<std::uint16_t> rounded(count);
    std::vector<float> vector(count);
    for (const auto& [path, row] : rows) {
      const void* bytes = nullptr;
      if (!row.in_journal) {
        bytes = index->stored_vector(static_cast<std::int64_t>(row.place));
      } else {
        std::copy_n(added.data() + row.place, count * sizeof(float),
                    reinterpret_cast<unsigned char*>(vector.data()));
        std::transform(vector.begin(), vector.end(), rounded.begin(), detail::bfloat_from_float);
        bytes = manifest.type == VectorType::kFloat32 ? static_cast<void*>(vector.data())
                                                      : static_cast<void*>(rounded.data());
      }
      file.write(bytes, count * detail::bytes_of(manifest.type));
    }
    manifest.files[detail::kVectors] = file.commit();
  }

  /// Of the vectors as they have just been written.
  void write_graph() {
    std::string bytes;
    if (manifest.graph) {
      const MappedFile vectors(directory / manifest.file_name(detail::kVectors));
      bytes = detail::HnswGraph::build({vectors.data(), manifest.images, size, manifest.type});
    }
    manifest.files[detail::kGraph] =
        write_table(directory / manifest.file_name(detail::kGraph), bytes);
  }

  void write_index() {
    const Tables tables(rows, failed);
    manifest.images = static_cast<std::int64_t>(rows.size());
    manifest.failed = static_cast<std::int64_t>(failed.size());
    manifest.states = states_there();
    manifest.generation = tables.generation(manifest);
    write_vectors();
    write_states();
    write_graph();
    const std::pair<detail::IndexFile, const std::string*> files[] = {
        {detail::kImages, &tables.images},
        {detail::kPaths, &tables.paths},
        {detail::kFailed, &tables.failed}};
    for (const auto& [file, bytes] : files) {
      manifest.files[file] = write_table(directory / manifest.file_name(file), *bytes);
    }
    lock.sync();
    detail::write_manifest(directory, manifest);
    lock.sync();
  }

  /// Everything of other generations, and what killed runs left.
  void remove_leftovers() const {
    std::error_code error;
    std::vector<fs::path> leftovers = {directory / detail::kJournalName};
    for (const std::string& name : detail::names_in(directory, error)) {
      const bool current =
          std::any_of(std::begin(detail::kIndexFileNames), std::end(detail::kIndexFileNames),
                      [&](const char* kind) { return name == kind + ("-" + manifest.generation); });
      if (detail::is_index_file(name) && !current) leftovers.push_back(directory / name);
    }
    for (const fs::path& file : leftovers) fs::remove(file, error);
  }
};

IndexBuilder::IndexBuilder(const fs::path& directory, const std::string& model, std::int64_t size,
                           const Options& options)
    : state_(std::make_unique<State>(directory, model, size, options)) {}
IndexBuilder::~IndexBuilder() = default;

bool IndexBuilder::has(const ImageRecord& file) const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  const auto found = state_->rows.find(file.path);
  return found != state_->rows.end() && found->second.bytes == file.bytes &&
         found->second.modified_ns == file.modified_ns;
}

std::vector<std::string> IndexBuilder::paths() const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  std::vector<std::string> paths;
  for (const auto& [path, row] : state_->rows) paths.push_back(path);
  for (const auto& [path, image] : state_->failed) paths.push_back(path);
  return paths;
}

std::int64_t IndexBuilder::state_limit() const { return state_->manifest.kept.limit(); }
DType IndexBuilder::state_dtype() const { return state_->manifest.kept.dtype; }

std::vector<std::string> IndexBuilder::without_state(const std::vector<std::string>& more) const {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  std::vector<std::string> paths;
  auto row = state_->rows.begin();
  auto next = more.begin();
  for (std::int64_t i = 0; i < state_limit(); ++i) {
    const bool is_row = row != state_->rows.end() && (next == more.end() || row->first <= *next);
    if (!is_row && next == more.end()) break;
    const bool is_more = next != more.end() && (!is_row || row->first == *next);
    const std::string& path = is_row ? row->first : *next;
    if (is_more || !row->second.has_state) paths.push_back(path);
    if (is_row) ++row;
    if (is_more) ++next;
  }
  return paths;
}

void IndexBuilder::add(const ImageRecord& file, const Tensor<float>& vector,
                       std::string_view state) {
  if (vector.shape() != Shape{state_->size}) {
    throw ShapeError("IndexBuilder", "vector", to_string(Shape{state_->size}),
                     to_string(vector.shape()));
  }
  if (file.path.empty()) throw InputError("IndexBuilder", "path", "a name", "none");
  detail::check_finite(file.path, vector);
  const std::uint64_t expected = state_->manifest.kept.bytes_each;
  if (!state.empty() && state.size() != expected) {
    throw InputError(file.path, "state", std::to_string(expected) + " bytes",
                     std::to_string(state.size()));
  }
  const std::lock_guard<std::mutex> guard(state_->mutex);
  const std::uint64_t place = state_->journal->append(file, vector.data(), state);
  state_->put(file, true, place, !state.empty());
  state_->failed.erase(file.path);
}

void IndexBuilder::remove(const std::string& path) {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  state_->rows.erase(path);
  state_->failed.erase(path);
}

void IndexBuilder::fail(const std::string& path, const Error& error) {
  fail({path, to_string(error.code()), error.what()});
}

void IndexBuilder::fail(const FailedImage& image) {
  const std::lock_guard<std::mutex> guard(state_->mutex);
  state_->failed.insert_or_assign(image.path, image);
  state_->rows.erase(image.path);
}

void IndexBuilder::commit() {
  state_->write_index();
  state_->remove_leftovers();
}

}  // namespace bridgetower

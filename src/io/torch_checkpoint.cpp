#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/io/torch_checkpoint.hpp>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "core/file.hpp"
#include "core/json.hpp"
#include "io/pickle.hpp"
#include "io/storage_record.hpp"
#include "io/zip_archive.hpp"

namespace bridgetower {
namespace {

using detail::InputFile;
using detail::PickledTensors;
using detail::StorageRecord;
using detail::ZipArchive;

constexpr std::uint64_t kMaxNoteBytes = 64;

/// The plain layout begins with two pickles: torch's magic number and 1001.
constexpr std::string_view kPlainBegin(
    "\x80\x02\x8A\x0Al\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02M\xE9\x03.", 21);

std::string read_at(const InputFile& file, std::uint64_t offset, std::uint64_t count) {
  std::string bytes(static_cast<std::size_t>(count), '\0');
  file.read(offset, bytes.data(), bytes.size());
  return bytes;
}

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// The folder in which torch.save puts everything: "archive", or the file's own name.
std::string root_of(const InputFile& file, const ZipArchive& zip) {
  constexpr std::string_view kPickle = "/data.pkl";
  for (const auto& [name, entry] : zip.entries()) {
    const std::size_t slash = name.find('/');
    if (slash != std::string::npos && name.substr(slash) == kPickle) return name.substr(0, slash);
  }
  throw FormatError(file.place(), "entries of the zip file", "data.pkl in one folder", "none");
}

/// What a checkpoint of tensors has beside them: notes of torch.
void check_entries(const InputFile& file, const ZipArchive& zip, const std::string& root) {
  for (const auto& [name, entry] : zip.entries()) {
    const bool inside = starts_with(name, root + "/");
    const std::string_view rest = std::string_view(name).substr(inside ? root.size() + 1 : 0);
    if (inside && (rest == "data.pkl" || rest == "version" || rest == "byteorder" ||
                   starts_with(rest, "data/") || starts_with(rest, "."))) {
      continue;
    }
    throw FormatError(file.place(),
                      "byte " + std::to_string(entry.begin) + ": entry " + detail::in_quotes(name),
                      "the entries of a dictionary of tensors", "another");
  }
}

void check_notes(const InputFile& file, const ZipArchive& zip, const std::string& root) {
  const auto refuse = [&](const std::string& name, const char* expected, const std::string& got) {
    throw FormatError(
        file.place(),
        "byte " + std::to_string(zip.entries().at(name).begin) + ": " + detail::in_quotes(name),
        expected, detail::in_quotes(got));
  };
  const std::string byteorder = root + "/byteorder";
  if (zip.entries().count(byteorder) != 0) {
    const std::string order = zip.read(byteorder, kMaxNoteBytes);
    if (order != "little") refuse(byteorder, "\"little\"", order);
  }
  const std::string version = root + "/version";
  if (zip.entries().count(version) == 0) {
    throw FormatError(file.place(), "entries of the zip file", detail::in_quotes(version), "none");
  }
  constexpr int kNewest = 10;
  const std::string number = zip.read(version, kMaxNoteBytes);
  for (int known = 1; known <= kNewest; ++known) {
    if (number == std::to_string(known) + "\n" || number == std::to_string(known)) return;
  }
  refuse(version, "a version from 1 to 10", number);
}

bool is_row_major(const PickledTensors::Tensor& tensor) {
  std::int64_t stride = 1;
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != stride) return false;
    stride *= tensor.shape[axis];
  }
  return true;
}

}  // namespace

struct TorchCheckpoint::Contents {
  struct Entry {
    Info info;
    const StorageRecord* record;
    std::uint64_t begin;  // bytes, in the record
    Shape strides;        // elements; empty where the tensor is contiguous
    bool whole;           // the record is this tensor and no other

    /// From the first element to the last, both included; of a tensor that has elements.
    std::uint64_t extent_bytes() const {
      std::int64_t last = 0;
      for (std::size_t axis = 0; axis < strides.size(); ++axis) {
        last += (info.shape[axis] - 1) * strides[axis];
      }
      return static_cast<std::uint64_t>(last + 1) * size_of(info.dtype);
    }
  };

  /// All bytes from a view's first element to its last: what a tensor that is not contiguous is
  /// gathered from.
  struct Extent {
    const Entry* entry;
    std::vector<char> bytes;
  };

  Contents(const std::filesystem::path& path, const Limits& limits) : file(path) {
    const std::string begin = read_at(file, 0, std::min<std::uint64_t>(file.size(), 512));
    if (starts_with(begin, "PK")) {
      open_zip(limits);
    } else if (starts_with(begin, kPlainBegin)) {
      open_plain(limits);
    } else {
      const bool tar = begin.size() == 512 && begin.compare(257, 5, "ustar") == 0;
      throw FormatError(file.place(), "byte 0: file format", "what torch.save writes",
                        tar             ? "a tar archive, as torch before 0.1.10 wrote"
                        : begin.empty() ? "nothing"
                                        : detail::in_quotes(begin, 16));
    }
  }

  void open_zip(const Limits& limits);
  void open_plain(const Limits& limits);
  void add_tensors(const PickledTensors& pickled);
  std::shared_ptr<const Extent> extent_of(const Entry& entry) const;
  void gather(const Entry& entry, std::int64_t first, std::int64_t count, char* out) const;

  InputFile file;
  std::vector<std::unique_ptr<const StorageRecord>> records;  // by the pickle's storage
  std::map<std::string, Entry> tensors;

  mutable std::mutex extent_mutex;
  mutable std::shared_ptr<const Extent> extent;  // of the tensor that was gathered last
};

void TorchCheckpoint::Contents::open_zip(const Limits& limits) {
  const ZipArchive zip(file, limits);
  const std::string root = root_of(file, zip);
  check_entries(file, zip, root);
  check_notes(file, zip, root);
  const std::string pickle = zip.read(root + "/data.pkl", limits.pickle_bytes);
  const std::string where = "data.pkl byte ";
  const PickledTensors pickled = detail::read_pickled_tensors(pickle, detail::TorchLayout::kZip,
                                                              {file.place(), where, 0}, limits);
  if (pickled.bytes != pickle.size()) {
    throw FormatError(file.place(), where + std::to_string(pickled.bytes), "the end after STOP",
                      std::to_string(pickle.size() - pickled.bytes) + " more bytes");
  }
  for (const PickledTensors::Storage& storage : pickled.storages) {
    const std::string name = root + "/data/" + storage.key;
    const auto found = zip.entries().find(name);
    const std::uint64_t bytes = storage.count * size_of(storage.dtype);
    if (found == zip.entries().end() || found->second.bytes != bytes) {
      throw FormatError(
          file.place(),
          where + std::to_string(storage.offset) + ": storage " + detail::in_quotes(storage.key),
          "an entry of " + std::to_string(bytes) + " bytes",
          found == zip.entries().end() ? "none" : std::to_string(found->second.bytes) + " bytes");
    }
    const ZipArchive::Entry& entry = found->second;
    records.push_back(
        std::make_unique<const StorageRecord>(file, name, entry.begin, entry.bytes, entry.crc));
  }
  add_tensors(pickled);
}

void TorchCheckpoint::Contents::open_plain(const Limits& limits) {
  const std::string where = "byte ";
  const std::string head = read_at(file, 0, std::min(file.size(), limits.pickle_bytes));
  std::uint64_t at = kPlainBegin.size();
  const auto rest = [&] { return std::string_view(head).substr(static_cast<std::size_t>(at)); };
  const auto refuse = [&](const std::string& what, const std::string& expected,
                          const std::string& got) {
    throw FormatError(file.place(), where + std::to_string(at) + ": " + what, expected, got);
  };
  std::size_t bytes = 0;
  if (!detail::read_pickled_flag(rest(), "little_endian", {file.place(), where, at}, limits,
                                 bytes)) {
    refuse("little_endian", "True", "False");
  }
  at += bytes;
  const PickledTensors pickled = detail::read_pickled_tensors(rest(), detail::TorchLayout::kPlain,
                                                              {file.place(), where, at}, limits);
  at += pickled.bytes;
  const std::uint64_t keys_at = at;
  const std::vector<std::string_view> keys =
      detail::read_pickled_strings(rest(), {file.place(), where, at}, limits, bytes);
  at += bytes;

  std::map<std::string_view, std::size_t> storages;
  for (std::size_t i = 0; i < pickled.storages.size(); ++i) storages[pickled.storages[i].key] = i;
  records.resize(pickled.storages.size());
  if (keys.size() != records.size()) {
    at = keys_at;
    refuse("keys", std::to_string(records.size()) + " storages", std::to_string(keys.size()));
  }
  for (const std::string_view key : keys) {
    const auto found = storages.find(key);
    if (found == storages.end() || records[found->second]) {
      refuse("storage", "a key of the dictionary, once", detail::in_quotes(key));
    }
    const PickledTensors::Storage& storage = pickled.storages[found->second];
    const std::uint64_t data = storage.count * size_of(storage.dtype);
    std::uint64_t count = 0;
    if (file.size() - at < sizeof count) {
      refuse("storage " + detail::in_quotes(key), "8 bytes of its size",
             std::to_string(file.size() - at));
    }
    file.read(at, &count, sizeof count);
    if (count != storage.count) {
      refuse("storage " + detail::in_quotes(key), std::to_string(storage.count) + " elements",
             std::to_string(count));
    }
    at += sizeof count;
    if (file.size() - at < data) {
      refuse("storage " + detail::in_quotes(key), std::to_string(data) + " bytes",
             std::to_string(file.size() - at));
    }
    records[found->second] =
        std::make_unique<const StorageRecord>(file, std::string(key), at, data, std::nullopt);
    at += data;
  }
  if (at != file.size()) {
    refuse("storages", "the end of the file", std::to_string(file.size() - at) + " more bytes");
  }
  add_tensors(pickled);
}

void TorchCheckpoint::Contents::add_tensors(const PickledTensors& pickled) {
  // Thousands of views of one large storage would each read all of it.
  constexpr std::uint64_t kMostReadings = 64;
  std::uint64_t gathered = 0;
  std::vector<int> users(records.size());
  for (const auto& [name, tensor] : pickled.tensors) ++users[tensor.storage];
  for (const auto& [name, tensor] : pickled.tensors) {
    const DType dtype = pickled.storages[tensor.storage].dtype;
    const StorageRecord& record = *records[tensor.storage];
    const auto elements = static_cast<std::uint64_t>(element_count(tensor.shape));
    const bool row_major = elements == 0 || is_row_major(tensor);
    const bool whole =
        row_major && users[tensor.storage] == 1 && elements * size_of(dtype) == record.bytes();
    tensors[name] = {{dtype, tensor.shape},
                     &record,
                     tensor.begin * size_of(dtype),
                     row_major ? Shape{} : tensor.strides,
                     whole};
    if (!row_major) gathered += tensors[name].extent_bytes();
    if (gathered > kMostReadings * file.size()) {
      throw LimitError(file.place(), detail::in_quotes(name),
                       "views that gather at most " + std::to_string(kMostReadings) +
                           " times the bytes of the file",
                       "more");
    }
  }
}

std::shared_ptr<const TorchCheckpoint::Contents::Extent> TorchCheckpoint::Contents::extent_of(
    const Entry& entry) const {
  const std::lock_guard<std::mutex> lock(extent_mutex);
  if (extent && extent->entry == &entry) return extent;
  extent.reset();
  auto loaded = std::make_shared<Extent>();
  loaded->entry = &entry;
  loaded->bytes.resize(static_cast<std::size_t>(entry.extent_bytes()));
  entry.record->read(entry.begin, loaded->bytes.data(), loaded->bytes.size(), false);
  extent = loaded;
  return loaded;
}

void TorchCheckpoint::Contents::gather(const Entry& entry, std::int64_t first, std::int64_t count,
                                       char* out) const {
  const std::shared_ptr<const Extent> source = extent_of(entry);
  const Shape& shape = entry.info.shape;
  const std::size_t item = size_of(entry.info.dtype);
  Shape index(shape.size());
  std::int64_t position = 0;
  for (std::size_t axis = shape.size(); axis-- > 0; first /= shape[axis]) {
    index[axis] = first % shape[axis];
    position += index[axis] * entry.strides[axis];
  }
  for (std::int64_t i = 0; i < count; ++i, out += item) {
    std::memcpy(out, source->bytes.data() + static_cast<std::size_t>(position) * item, item);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      position += entry.strides[axis];
      if (++index[axis] < shape[axis]) break;
      position -= shape[axis] * entry.strides[axis];
      index[axis] = 0;
    }
  }
}

TorchCheckpoint::TorchCheckpoint(const std::filesystem::path& path, const Limits& limits)
    : contents_(std::make_unique<const Contents>(path, limits)) {}

TorchCheckpoint::~TorchCheckpoint() = default;

std::string TorchCheckpoint::place() const { return contents_->file.place(); }

std::vector<std::string> TorchCheckpoint::names() const {
  std::vector<std::string> all;
  for (const auto& [name, entry] : contents_->tensors) all.push_back(name);
  return all;
}

std::optional<WeightSource::Info> TorchCheckpoint::find(const std::string& name) const {
  const auto found = contents_->tensors.find(name);
  if (found == contents_->tensors.end()) return std::nullopt;
  return found->second.info;
}

void TorchCheckpoint::read_stored(const std::string& name, std::int64_t first, std::int64_t count,
                                  void* out) const {
  const std::size_t item = size_of(info_of(name, first, count).dtype);
  if (count == 0) return;
  const Contents::Entry& entry = contents_->tensors.at(name);
  if (!entry.strides.empty()) {
    return contents_->gather(entry, first, count, static_cast<char*>(out));
  }
  entry.record->read(entry.begin + static_cast<std::uint64_t>(first) * item, out,
                     static_cast<std::size_t>(count) * item, entry.whole);
}

}  // namespace bridgetower

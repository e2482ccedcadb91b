#include <algorithm>
#include <array>
#include <bridgetower/io/safetensors.hpp>
#include <cstring>
#include <type_traits>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/json_guard.hpp"
#include "io/safetensors_header.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;

struct NamedType {
  const char* name;
  DType dtype;
};
constexpr NamedType kTypes[] = {
    {"BOOL", DType::kBool}, {"U8", DType::kU8},          {"I8", DType::kI8},
    {"I16", DType::kI16},   {"U16", DType::kU16},        {"F16", DType::kF16},
    {"BF16", DType::kBF16}, {"I32", DType::kI32},        {"U32", DType::kU32},
    {"F32", DType::kF32},   {"F64", DType::kF64},        {"I64", DType::kI64},
    {"U64", DType::kU64},   {"F8_E4M3", DType::kF8E4M3}, {"F8_E5M2", DType::kF8E5M2},
};

std::uint64_t little_endian(const std::array<unsigned char, kLengthBytes>& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

std::string read_header(const detail::InputFile& file, const Limits& limits) {
  if (file.size() < kLengthBytes) {
    throw FormatError(file.place(), "header", "at least 8 bytes", std::to_string(file.size()));
  }
  std::array<unsigned char, kLengthBytes> length_bytes{};
  file.read(0, length_bytes.data(), kLengthBytes);
  const std::uint64_t length = little_endian(length_bytes);
  const std::uint64_t most = file.size() - kLengthBytes;
  if (length > most) {
    throw FormatError(file.place(), "header length", "at most " + std::to_string(most),
                      std::to_string(length));
  }
  if (length > limits.header_bytes) {
    throw LimitError(file.place(), "header length",
                     "at most " + std::to_string(limits.header_bytes) + " bytes",
                     std::to_string(length));
  }
  std::string header(static_cast<std::size_t>(length), '\0');
  file.read(kLengthBytes, header.data(), header.size());
  if (header.empty() || header.front() != '{') {
    throw FormatError(file.place(), "header", "a JSON object that begins with '{'",
                      header.empty() ? "nothing" : detail::in_quotes(header.substr(0, 8)));
  }
  return header;
}

SafetensorsFile::Metadata parse_metadata(const json& value, const std::string& place) {
  if (!value.is_object()) {
    throw FormatError(place, "__metadata__", "an object of strings", detail::describe(value));
  }
  SafetensorsFile::Metadata metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      throw FormatError(place, "__metadata__ " + detail::in_quotes(key), "a string",
                        detail::describe(text));
    }
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

/// The named member of a tensor's description.
const json& member(const json& tensor, const char* key, const std::string& place,
                   const std::string& name) {
  const auto found = tensor.find(key);
  if (found == tensor.end()) throw FormatError(place, name + ": " + key + " is missing");
  return *found;
}

DType parse_dtype(const json& value, const std::string& place, const std::string& name) {
  for (const NamedType& type : kTypes) {
    if (detail::is_text(value, type.name)) return type.dtype;
  }
  throw FormatError(place, name + ": dtype", "a safetensors dtype", detail::describe(value));
}

std::uint64_t parse_count(const json& value, const std::string& place, const std::string& what) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 62;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kLargest) {
    throw FormatError(place, what, "an integer from 0 to 2^62", detail::describe(value));
  }
  return value.get<std::uint64_t>();
}

Shape parse_shape(const json& value, const std::string& place, const std::string& name) {
  if (!value.is_array()) {
    throw FormatError(place, name + ": shape", "an array", detail::describe(value));
  }
  Shape shape;
  for (const json& size : value) {
    shape.push_back(static_cast<std::int64_t>(parse_count(size, place, name + ": shape")));
  }
  return shape;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path, const Limits& limits)
    : SafetensorsFile(std::make_unique<const detail::InputFile>(path), limits) {}

SafetensorsFile::SafetensorsFile(std::string place, std::string_view bytes, const Limits& limits)
    : SafetensorsFile(std::make_unique<const detail::InputFile>(std::move(place), bytes), limits) {}

SafetensorsFile::SafetensorsFile(std::unique_ptr<const detail::InputFile> file,
                                 const Limits& limits)
    : file_(std::move(file)) {
  const std::string header = read_header(*file_, limits);
  parse_header(header, kLengthBytes + header.size(), limits);
}

SafetensorsFile::~SafetensorsFile() = default;

void SafetensorsFile::parse_header(const std::string& header, std::uint64_t data_begin,
                                   const Limits& limits) {
  const std::string& place = file_->place();
  const std::uint64_t data_bytes = file_->size() - data_begin;
  json root = detail::parse_json(header, place, limits);
  const detail::JsonGuard guard(root);
  if (root.size() > limits.tensors + 1) {  // and the metadata
    throw LimitError(place, "tensors", "at most " + std::to_string(limits.tensors),
                     std::to_string(root.size()));
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const auto& [key, value] : root.items()) {
    if (key == "__metadata__") {
      metadata_ = parse_metadata(value, place);
      continue;
    }
    const std::string name = detail::in_quotes(key);
    if (!value.is_object()) throw FormatError(place, name, "an object", detail::describe(value));
    const DType dtype = parse_dtype(member(value, "dtype", place, name), place, name);
    Shape shape = parse_shape(member(value, "shape", place, name), place, name);
    const json& offsets = member(value, "data_offsets", place, name);
    if (!offsets.is_array() || offsets.size() != 2) {
      throw FormatError(place, name + ": data_offsets", "two integers", detail::describe(offsets));
    }
    const std::uint64_t begin = parse_count(offsets[0], place, name + ": data_offsets");
    const std::uint64_t end = parse_count(offsets[1], place, name + ": data_offsets");
    if (begin > end || end > data_bytes) {
      throw FormatError(place, name + ": data_offsets",
                        "a range inside the " + std::to_string(data_bytes) + " bytes of data",
                        std::to_string(begin) + " to " + std::to_string(end));
    }
    const std::int64_t count = element_count(shape);
    const std::uint64_t item = size_of(dtype);
    if (count < 0 || static_cast<std::uint64_t>(count) > (std::uint64_t{1} << 62) / item ||
        static_cast<std::uint64_t>(count) * item != end - begin) {
      throw FormatError(place, name + ": data_offsets",
                        "the bytes of " + std::string(to_string(dtype)) + " " + to_string(shape),
                        std::to_string(end - begin));
    }
    ranges.emplace_back(begin, end);
    entries_[key] = {dtype, std::move(shape), data_begin + begin, end - begin};
  }
  // Together the tensors are all of the data: no byte twice, none left over.
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered) {
      throw FormatError(place, begin < covered ? "tensors overlap" : "bytes of no tensor",
                        "a tensor that begins at byte " + std::to_string(covered),
                        std::to_string(begin));
    }
    covered = end;
  }
  if (covered != data_bytes) {
    throw FormatError(place, "file size", std::to_string(data_begin + covered),
                      std::to_string(data_begin + data_bytes));
  }
}

std::string SafetensorsFile::place() const { return file_->place(); }

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> all;
  for (const auto& [name, entry] : entries_) all.push_back(name);
  return all;
}

std::optional<WeightSource::Info> SafetensorsFile::find(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  return Info{found->second.dtype, found->second.shape};
}

const SafetensorsFile::Entry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw FormatError(place(), detail::in_quotes(name) + " is missing");
  return found->second;
}

void SafetensorsFile::read_stored(const std::string& name, std::int64_t first, std::int64_t count,
                                  void* out) const {
  const std::size_t item = size_of(info_of(name, first, count).dtype);
  file_->read(entry(name).begin + static_cast<std::uint64_t>(first) * item, out,
              static_cast<std::size_t>(count) * item);
}

template <class Scalar>
Tensor<Scalar> SafetensorsFile::tensor(const std::string& name) const {
  const Entry& found = entry(name);
  auto values = Tensor<Scalar>::uninitialized(found.shape);
  if constexpr (std::is_floating_point_v<Scalar>) {
    read(name, 0, static_cast<std::int64_t>(values.size()), values.data());
  } else {
    constexpr DType kOwn = sizeof(Scalar) == 1 ? DType::kU8 : DType::kI64;
    if (found.dtype != kOwn) {
      throw FormatError(place(), detail::in_quotes(name), to_string(kOwn), to_string(found.dtype));
    }
    file_->read(found.begin, values.data(), static_cast<std::size_t>(found.bytes));
  }
  return values;
}

template Tensor<float> SafetensorsFile::tensor(const std::string& name) const;
template Tensor<double> SafetensorsFile::tensor(const std::string& name) const;
template Tensor<std::int64_t> SafetensorsFile::tensor(const std::string& name) const;
template Tensor<std::uint8_t> SafetensorsFile::tensor(const std::string& name) const;

namespace {

DType dtype_of(const Tensor<float>&) { return DType::kF32; }
DType dtype_of(const Tensor<double>&) { return DType::kF64; }
DType dtype_of(const Tensor<std::int64_t>&) { return DType::kI64; }
DType dtype_of(const Tensor<std::uint8_t>&) { return DType::kU8; }

/// What JSON and the format cannot hold.
void check_name(const std::string& place, const std::string& name) {
  if (name == "__metadata__")
    throw InputError(place, name, "another name", "a tensor of this name");
  if (!detail::is_utf8(name)) throw InputError(place, "name", "UTF-8", detail::in_quotes(name));
}

}  // namespace

std::string detail::safetensors_header(const std::vector<NamedInfo>& tensors,
                                       const SafetensorsFile::Metadata& metadata) {
  nlohmann::ordered_json header;
  const JsonGuard guard(header);
  make_object(header, tensors.size() + 1);
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, info] : tensors) {
    const std::uint64_t end = offset + bytes_of(info);
    auto& tensor = header[name];
    make_object(tensor, 3);
    tensor["dtype"] = to_string(info.dtype);
    tensor["shape"] = info.shape;
    tensor["data_offsets"] = std::array{offset, end};
    offset = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string length;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  }
  return length + text;
}

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, AnyTensor>& tensors,
                       const SafetensorsFile::Metadata& metadata) {
  for (const auto& [name, any] : tensors) check_name(path.string(), name);
  for (const auto& [key, text] : metadata) {
    if (!detail::is_utf8(key) || !detail::is_utf8(text)) {
      throw InputError(path.string(), "metadata", "UTF-8", detail::in_quotes(key + ": " + text));
    }
  }
  std::vector<detail::NamedInfo> infos;
  for (const auto& [name, any] : tensors) {
    std::visit(
        [&, &key = name](const auto& tensor) {
          infos.push_back({key, {dtype_of(tensor), tensor.shape()}});
        },
        any);
  }
  const std::string header = detail::safetensors_header(infos, metadata);
  detail::OutputFile file(path);
  file.write(header.data(), header.size());
  for (const auto& [name, any] : tensors) {
    std::visit(
        [&file](const auto& tensor) {
          file.write(tensor.data(), tensor.size() * sizeof(*tensor.data()));
        },
        any);
  }
  file.commit();
}

}  // namespace bridgetower

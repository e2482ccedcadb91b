#include "search/layout.hpp"

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/crc32.hpp"
#include "core/json.hpp"
#include "core/json_guard.hpp"
#include "search/path_json.hpp"

namespace bridgetower::detail {
namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "bridgetower-index";
constexpr std::int64_t kVersion = 1;
constexpr std::size_t kModelDigits = 64;
constexpr std::size_t kGenerationDigits = 16;

/// The members of one JSON object, with checks.
class Members {
 public:
  Members(const Json& object, std::string place, std::string prefix = "")
      : object_(object), place_(std::move(place)), prefix_(std::move(prefix)) {
    if (!object.is_object()) fail(prefix_, "an object", describe(object));
  }

  const Json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(prefix_ + key, "a value", "none");
    return *found;
  }

  std::int64_t count(const char* key,
                     std::int64_t largest = std::numeric_limits<std::int64_t>::max()) const {
    const Json& value = at(key);
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(largest)) {
      fail(prefix_ + key, "a whole number of at most " + std::to_string(largest), describe(value));
    }
    return value.get<std::int64_t>();
  }

  std::string text(const char* key) const {
    const Json& value = at(key);
    if (!value.is_string()) fail(prefix_ + key, "a string", describe(value));
    return value.get<std::string>();
  }

  bool flag(const char* key) const {
    const Json& value = at(key);
    if (!value.is_boolean()) fail(prefix_ + key, "true or false", describe(value));
    return value.get<bool>();
  }

  std::string hex(const char* key, std::size_t digits) const {
    std::string value = text(key);
    if (value.size() != digits ||
        value.find_first_not_of("0123456789abcdef") != std::string::npos) {
      fail(prefix_ + key, std::to_string(digits) + " hexadecimal digits", in_quotes(value));
    }
    return value;
  }

  [[noreturn]] void fail(const std::string& what, const std::string& expected,
                         const std::string& got) const {
    throw FormatError(place_, what, expected, got);
  }

 private:
  const Json& object_;
  std::string place_;
  std::string prefix_;
};

FileSum sum_from(const Json& json, const std::string& place, const std::string& name,
                 std::uint64_t block_bytes) {
  const Members members(json, place, "files." + name + ".");
  FileSum sum;
  sum.block = block_bytes;
  sum.bytes = static_cast<std::uint64_t>(members.count("bytes"));
  const Json& blocks = members.at("crc32");
  const std::uint64_t expected = sum.bytes / sum.block + (sum.bytes % sum.block != 0);
  if (!blocks.is_array() || blocks.size() != expected) {
    members.fail("files." + name + ".crc32", "a list of " + std::to_string(expected),
                 describe(blocks));
  }
  for (const Json& block : blocks) {
    if (!block.is_number_unsigned() ||
        block.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
      members.fail("files." + name + ".crc32", "32-bit numbers", describe(block));
    }
    sum.blocks.push_back(block.get<std::uint32_t>());
  }
  return sum;
}

KeptStates kept_from(const Members& members) {
  KeptStates kept;
  kept.max_bytes = static_cast<std::uint64_t>(members.count("max_bytes"));
  kept.bytes_each = static_cast<std::uint64_t>(members.count("bytes_each", kMaxStateBytes));
  if (kept.bytes_each == 0) members.fail("states.bytes_each", "at least 1", "0");
  const std::string dtype = members.text("dtype");
  if (dtype != "float32" && dtype != "bfloat16") {
    members.fail("states.dtype", "float32 or bfloat16", in_quotes(dtype));
  }
  kept.dtype = dtype == "float32" ? DType::kF32 : DType::kBF16;
  return kept;
}

void check_bytes(const Manifest& manifest, IndexFile file, std::int64_t rows, std::uint64_t row,
                 const Members& members) {
  const auto images = static_cast<std::uint64_t>(rows);
  const std::uint64_t bytes = manifest.files[file].bytes;
  if (row != 0 && images > std::numeric_limits<std::uint64_t>::max() / row) {
    members.fail("images", "a number that memory can hold", std::to_string(images));
  }
  if (bytes != images * row) {
    members.fail(std::string("files.") + kIndexFileNames[file] + ".bytes",
                 std::to_string(images * row), std::to_string(bytes));
  }
}

/// function(block, its first byte, its bytes) for each that has bytes from `begin` to `end`.
void for_blocks(const FileSum& sum, ThreadPool& threads, std::uint64_t begin, std::uint64_t end,
                const std::function<void(std::size_t, std::uint64_t, std::size_t)>& function) {
  if (begin >= end) return;
  const std::uint64_t first = begin / sum.block;
  const std::uint64_t last = (end + sum.block - 1) / sum.block;
  threads.run(static_cast<std::int64_t>(last - first), [&](std::int64_t i) {
    const auto block = static_cast<std::size_t>(first) + static_cast<std::size_t>(i);
    const std::uint64_t start = block * sum.block;
    function(block, start, static_cast<std::size_t>(std::min(sum.block, sum.bytes - start)));
  });
}

}  // namespace

Manifest read_manifest(const std::filesystem::path& directory, const Limits& limits) {
  const std::filesystem::path path = directory / kManifestName;
  const std::string place = path.string();
  Json json = read_json_file(path, limits.listing_bytes, limits);
  const JsonGuard guard(json);
  const Members members(json, place);
  if (members.text("format") != kFormat) {
    members.fail("format", kFormat, in_quotes(members.text("format")));
  }
  if (members.count("format_version") != kVersion) {
    members.fail("format_version", std::to_string(kVersion), members.at("format_version").dump());
  }
  Manifest manifest;
  manifest.model = members.hex("model", kModelDigits);
  manifest.generation = members.hex("generation", kGenerationDigits);
  manifest.size = members.count("size", 1 << 20);
  if (manifest.size == 0) members.fail("size", "at least 1", "0");
  manifest.images = members.count("images");
  manifest.failed = members.count("failed");
  const std::string type = members.text("dtype");
  if (type != "float32" && type != "bfloat16") {
    members.fail("dtype", "float32 or bfloat16", in_quotes(type));
  }
  manifest.type = type == "float32" ? VectorType::kFloat32 : VectorType::kBFloat16;
  if (json.contains("states")) {
    const Members states(json["states"], place, "states.");
    manifest.kept = kept_from(states);
    manifest.states = states.count("images", std::min(manifest.images, manifest.kept.limit()));
  }
  manifest.graph = members.flag("graph");
  const Members files(members.at("files"), place, "files.");
  for (int i = 0; i < kIndexFiles; ++i) {
    const bool whole = i == kStates && manifest.kept.bytes_each != 0;
    manifest.files[i] = sum_from(files.at(kIndexFileNames[i]), place, kIndexFileNames[i],
                                 whole ? manifest.kept.bytes_each : FileSum::kBlock);
  }
  check_bytes(manifest, kVectors, manifest.images,
              static_cast<std::uint64_t>(manifest.size) * bytes_of(manifest.type), members);
  check_bytes(manifest, kImages, manifest.images, sizeof(StoredRecord), members);
  check_bytes(manifest, kStates, manifest.states, manifest.kept.bytes_each, members);
  return manifest;
}

void write_manifest(const std::filesystem::path& directory, const Manifest& manifest) {
  nlohmann::ordered_json json;
  const JsonGuard guard(json);
  make_object(json, 11);
  json["format"] = kFormat;
  json["format_version"] = kVersion;
  json["model"] = manifest.model;
  json["generation"] = manifest.generation;
  json["size"] = manifest.size;
  json["dtype"] = manifest.type == VectorType::kFloat32 ? "float32" : "bfloat16";
  json["images"] = manifest.images;
  json["failed"] = manifest.failed;
  json["graph"] = manifest.graph;
  if (manifest.kept.bytes_each != 0) {
    auto& states = json["states"];
    make_object(states, 4);
    states["images"] = manifest.states;
    states["dtype"] = manifest.kept.dtype == DType::kF32 ? "float32" : "bfloat16";
    states["bytes_each"] = manifest.kept.bytes_each;
    states["max_bytes"] = manifest.kept.max_bytes;
  }
  auto& files = json["files"];
  make_object(files, kIndexFiles);
  for (int i = 0; i < kIndexFiles; ++i) {
    auto& file = files[kIndexFileNames[i]];
    make_object(file, 2);
    file["bytes"] = manifest.files[i].bytes;
    file["crc32"] = manifest.files[i].blocks;
  }
  write_file(directory / kManifestName, json.dump(1) + "\n");
}

MappedFile open_checked(const std::filesystem::path& path, const FileSum& sum, ThreadPool& threads,
                        std::uint64_t begin, std::uint64_t end) {
  MappedFile file(path);
  check_length(file.place(), file.size(), sum);
  for_blocks(sum, threads, begin, end,
             [&](std::size_t block, std::uint64_t start, std::size_t count) {
               check_block(file.place(), file.data() + start, count, block, sum);
             });
  return file;
}

ReadFile read_checked(const std::filesystem::path& path, const FileSum& sum, ThreadPool& threads) {
  const InputFile file(path);
  check_length(file.place(), file.size(), sum);
  ReadFile read{file.place(),
                Tensor<std::uint8_t>::uninitialized({static_cast<std::int64_t>(sum.bytes)})};
  for_blocks(sum, threads, 0, sum.bytes,
             [&](std::size_t block, std::uint64_t start, std::size_t count) {
               file.read(start, read.bytes.data() + start, count);
               check_block(read.place, read.bytes.data() + start, count, block, sum);
             });
  return read;
}

void check_length(const std::string& place, std::uint64_t bytes, const FileSum& sum) {
  if (bytes == sum.bytes) return;
  throw FormatError(place, "file size", std::to_string(sum.bytes) + " bytes",
                    std::to_string(bytes) + " bytes");
}

void check_block(const std::string& place, const void* bytes, std::size_t count, std::size_t block,
                 const FileSum& sum) {
  const std::uint32_t got = crc32(0, bytes, count);
  if (got == sum.blocks[block]) return;
  throw FormatError(place, "block " + std::to_string(block),
                    "CRC-32 " + std::to_string(sum.blocks[block]), std::to_string(got));
}

void SummedFile::write(const void* bytes, std::size_t count) {
  const auto* next = static_cast<const unsigned char*>(bytes);
  file_.write(bytes, count);
  while (count > 0) {
    const std::uint64_t held = sum_.bytes % sum_.block;
    if (held == 0) sum_.blocks.push_back(0);
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(count, sum_.block - held));
    sum_.blocks.back() = crc32(sum_.blocks.back(), next, taken);
    sum_.bytes += taken;
    next += taken;
    count -= taken;
  }
}

FileSum SummedFile::commit() {
  file_.commit();
  return std::move(sum_);
}

std::string to_lines(const std::vector<FailedImage>& failed) {
  std::string lines;
  for (const FailedImage& image : failed) {
    nlohmann::ordered_json json;
    const JsonGuard guard(json);
    put_path(json, image.path);
    json["code"] = image.code;
    json["message"] = image.message;
    lines += json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  return lines;
}

std::vector<FailedImage> failed_from_lines(const ReadFile& file) {
  std::vector<FailedImage> failed;
  std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Json json = parse_json(text.substr(0, end), file.place);
    const JsonGuard guard(json);
    const Members members(json, file.place);
    failed.push_back({path_from(json, file.place), members.text("code"), members.text("message")});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return failed;
}

bool is_index_file(const std::string& name) {
  const auto begins = [&name](const std::string& start) { return name.rfind(start, 0) == 0; };
  if (begins(std::string(kManifestName) + ".part")) return true;
  return std::any_of(std::begin(kIndexFileNames), std::end(kIndexFileNames), [&](const char* kind) {
    const std::string start = std::string(kind) + "-";
    if (!begins(start)) return false;
    const std::size_t digits = name.find_first_not_of("0123456789abcdef", start.size());
    const std::size_t end = start.size() + kGenerationDigits;
    return name.size() >= end && (digits == std::string::npos ? name.size() : digits) == end &&
           (name.size() == end || name.compare(end, 5, ".part") == 0);
  });
}

}  // namespace bridgetower::detail

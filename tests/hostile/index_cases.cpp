#include <algorithm>
#include <bridgetower/search/embedding_index.hpp>
#include <bridgetower/search/index_builder.hpp>
#include <bridgetower/search/shards.hpp>
#include <nlohmann/json.hpp>

#include "tests/hostile/hostile.hpp"
#include "tests/support/torch_file.hpp"

namespace bridgetower::hostile {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::bytes_of;
constexpr ErrorCode kFormat = ErrorCode::kFormat;
constexpr ErrorCode kInput = ErrorCode::kInput;
constexpr ErrorCode kLimit = ErrorCode::kLimit;

constexpr int kSize = 4;
const char* const kModel = "5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c5f1c";

/// An index of two pictures, with a state of the first and one file that failed.
fs::path built() {
  const fs::path directory = scratch() / "built";
  IndexBuilder::Options options;
  options.states = KeptStates{5, 5, DType::kBF16};
  IndexBuilder builder(directory, kModel, kSize, options);
  for (const char* const path : {"a.png", "b.png"}) {
    ImageRecord record;
    record.path = path;
    builder.add(record, Tensor<float>({kSize}, {1, 0, 0, 0}), "state");
  }
  builder.fail("c.png", FormatError("c.png", "broken"));
  builder.commit();
  return directory;
}

/// A fresh copy of it.
void build(const fs::path& directory) {
  static const fs::path original = built();
  fs::remove_all(directory);
  fs::create_directories(directory);
  fs::copy(original, directory);
}

fs::path directory() { return scratch() / "index"; }

/// Opens the index and asks it everything.
std::string ask() {
  const auto index = EmbeddingIndex::open(directory(), 1);
  index.nearest(Tensor<float>({index.size()}));
  for (std::int64_t row = 0; row < index.states(); ++row) index.state(row);
  return std::to_string(index.images()) + " pictures";
}

std::string read_manifest_bytes(const std::string& bytes) {
  build(directory());
  put("index/manifest.json", bytes);
  return ask();
}

/// The manifest, changed.
std::string changed(const char* pointer, const json& value) {
  build(directory());
  json manifest = json::parse(file_bytes(directory() / "manifest.json"));
  manifest[json::json_pointer(pointer)] = value;
  return manifest.dump();
}

void add_manifests(Cases& cases) {
  const auto other = [&](const std::string& name, const char* pointer, const json& value,
                         const std::string& message) {
    cases.refused(
        name, [=] { return changed(pointer, value); }, kFormat, message);
  };
  cases.answered(
      "as it should be", [] { return changed("/format_version", 1); }, "2 pictures");
  cases.refused("an empty file", "", kFormat, "expected JSON, got the end of the text");
  cases.refused("a list", "[]", kFormat, "expected an object, got an array");
  cases.refused("an object without keys", "{}", kFormat, "format: expected a value, got none");
  cases.refused(
      "a million levels", [] { return std::string(1'000'000, '['); }, kLimit, "nesting");
  cases.refused(
      "65 MB of spaces", [] { return std::string(65 << 20, ' '); }, kLimit, "file size");
  other("another format", "/format", "other", "format: expected bridgetower-index");
  other("a version from the future", "/format_version", 2, "format_version: expected 1, got 2");
  other("a model that is no hash", "/model", "../../etc", "64 hexadecimal digits");
  other("a generation that leads elsewhere", "/generation", "../../../../etc/p",
        "16 hexadecimal digits");
  other("vectors of no numbers", "/size", 0, "size: expected at least 1, got 0");
  other("vectors of 2^40 numbers", "/size", std::int64_t{1} << 40, "a whole number of at most");
  other("a negative number of pictures", "/images", -1, "a whole number of at most");
  other("2^62 pictures", "/images", std::int64_t{1} << 62, "");
  other("2^63 pictures", "/images", std::uint64_t{1} << 63, "a whole number of at most");
  other("half a picture", "/images", 1.5, "a whole number of at most");
  other("one picture more", "/images", 3, "files.vectors.bytes");
  other("another type of vectors", "/dtype", "int4", "dtype: expected float32 or bfloat16");
  other("a text for the graph", "/graph", "no", "graph: expected true or false");
  other("states of no bytes", "/states/bytes_each", 0, "states.bytes_each: expected at least 1");
  other("states of 2^40 bytes", "/states/bytes_each", std::int64_t{1} << 40, "states.bytes_each");
  other("more states than pictures", "/states/images", 100, "states.images");
  other("a file of 2^62 bytes", "/files/vectors/bytes", std::int64_t{1} << 62,
        "files.vectors.crc32");
  other("a negative length", "/files/paths/bytes", -1, "files.paths.bytes");
  other("no checksums", "/files/paths/crc32", json::array(), "files.paths.crc32: expected a list");
  other("a checksum of 2^32", "/files/paths/crc32", {std::uint64_t{1} << 32}, "32-bit numbers");
  other("another checksum", "/files/paths/crc32", {1}, "block 0: expected CRC-32 1");
  other("no list of files", "/files", nullptr, "files");
}

/// The index with one of its files changed, and its checksum set right: an attacker can do both.
std::string with_file(const std::string& kind, const std::string& bytes) {
  build(directory());
  json manifest = json::parse(file_bytes(directory() / "manifest.json"));
  put("index/" + kind + "-" + manifest["generation"].get<std::string>(), bytes);
  json sums = json::array();
  if (!bytes.empty()) sums.push_back(testing::slow_crc32(bytes));
  manifest["files"][kind] = {{"bytes", bytes.size()}, {"crc32", sums}};
  put("index/manifest.json", manifest.dump());
  return ask();
}

std::string record(std::uint64_t path_end) { return bytes_of(path_end, 8) + std::string(48, '\0'); }

void add_files(Cases& cases) {
  const auto file = [&](const std::string& name, const std::string& kind, const std::string& bytes,
                        const std::string& message) {
    cases.refused_call(
        name, [=] { with_file(kind, bytes); }, kFormat, message);
  };
  file("vectors cut off", "vectors", "1234", "files.vectors.bytes: expected 32, got 4");
  file("records cut off", "images", record(5), "files.images.bytes");
  file("a path that ends before it begins", "images", record(5) + record(4), "end of path 1");
  file("a path of no bytes", "images", record(5) + record(5), "end of path 1");
  file("a path beyond the file", "images", record(5) + record(~std::uint64_t{0}), "end of path 1");
  file("paths out of order", "paths", "b.pnga.png", "path 1: expected the order of bytes");
  file("a path twice", "paths", "a.pnga.png", "path 1: expected the order of bytes");
  file("bytes behind the paths", "paths", "a.pngb.png!", "file size");
  file("failed files that are no JSON", "failed", "nope\n", "expected JSON");
  file("failed files without a name", "failed", "{}\n", "image: expected a string, got none");
  file("a failed file with half a byte", "failed",
       R"({"image_hex":"616","code":"io","message":"m"})", "pairs of hexadecimal digits");
  file("a failed file with a name of no digits", "failed",
       R"({"image_hex":"zz","code":"io","message":"m"})", "pairs of hexadecimal digits");
  file("a failed file too many", "failed",
       R"({"image":"x","code":"io","message":"m"})"
       "\n"
       R"({"image":"y","code":"io","message":"m"})",
       "lines: expected 1, got 2");
  file("states cut off", "states", "stat", "files.states");
  cases.refused_call(
      "a state that was changed",
      [] {
        build(directory());
        const json manifest = json::parse(file_bytes(directory() / "manifest.json"));
        put("index/states-" + manifest["generation"].get<std::string>(), "STATE");
        ask();
      },
      kFormat, "block 0: expected CRC-32");
  cases.refused_call(
      "a file that is gone",
      [] {
        build(directory());
        const json manifest = json::parse(file_bytes(directory() / "manifest.json"));
        fs::remove(directory() / ("paths-" + manifest["generation"].get<std::string>()));
        ask();
      },
      ErrorCode::kIo, "No such file or directory");
}

void add_calls(Cases& cases) {
  const auto ask_for = [&](const std::string& name,
                           const std::function<void(const EmbeddingIndex&)>& what, ErrorCode code,
                           const std::string& message) {
    cases.refused_call(
        name,
        [what] {
          build(directory());
          what(EmbeddingIndex::open(directory(), 1));
        },
        code, message);
  };
  ask_for(
      "a query of another length", [](auto& index) { index.nearest(Tensor<float>({5})); },
      ErrorCode::kShape, "queries: expected [queries, 4], got [1, 5]");
  ask_for(
      "no results",
      [](auto& index) {
        NearestOptions options;
        options.top_k = 0;
        index.nearest(Tensor<float>({kSize}), options);
      },
      kInput, "top_k: expected at least 1, got 0");
  ask_for(
      "an approximate answer without a graph",
      [](auto& index) {
        NearestOptions options;
        options.approximate = true;
        index.nearest(Tensor<float>({kSize}), options);
      },
      kInput, "graph: expected an index with one (index --graph), got one without");
  ask_for(
      "row -1", [](auto& index) { index.path(-1); }, kInput, "row: expected 0 to 1, got -1");
  ask_for(
      "row 2^62", [](auto& index) { index.record(std::int64_t{1} << 62); }, kInput, "row");
  ask_for(
      "a state that there is not", [](auto& index) { index.state(1); }, kInput,
      "one of the first 1, got 1");
  ask_for(
      "another model's", [](auto& index) { index.check_model("x"); }, kInput,
      "model of the index: expected x");
  cases.refused_call(
      "part 3 of 2", [] { EmbeddingIndex::open_part(directory(), 3, 2, 1); }, kInput,
      "part: expected 0 to 1, got 3");
}

void add_parts(Cases& cases) {
  const auto part = [&](const std::string& name, const std::string& text, ErrorCode code,
                        const std::string& message) {
    cases.refused_call(
        name,
        [=] {
          fs::remove_all(scratch() / "parts");
          build(scratch() / "parts/part-0-of-1");
          put("parts/part-0-of-1/part.json", text);
          check_parts(scratch() / "parts", 1);
        },
        code, message);
  };
  cases.refused_call(
      "one part of two",
      [] {
        fs::remove_all(scratch() / "parts");
        build(scratch() / "parts/part-0-of-2");
        mark_finished(scratch() / "parts/part-0-of-2", {0, 2});
        check_parts(scratch() / "parts", 1);
      },
      kInput, "parts: expected all 2, got 1");
  part("an empty part.json", "", kFormat, "expected JSON");
  part("a list for a part.json", "[]", kFormat, "format: expected bridgetower-part");
  part("an unfinished part",
       R"({"format":"bridgetower-part","format_version":1,"shard":0,"shards":1,"generation":"x"})",
       kInput, "a finished one");
  part("share 7 of 1",
       R"({"format":"bridgetower-part","format_version":1,"shard":7,"shards":1,"generation":"x"})",
       kFormat, "shard: expected 0 to one less than shards");
  part(
      "share 1e300",
      R"({"format":"bridgetower-part","format_version":1,"shard":1e300,"shards":1,"generation":""})",
      kFormat, "shard: expected a value of its kind, got 1e+300");
  part(
      "share true",
      R"({"format":"bridgetower-part","format_version":1,"shard":true,"shards":1,"generation":""})",
      kFormat, "shard: expected a value of its kind, got true");
  part("2 MB of spaces", std::string(2 << 20, ' '), kLimit, "at most 1048576 bytes");
}

}  // namespace

std::vector<Case> index_cases() {
  Cases cases("index", read_manifest_bytes);
  add_manifests(cases);
  add_files(cases);
  add_calls(cases);
  add_parts(cases);
  return cases.take();
}

}  // namespace bridgetower::hostile

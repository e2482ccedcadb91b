#include <algorithm>
#include <bridgetower/io/checkpoint.hpp>
#include <bridgetower/io/safetensors.hpp>

#include "tests/hostile/hostile.hpp"
#include "tests/support/safetensors_bytes.hpp"

namespace bridgetower::hostile {
namespace {

namespace fs = std::filesystem;

using testing::safetensors_bytes;
using testing::safetensors_header;
constexpr ErrorCode kFormat = ErrorCode::kFormat;

/// The first values of every tensor.
std::string read_values(const TensorFile& file) {
  constexpr std::int64_t kMost = 256;
  float values[kMost];
  const std::vector<std::string> names = file.names();
  for (const std::string& name : names) {
    file.read(name, 0, std::min(kMost, element_count(file.find(name)->shape)), values);
  }
  return std::to_string(names.size()) + " tensors";
}

std::string read_safetensors(const std::string& bytes) {
  return read_values(SafetensorsFile(put("model.safetensors", bytes)));
}

/// One tensor "a" of F32.
std::string tensor(const std::string& shape, const std::string& offsets,
                   const std::string& data = "") {
  return safetensors_bytes(safetensors_header("a", "F32", shape, offsets), data);
}

std::string good() { return tensor("[2]", "[0,8]", std::string(8, '\0')); }

std::string two(const std::string& first, const std::string& second, std::size_t data) {
  const auto one = [](const std::string& name, const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":"U8","shape":[4],"data_offsets":)" + offsets + "}";
  };
  return safetensors_bytes("{" + one("a", first) + "," + one("b", second) + "}",
                           std::string(data, '\0'));
}

void add_safetensors_headers(Cases& cases) {
  cases.refused("an empty file", "", kFormat, "header: expected at least 8 bytes, got 0");
  cases.refused("seven bytes", "1234567", kFormat, "header: expected at least 8 bytes, got 7");
  cases.refused("a length and nothing else", std::string(8, '\0'), kFormat,
                "expected a JSON object that begins with '{', got nothing");
  cases.refused("a header longer than the file", safetensors_bytes("{}", "", 1000), kFormat,
                "header length: expected at most 2, got 1000");
  cases.refused("a header of 2^63 bytes", safetensors_bytes("{}", "", std::uint64_t{1} << 63),
                kFormat, "header length: expected at most 2, got 9223372036854775808");
  cases.refused("a header of 2^64 - 1 bytes", safetensors_bytes("{}", "", ~std::uint64_t{0}),
                kFormat, "got 18446744073709551615");
  cases.refused("a space before the header", safetensors_bytes(" {}"), kFormat, "begins with '{'");
  cases.refused("a list", safetensors_bytes("[]"), kFormat, "begins with '{'");
  cases.refused("no JSON", safetensors_bytes("{nope}"), kFormat, "byte 2: expected JSON");
  cases.refused("half of an object", safetensors_bytes("{\"a\":"), kFormat, "the end of the text");
  cases.refused("something behind the object", safetensors_bytes("{}x"), kFormat, "expected JSON");
  cases.refused("NaN", safetensors_bytes("{\"a\":NaN}"), kFormat, "byte 5: expected JSON");
  cases.refused("a number beyond double", safetensors_bytes("{\"a\":1e999}"), kFormat,
                "a number beyond double precision");
  cases.refused("a name that is not UTF-8", safetensors_bytes("{\"\xFF\":1}"), kFormat,
                "expected JSON");
  cases.refused("half of a surrogate pair", safetensors_bytes("{\"\\ud800\":1}"), kFormat,
                "expected JSON");
  cases.refused("a zero byte", safetensors_bytes(std::string("{\0}", 3)), kFormat,
                "byte 1: expected JSON, got \"\\x00\"");
  cases.refused("65 levels", safetensors_bytes("{\"a\":" + std::string(64, '[')), ErrorCode::kLimit,
                "nesting of at most 64, got a deeper one");
  cases.refused(
      "a million levels", [] { return safetensors_bytes("{\"a\":" + std::string(1'000'000, '[')); },
      ErrorCode::kLimit, "nesting of at most 64");
  cases.refused("a tensor twice", safetensors_bytes("{\"a\":{},\"a\":{}}"), kFormat,
                "every key once, got \"a\" again");
  cases.refused("a type twice", safetensors_bytes(R"({"a":{"dtype":"U8","dtype":"F32"}})"), kFormat,
                "every key once, got \"dtype\" again");
}

void add_safetensors_tensors(Cases& cases) {
  const auto member = [&](const std::string& name, const std::string& text,
                          const std::string& message) {
    cases.refused(name, safetensors_bytes("{\"a\":" + text + "}"), kFormat, message);
  };
  member("a number for a tensor", "1", "\"a\": expected an object, got 1");
  member("no type", R"({"shape":[],"data_offsets":[0,4]})", "\"a\"");
  member("an unknown type", R"({"dtype":"F128","shape":[],"data_offsets":[0,4]})", "F128");
  member("a number for a type", R"({"dtype":7,"shape":[],"data_offsets":[0,4]})", "7");
  member("no shape", R"({"dtype":"F32","data_offsets":[0,4]})", "\"a\"");
  member("no offsets", R"({"dtype":"F32","shape":[]})", "\"a\"");
  member("one offset", R"({"dtype":"F32","shape":[],"data_offsets":[0]})", "two integers");
  member("texts for offsets", R"({"dtype":"F32","shape":[],"data_offsets":["0","4"]})",
         "data_offsets");
  const auto shape = [&](const std::string& name, const std::string& text,
                         const std::string& message) {
    cases.refused(name, tensor(text, "[0,8]", std::string(8, '\0')), kFormat, message);
  };
  shape("a text for a shape", "\"2\"", "shape: expected an array, got string \"2\"");
  shape("a negative size", "[-2]", "shape");
  shape("half a size", "[1.5]", "shape");
  shape("a size of 2^63", "[9223372036854775808]", "shape");
  shape("a size of 1e30", "[1e30]", "shape");
  shape("a size that is true", "[true]", "shape");
  shape("a product of 2^64", "[4294967296,4294967296]", "the bytes of F32");
  shape("a product of 2^63 bytes", "[2305843009213693952]", "the bytes of F32");
  shape("another size than its bytes", "[3]", "the bytes of F32 [3], got 8");
  shape("no elements and some bytes", "[0]", "the bytes of F32 [0], got 8");
  cases.answered("nothing of 2^60 columns", tensor("[0,1152921504606846976]", "[0,0]"),
                 "1 tensors");
  cases.answered("a thousand axes of one",
                 tensor("[" + repeated("1,", 999) + "1]", "[0,4]", "1234"), "1 tensors");
  const auto offsets = [&](const std::string& name, const std::string& text,
                           const std::string& message) {
    cases.refused(name, tensor("[2]", text, std::string(8, '\0')), kFormat, message);
  };
  offsets("an end before the beginning", "[8,0]", "a range inside the 8 bytes of data, got 8 to 0");
  offsets("an end beyond the file", "[0,4000000000]", "got 0 to 4000000000");
  offsets("an end of 2^64 - 1", "[0,18446744073709551615]", "data_offsets");
  offsets("a negative beginning", "[-8,0]", "data_offsets");
  cases.refused("two tensors in one place", two("[0,4]", "[0,4]", 4), kFormat, "tensors overlap");
  cases.refused("two tensors that overlap", two("[0,4]", "[3,7]", 7), kFormat, "tensors overlap");
  cases.refused("bytes between tensors", two("[0,4]", "[5,9]", 9), kFormat, "bytes of no tensor");
  cases.refused("bytes before tensors", two("[1,5]", "[5,9]", 9), kFormat, "bytes of no tensor");
  cases.refused("bytes behind tensors", two("[0,4]", "[4,8]", 9), kFormat, "file size");
  cases.refused("a number for the metadata", safetensors_bytes(R"({"__metadata__":1})"), kFormat,
                "an object of strings, got 1");
  cases.refused("a number in the metadata", safetensors_bytes(R"({"__metadata__":{"a":1}})"),
                kFormat, "a string, got 1");
  cases.answered("a name with line ends and quotes",
                 safetensors_bytes(safetensors_header("\\n\\\"\\u0007", "F32", "[0]", "[0,0]")),
                 "1 tensors");
}

void add_safetensors_calls(Cases& cases) {
  const auto open = [] { return SafetensorsFile(put("calls.safetensors", good())); };
  float value[4];
  cases.refused_call(
      "elements behind a tensor", [=]() mutable { open().read("a", 1, 2, value); },
      ErrorCode::kInput, "a range inside 0 to 2, got 2 from 1");
  cases.refused_call(
      "elements before a tensor", [=]() mutable { open().read("a", -1, 1, value); },
      ErrorCode::kInput, "got 1 from -1");
  cases.refused_call(
      "2^63 - 1 elements", [=]() mutable { open().read("a", 1, INT64_MAX, value); },
      ErrorCode::kInput, "from 1");
  cases.refused_call(
      "a tensor that is not there", [=]() mutable { open().read("b", 0, 1, value); }, kFormat,
      "\"b\" is missing");
  cases.refused_call(
      "integers for floats",
      [=]() mutable {
        SafetensorsFile(put("calls.safetensors",
                            safetensors_bytes(safetensors_header("a", "I64", "[1]", "[0,8]"),
                                              std::string(8, '\0'))))
            .read("a", 0, 1, value);
      },
      kFormat, "expected F16, BF16, F32 or F64, got I64");
  cases.refused_call(
      "a file that shrinks",
      [=]() mutable {
        const SafetensorsFile file(put("shrinks.safetensors", good()));
        fs::resize_file(scratch() / "shrinks.safetensors", good().size() - 1);
        file.read("a", 0, 2, value);
      },
      ErrorCode::kIo, "expected 8 bytes, got ");
}

}  // namespace

std::vector<Case> safetensors_cases() {
  Cases cases("safetensors", read_safetensors);
  add_safetensors_headers(cases);
  add_safetensors_tensors(cases);
  add_safetensors_calls(cases);
  return cases.take();
}

std::vector<Case> shard_index_cases() {
  // Two shards: "a" in one, "b" in the other.
  const auto read = [](const std::string& bytes) {
    for (const char* const name : {"a", "b"}) {
      put(name + std::string(".safetensors"),
          safetensors_bytes(safetensors_header(name, "F32", "[1]", "[0,4]"), "1234"));
    }
    return read_values(ShardedCheckpoint(put("model.safetensors.index.json", bytes)));
  };
  Cases cases("shard index", read);
  const auto map = [](const std::string& a, const std::string& b = "\"b.safetensors\"") {
    return R"({"weight_map":{"a":)" + a + R"(,"b":)" + b + "}}";
  };
  const auto leaves = [&](const std::string& name, const std::string& file) {
    cases.refused(name, map("\"" + file + "\""), kFormat,
                  "weight_map \"a\": expected the name of a file in the same directory");
  };
  cases.answered("two shards", map("\"a.safetensors\""), "2 tensors");
  cases.refused("an empty file", "", kFormat, "byte 0: expected JSON, got the end of the text");
  cases.refused("a list", "[]", kFormat, "weight_map");
  cases.refused("no map", "{}", kFormat, "weight_map: expected an object of tensor and file names");
  cases.refused("a list for the map", R"({"weight_map":[]})", kFormat, "got an array");
  leaves("a shard above", "../a.safetensors");
  leaves("a shard elsewhere", "/etc/passwd");
  leaves("a shard below", "x/a.safetensors");
  leaves("the directory", ".");
  leaves("the directory above", "..");
  leaves("a shard without a name", "");
  leaves("a name with a zero byte", "a\\u0000.safetensors");
  leaves("a name with a backslash", "..\\\\a.safetensors");
  cases.refused("a number for a name", map("7"), kFormat, "got 7");
  cases.refused("null for a name", map("null"), kFormat, "got null");
  cases.refused("a shard that is not there", map("\"none.safetensors\""), ErrorCode::kIo,
                "No such file or directory");
  cases.refused("a name of 5000 bytes", map("\"" + std::string(5000, 'x') + ".safetensors\""),
                ErrorCode::kIo, "File name too long");
  cases.refused("a tensor in the wrong shard", map("\"b.safetensors\""), kFormat,
                "\"a\" is missing, and the index places it here");
  cases.refused("a tensor twice", R"({"weight_map":{"a":"a.safetensors","a":"b.safetensors"}})",
                kFormat, "every key once");
  cases.refused("itself as a shard", map("\"model.safetensors.index.json\""), kFormat,
                "expected what torch.save writes");
  cases.refused(
      "a shard with one more tensor",
      [] {
        put("c.safetensors", two("[0,4]", "[4,8]", 8));
        return std::string(R"({"weight_map":{"a":"c.safetensors"}})");
      },
      kFormat, "\"b\" of c.safetensors is not in the index");
  return cases.take();
}

}  // namespace bridgetower::hostile

#include <gtest/gtest.h>

#include <bridgetower/io/checkpoint.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/safetensors_bytes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using testing::expect_error;
using testing::safetensors_bytes;
using testing::safetensors_header;
using testing::TemporaryDirectory;

const std::string kOne("\0\0\x80\x3F", 4);
const std::string kTwo("\0\0\0\x40", 4);

/// A directory with two shards of one float each: "a" = 1 and "b" = 2.
class Shards : public ::testing::Test {
 protected:
  Shards() {
    write_shard("one.safetensors", "a", kOne);
    write_shard("two.safetensors", "b", kTwo);
  }

  void write_shard(const std::string& file, const std::string& name, const std::string& data) {
    directory_.write(file,
                     safetensors_bytes(safetensors_header(name, "F32", "[1]", "[0,4]"), data));
  }

  std::string path(const std::string& file) const { return (directory_.path() / file).string(); }

  void expect_refused(const std::string& index, ErrorCode code, const std::string& message) {
    SCOPED_TRACE(index);
    directory_.write("model.safetensors.index.json", index);
    expect_error(code, message,
                 [&] { ShardedCheckpoint opened(path("model.safetensors.index.json")); });
  }

  /// An index that is broken itself.
  void expect_index_refused(const std::string& index, const std::string& message) {
    expect_refused(index, ErrorCode::kFormat,
                   path("model.safetensors.index.json") + ": " + message);
  }

  TemporaryDirectory directory_;
};

TEST_F(Shards, AreReadAsOne) {
  directory_.write("model.safetensors.index.json",
                   R"({"metadata": {"total_size": "nonsense"},
                       "weight_map": {"b": "two.safetensors", "a": "one.safetensors"}})");
  const auto weights = open_checkpoint(directory_.path());
  EXPECT_EQ(weights->place(), path("model.safetensors.index.json"));
  EXPECT_EQ(weights->names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(weights->find("a")->shape, Shape{1});
  EXPECT_FALSE(weights->find("c"));
  float value = 0;
  weights->read("b", 0, 1, &value);
  EXPECT_EQ(value, 2.0F);
  expect_error(ErrorCode::kFormat, path("model.safetensors.index.json") + ": \"c\" is missing",
               [&] { weights->read("c", 0, 1, &value); });
}

TEST_F(Shards, NeedAnIndexOfTensorAndFileNames) {
  expect_index_refused("", "byte 0: expected JSON, got the end of the text");
  expect_index_refused("[]", "weight_map: expected an object of tensor and file names, got none");
  expect_index_refused("{}", "weight_map: expected an object of tensor and file names, got none");
  expect_index_refused(R"({"weight_map": null})",
                       "weight_map: expected an object of tensor and file names, got null");
  expect_index_refused(R"({"weight_map": ["a"]})",
                       "weight_map: expected an object of tensor and file names, got an array");
  expect_index_refused(R"({"weight_map": {"a": "one.safetensors", "a": "two.safetensors"}})",
                       "byte 42: expected every key once, got \"a\" again");
}

TEST_F(Shards, LieBesideTheirIndex) {
  const auto refuse = [this](const std::string& value, const std::string& shown) {
    expect_index_refused(
        "{\"weight_map\": {\"a\": " + value + "}}",
        "weight_map \"a\": expected the name of a file in the same directory, got " + shown);
  };
  std::filesystem::create_directory(path("sub"));
  write_shard("sub/one.safetensors", "a", kOne);
  refuse("\"../one.safetensors\"", "string \"../one.safetensors\"");
  refuse("\"" + path("one.safetensors") + "\"", "string \"" + path("one.safetensors") + "\"");
  refuse("\"sub/one.safetensors\"", "string \"sub/one.safetensors\"");
  refuse("\"sub\\\\one.safetensors\"", "string \"sub\\\\one.safetensors\"");
  refuse("\"\"", "string \"\"");
  refuse("\".\"", "string \".\"");
  refuse("\"..\"", "string \"..\"");
  refuse("\"one.safetensors\\u0000.txt\"", "string \"one.safetensors\\x00.txt\"");
  refuse("1", "1");
  refuse("null", "null");
  refuse("[\"one.safetensors\"]", "an array");
}

TEST_F(Shards, HoldWhatTheIndexSays) {
  expect_refused(
      R"({"weight_map": {"a": "none.safetensors"}})", ErrorCode::kIo,
      path("none.safetensors") + ": open: expected a regular file, got No such file or directory");
  expect_refused(R"({"weight_map": {"c": "one.safetensors"}})", ErrorCode::kFormat,
                 path("one.safetensors") + ": \"c\" is missing, and the index places it here");
  expect_refused(R"({"weight_map": {"a": "two.safetensors"}})", ErrorCode::kFormat,
                 path("two.safetensors") + ": \"a\" is missing, and the index places it here");
  directory_.write(
      "one.safetensors",
      safetensors_bytes(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"more":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
          kOne + kTwo));
  expect_index_refused(R"({"weight_map": {"a": "one.safetensors"}})",
                       "\"more\" of one.safetensors is not in the index");
  directory_.write("one.safetensors", "broken!!!");
  expect_refused(
      R"({"weight_map": {"a": "one.safetensors"}})", ErrorCode::kFormat,
      path("one.safetensors") + ": header length: expected at most 1, got 2387310659356291682");
}

TEST_F(Shards, AreNotReadBesideAWholeFile) {
  directory_.write("model.safetensors.index.json", "broken");
  write_shard("model.safetensors", "a", kTwo);
  EXPECT_EQ(open_checkpoint(directory_.path())->place(), path("model.safetensors"));
}

}  // namespace
}  // namespace bridgetower

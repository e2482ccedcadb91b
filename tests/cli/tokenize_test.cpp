// tokenize --jsonl reads its options as Hugging Face's tokenizer(text, …) does.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::read_all;
using testing::TemporaryDirectory;

/// The records for a file of lines.
std::vector<json> tokenize(const std::filesystem::path& model, const std::string& lines) {
  const TemporaryDirectory directory;
  const std::string in = directory.write("in", lines).string();
  const std::string out = (directory.path() / "out").string();
  const std::string command = testing::program() + " tokenize --model " + model.string() +
                              " --jsonl --texts " + in + " >" + out + " 2>&1";
  EXPECT_GE(std::system(command.c_str()), 0);
  std::vector<json> records;
  std::istringstream stream(read_all(out));
  for (std::string line; std::getline(stream, line);) records.push_back(json::parse(line));
  return records;
}

const std::filesystem::path kTiny = std::filesystem::path(testing::test_data()) / "tiny_model";

TEST(Tokenize, TruncatesWhereOnlyMaxLengthIsGiven) {
  const auto records =
      tokenize(kTiny,
               "{\"text\": \"!!!!!\", \"max_length\": 4}\n"
               "{\"text\": \"!!!!!\", \"max_length\": 4, \"truncation\": null}\n"
               "{\"text\": \"!!!!!\", \"max_length\": 4, \"truncation\": false}\n"
               "{\"text\": \"!!!!!\", \"max_length\": 4, \"padding\": true}\n"
               "{\"text\": \"!\", \"max_length\": 4, \"padding\": \"max_length\"}\n"
               "{\"text\": \"!!!!!\", \"max_length\": 4, \"padding\": \"do_not_pad\"}\n");
  ASSERT_EQ(records.size(), 6U);
  EXPECT_EQ(records[5]["input_ids"].size(), 7U);
  EXPECT_EQ(records[0]["input_ids"].size(), 4U);
  EXPECT_EQ(records[1]["input_ids"].size(), 4U);
  EXPECT_EQ(records[2]["input_ids"].size(), 7U);
  EXPECT_EQ(records[3]["input_ids"].size(), 7U);
  EXPECT_EQ(records[4]["attention_mask"], json({1, 1, 1, 0}));
}

TEST(Tokenize, TakesModelMaxLengthFromTheDirectory) {
  const std::string lines = json({{"text", std::string(100, '!')}, {"truncation", true}}).dump() +
                            "\n" + json({{"text", "!"}, {"padding", "max_length"}}).dump() + "\n";
  const auto limited = tokenize(kTiny, lines);
  ASSERT_EQ(limited.size(), 2U);
  EXPECT_EQ(limited[0]["input_ids"].size(), 38U);
  EXPECT_EQ(limited[1]["input_ids"].size(), 38U);
  const TemporaryDirectory directory;
  directory.write("tokenizer.json", read_all(kTiny / "tokenizer.json"));
  const auto unlimited = tokenize(directory.path(), lines);
  ASSERT_EQ(unlimited.size(), 2U);
  EXPECT_EQ(unlimited[0]["input_ids"].size(), 102U);
  EXPECT_EQ(unlimited[1]["input_ids"].size(), 3U);
}

}  // namespace
}  // namespace bridgetower

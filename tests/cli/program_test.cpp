// The program as a script calls it: records, exit codes, one-line errors.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <bridgetower/io/safetensors.hpp>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::read_all;
using testing::TemporaryDirectory;

const std::string kData = BRIDGETOWER_TEST_DATA;
const std::string kModel = " --model " + kData + "/tiny_model ";
const std::string kPicture = kData + "/images/rgb.png";

struct Outcome {
  int status;
  std::string out;
  std::string error;

  std::vector<json> records() const {
    std::vector<json> all;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
    return all;
  }
};

Outcome run(const std::string& arguments, const std::string& input = "") {
  const TemporaryDirectory directory;
  directory.write("in", input);
  const std::string base = directory.path().string();
  const std::string command = std::string(BRIDGETOWER_PROGRAM) + " " + arguments + " <" + base +
                              "/in >" + base + "/out 2>" + base + "/err";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_all(base + "/out"),
          read_all(base + "/err")};
}

TEST(Program, MatchesEveryPictureWithEveryText) {
  const Outcome all = run("match" + kModel + "--image " + kPicture + " " + kData +
                          "/images/tall.png --text 'a cat' 'a dog'");
  EXPECT_EQ(all.status, 0) << all.error;
  const auto records = all.records();
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[1]["image"], kPicture);
  EXPECT_EQ(records[1]["text"], "a dog");
  EXPECT_EQ(records[2]["text"], "a cat");
  const double difference =
      records[0]["logits"][0].get<double>() - records[0]["logits"][1].get<double>();
  EXPECT_NEAR(records[0]["score"].get<double>(), 1 / (1 + std::exp(difference)), 1e-6);
}

TEST(Program, GoesOnAfterABadInput) {
  const Outcome all =
      run("match" + kModel + "--image /nowhere.png " + kPicture + " --text 'a cat'");
  EXPECT_EQ(all.status, 1);
  const auto records = all.records();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0]["error"]["code"], "io");
  EXPECT_EQ(records[0]["error"]["message"],
            "/nowhere.png: open: expected a regular file, got No such file or directory");
  EXPECT_TRUE(records[1].contains("score"));
}

TEST(Program, FillsEveryMask) {
  const Outcome all = run("fill-mask" + kModel + "--image " + kPicture +
                          " --text 'a <mask> in the <mask>' --top-k 3");
  EXPECT_EQ(all.status, 0) << all.error;
  const json record = all.records().at(0);
  ASSERT_EQ(record["masks"].size(), 2U);
  const json& candidates = record["masks"][1]["candidates"];
  ASSERT_EQ(candidates.size(), 3U);
  EXPECT_GE(candidates[0]["score"].get<double>(), candidates[1]["score"].get<double>());
  const Outcome none = run("fill-mask" + kModel + "--image " + kPicture + " --text 'a cat'");
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(none.error, "bridgetower: text: mask tokens: expected at least one <mask>, got none\n");
}

TEST(Program, WritesVectorsInEveryFormat) {
  const TemporaryDirectory directory;
  const std::string base = directory.path().string();
  directory.write("texts", "a cat\na dog\n");
  directory.write("pairs", json{{"image", kPicture}, {"text", "a cat"}}.dump() + "\n");
  const std::string inputs = "embed" + kModel + "--images " + kPicture + " --texts " + base +
                             "/texts --pairs " + base + "/pairs --output " + base + "/v";
  for (const char* suffix : {".npy", ".safetensors", ".jsonl"}) {
    const Outcome all = run(inputs + suffix);
    EXPECT_EQ(all.status, 0) << all.error;
    EXPECT_EQ(all.records().at(0)["rows"], 4);
  }
  const auto vectors = SafetensorsFile(base + "/v.safetensors").tensor<float>("embeddings");
  ASSERT_EQ(vectors.shape(), (Shape{4, 16}));
  double length = 0;
  for (std::int64_t i = 0; i < 16; ++i) length += std::pow(vectors(1, i), 2);
  EXPECT_NEAR(length, 1.0, 1e-5);
  const std::string npy = read_all(base + "/v.npy");
  EXPECT_EQ(npy.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(npy.size(), 128 + 4 * 16 * sizeof(float));
  std::istringstream lines(read_all(base + "/v.jsonl"));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(json::parse(line)["embedding"].size(), 16U);

  const Outcome similarity = run("similarity" + kModel + "--image " + kPicture + " --text 'a cat'");
  double cosine = 0;
  for (std::int64_t i = 0; i < 16; ++i)
    cosine += static_cast<double>(vectors(0, i)) * vectors(1, i);
  EXPECT_NEAR(similarity.records().at(0)["score"].get<double>(), cosine, 1e-6);
}

TEST(Program, TokenizesPlainLinesAndObjects) {
  const Outcome plain = run("tokenize" + kModel + "--tokens", "a cat\n\na <mask>\n");
  ASSERT_EQ(plain.records().size(), 3U);
  EXPECT_EQ(plain.records()[1]["input_ids"], json({0, 2}));
  const Outcome objects = run(
      "tokenize" + kModel + "--jsonl",
      R"({"text": "a cat", "padding": "max_length", "max_length": 9, "return_offsets_mapping": true})"
      "\n"
      R"({"text": 7})"
      "\n");
  EXPECT_EQ(objects.status, 1);
  EXPECT_EQ(objects.records()[0]["input_ids"].size(), 9U);
  EXPECT_EQ(objects.records()[0]["offset_mapping"][1], json({0, 1}));
  EXPECT_EQ(objects.records()[1]["error"]["message"], "tokenize: text: expected a string, got 7");
  const Outcome bad = run("tokenize" + kModel,
                          "a\xFF"
                          "b\n");
  EXPECT_EQ(bad.records()[0]["error"]["message"], "text: byte 1 is not UTF-8");

  const json ids = run("tokenize" + kModel, "two dogs\n").records()[0]["input_ids"];
  const std::string lines = json{{"ids", ids}, {"skip_special_tokens", true}}.dump() + "\n" +
                            json{{"ids", ids}}.dump() + "\n";
  const Outcome texts = run("detokenize" + kModel + "--jsonl -", lines);
  EXPECT_EQ(texts.records()[0]["text"], "two dogs");
  EXPECT_EQ(texts.records()[1]["text"], "<s>two dogs</s>");
}

TEST(Program, SaysWhatAModelHolds) {
  const json record = run("info" + kModel).records().at(0);
  EXPECT_EQ(record["heads"], json({{"itm", true}, {"mlm", true}, {"itc", true}}));
  EXPECT_EQ(record["architecture"]["vision"]["patch_size"], 16);
  EXPECT_GT(record["parameters"].get<std::int64_t>(), 100000);
}

TEST(Program, EndsWithStatus2OnWrongUsage) {
  EXPECT_EQ(run("").status, 2);
  EXPECT_EQ(run("nonsense").status, 2);
  EXPECT_EQ(run("match --image x").status, 2);
  EXPECT_EQ(run("--help").status, 0);
  EXPECT_EQ(run("--version").out.rfind("bridgetower ", 0), 0U);
}

TEST(Program, RefusesAModelThatIsNone) {
  const Outcome none = run("info --model /nowhere");
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(none.error,
            "bridgetower: /nowhere/config.json: open: expected a regular file, got No such file or "
            "directory\n");
}

}  // namespace
}  // namespace bridgetower

// The program as a script calls it: records, exit codes, one-line errors.
#include "tests/support/program.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/io/safetensors.hpp>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/paths.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::Outcome;
using testing::read_all;
using testing::TemporaryDirectory;

const std::string kData = testing::test_data();
const std::string kModel = " --model " + kData + "/tiny_model ";
const std::string kPicture = kData + "/images/rgb.png";

Outcome run(const std::string& arguments, const std::string& input = "",
            const std::string& redirections = "") {
  return testing::run_program(testing::program(), arguments, input, redirections);
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

TEST(Program, TimesEveryTask) {
  for (const std::string task : {"match", "mask", "image", "text", "matrix"}) {
    const Outcome all = run("bench" + kModel + "--repeat 2 --threads 2 --task " + task);
    EXPECT_EQ(all.status, 0) << all.error;
    const json record = all.records().at(0);
    EXPECT_EQ(record["task"], task);
    EXPECT_EQ(record["threads"], 2);
    EXPECT_GE(record["p95_ms"].get<double>(), record["median_ms"].get<double>());
    const double seconds = record["median_ms"].get<double>() / 1e3;
    EXPECT_NEAR(record["items_per_s"].get<double>() * seconds, task == "matrix" ? 32 : 1, 1e-6);
    EXPECT_GT(record["gflops"].get<double>(), 0);
    EXPECT_GT(record["peak_gflops"].get<double>(), record["gflops"].get<double>());
    EXPECT_FALSE(record["kernels"].get<std::string>().empty());
    EXPECT_FALSE(record["cpu"].get<std::string>().empty());
  }
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
  EXPECT_FALSE(record.contains("onednn"));
}

/// Of a build without oneDNN: null. Else for every width a product in float32 at least, and no
/// reference implementation.
TEST(Program, InfoSaysWhatOneDnnMultipliesBy) {
  const json onednn = run("info --verbose" + kModel).records().at(0).at("onednn");
  const bool is_built = run("--version").out.find("onednn") != std::string::npos;
  ASSERT_EQ(onednn.is_null(), !is_built);
  const Outcome match = run("match" + kModel + "--backend onednn --text x --image " + kPicture);
  EXPECT_EQ(match.status, is_built ? 0 : 1) << match.error;
  if (!is_built) return;
  EXPECT_GE(onednn["products"].size(), 2U);
  for (const json& product : onednn["products"]) {
    EXPECT_GE(product["float32"].size(), 1U) << product;
    EXPECT_EQ(product.dump().find("ref"), std::string::npos) << product;
  }
}

TEST(Program, EndsWithStatus2OnWrongUsage) {
  EXPECT_EQ(run("").status, 2);
  EXPECT_EQ(run("nonsense").status, 2);
  EXPECT_EQ(run("match --image x").status, 2);
  EXPECT_EQ(run("--help").status, 0);
  EXPECT_EQ(run("--version").out.rfind("bridgetower ", 0), 0U);
  EXPECT_NE(run("--version").out.find("\nJPEG: "), std::string::npos);
}

TEST(Program, SaysWhatIsWrongInOneLine) {
  const auto line_of = [](const std::string& arguments) {
    const Outcome wrong = run(arguments);
    EXPECT_EQ(wrong.status, 2);
    EXPECT_EQ(std::count(wrong.error.begin(), wrong.error.end(), '\n'), 1) << wrong.error;
    return wrong.error;
  };
  const std::string more = " (bridgetower --help tells more)\n";
  EXPECT_EQ(line_of(""), "bridgetower: A subcommand is required" + more);
  const std::string pair = "match" + kModel + "--image " + kPicture + " --text x ";
  for (const std::string threads : {"0", "1025", "-1", "99999999999999999999"}) {
    EXPECT_EQ(line_of(pair + "--threads " + threads).rfind("bridgetower: ", 0), 0U) << threads;
  }
  EXPECT_EQ(line_of(pair + "--threads 0"),
            "bridgetower: --threads: Value 0 not in range 1 to 1024" + more);
  line_of(pair + "--threads two");
  line_of(pair + "--format xml");
  line_of(pair + "--dtype float64");
  line_of("run" + kModel + "--head base");
  line_of("embed" + kModel + "--images x --output x.bin");
  EXPECT_EQ(run(pair + "--threads 16").status, 0);
}

TEST(Program, ReportsOutputThatCannotBeWritten) {
  const std::string pair = "match" + kModel + "--image " + kPicture + " --text x --format ";
  for (const char* format : {"text", "json", "jsonl"}) {
    for (const char* redirection : {">/dev/full", ">&-"}) {
      const Outcome out = run(pair + format, "", redirection);
      EXPECT_EQ(out.status, 1);
      EXPECT_EQ(out.error, "bridgetower: standard output: cannot be written\n");
    }
  }
  const std::string pixels = "preprocess --image " + kPicture + " --output ";
  EXPECT_EQ(run(pixels + "/dev/full").error,
            "bridgetower: /dev/full: create: expected a regular file, got a device\n");
  EXPECT_EQ(run(pixels + "/nowhere/x").error,
            "bridgetower: /nowhere/x: create: expected a writable directory, got No such file or "
            "directory\n");
  EXPECT_EQ(run("embed" + kModel + "--images " + kPicture + " --output /nowhere/x.npy").status, 1);
}

TEST(Program, GoesOnAfterABadLine) {
  const TemporaryDirectory directory;
  const std::string base = directory.path().string();
  directory.write("pairs", "{\"image\": 7}\nnonsense\n" +
                               json{{"image", kPicture}, {"text", "a cat"}}.dump() + "\n");
  const Outcome all =
      run("embed" + kModel + "--pairs " + base + "/pairs --output " + base + "/v.npy");
  EXPECT_EQ(all.status, 1);
  ASSERT_EQ(all.records().size(), 3U) << all.error;
  EXPECT_EQ(all.records()[0]["error"]["message"],
            base +
                "/pairs: a line of pairs: expected {\"image\": \"…\", \"text\": \"…\"}, got "
                "{\"image\": 7}");
  EXPECT_EQ(all.records()[1]["pair"], "nonsense");
  EXPECT_EQ(all.records()[2]["failed"], 2);
  EXPECT_EQ(all.records()[2]["rows"], 3);
}

/// As Spark's pipe() runs it: a line out for each line in, whatever is in it.
TEST(Program, EmbedsLinesOfStandardInputToStandardOutput) {
  const json image = {{"image", kPicture}};
  const json text = {{"text", "a cat"}};
  const json both = {{"image", kPicture}, {"text", "a cat"}};
  const std::string lines = image.dump() + "\n" + R"({"image": "none.png"})" + "\n{}\n" +
                            text.dump() + "\n" + both.dump() + "\n";
  const Outcome piped = run("embed" + kModel + "--pairs - --output -", lines);
  EXPECT_EQ(piped.status, 1);
  const auto records = piped.records();
  ASSERT_EQ(records.size(), 5U) << piped.out;
  EXPECT_EQ(records[0]["image"], kPicture);
  EXPECT_EQ(records[0]["embedding"].size(), 16U);
  EXPECT_FALSE(records[0].contains("error"));
  EXPECT_EQ(records[1]["error"]["code"], "io");
  EXPECT_EQ(records[2]["error"]["code"], "format");
  EXPECT_EQ(records[3]["text"], "a cat");
  EXPECT_EQ(records[4]["embedding"].size(), 16U);
  EXPECT_NE(records[4]["embedding"], records[3]["embedding"]);
  EXPECT_NE(piped.error.find("\"failed\":2"), std::string::npos) << piped.error;
  EXPECT_EQ(testing::run_program(testing::program(), "embed" + kModel + "--pairs - --output -",
                                 lines, ">/dev/full")
                .status,
            1);
}

TEST(Program, SurvivesDeeplyNestedLines) {
  const std::string deep = std::string(300'000, '[') + std::string(300'000, ']');
  const Outcome texts = run("tokenize" + kModel + "--jsonl",
                            "{\"text\": " + deep + "}\n[1]\n{\"text\": \"a cat\"}\n");
  EXPECT_EQ(texts.status, 1);
  ASSERT_EQ(texts.records().size(), 3U);
  EXPECT_EQ(texts.records()[0]["error"]["message"],
            "tokenize: byte 72: expected nesting of at most 64, got a deeper one");
  EXPECT_EQ(texts.records()[1]["error"]["message"],
            "tokenize: line: expected a JSON object, got an array");
  EXPECT_TRUE(texts.records()[2].contains("input_ids"));
  EXPECT_EQ(run("detokenize" + kModel + "--jsonl -", "{\"ids\": " + deep + "}\n").status, 1);
}

TEST(Program, RefusesTensorsOfAnotherKind) {
  const TemporaryDirectory directory;
  const std::string base = directory.path().string();
  const auto message = [&](const std::map<std::string, AnyTensor>& tensors) {
    write_safetensors(base + "/in", tensors, {});
    const Outcome out =
        run("run" + kModel + "--head base --inputs " + base + "/in --outputs " + base + "/out");
    EXPECT_EQ(out.status, 1);
    EXPECT_FALSE(std::filesystem::exists(base + "/out"));
    return out.error;
  };
  const Tensor<std::int64_t> ids({1, 3}, {0, 5, 2});
  const Tensor<float> pixels({1, 3, 48, 48});
  const std::string file = "bridgetower: " + base + "/in: ";
  EXPECT_EQ(message({{"inputs.input_ids", Tensor<float>({1, 3})}, {"inputs.pixel_values", pixels}}),
            file + "\"inputs.input_ids\": expected I64, got F32\n");
  EXPECT_EQ(message({{"inputs.input_ids", ids}, {"inputs.pixel_values", ids}}),
            file + "\"inputs.pixel_values\": expected F16, BF16, F32 or F64, got I64\n");
  EXPECT_EQ(message({{"inputs.input_ids", ids},
                     {"inputs.pixel_values", pixels},
                     {"inputs.image_token_type_idx", Tensor<std::int64_t>({1}, {1})}}),
            file + "inputs.image_token_type_idx: expected a tensor of rank 0, got [1]\n");
  EXPECT_EQ(message({{"inputs.input_ids", ids}}),
            "bridgetower: pixel_values: missing, and image_embeds too\n");
  EXPECT_EQ(message({}), "bridgetower: input_ids: missing\n");
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

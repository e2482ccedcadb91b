// The demo model through the program: it is the default, and `verify` compares it with its goldens.
#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/io/safetensors.hpp>
#include <filesystem>

#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

namespace bridgetower {
namespace {

using nlohmann::json;
using testing::Outcome;
using testing::TemporaryDirectory;

namespace fs = std::filesystem;

const std::string kData = testing::test_data();
const std::string kTinyModel = kData + "/tiny_model";
const fs::path kDemoModel = fs::path(kData + "/../../models/demo").lexically_normal();
const std::string kPictures = kData + "/../../examples/pictures/";

Outcome run(const std::string& arguments) {
  return testing::run_program("env -u BRIDGETOWER_MODEL " + testing::program(), arguments);
}

/// A golden of the demo model, its metadata and first output changed.
std::string changed_golden(const TemporaryDirectory& directory, const std::string& key,
                           const std::string& value, float shift) {
  const SafetensorsFile golden(kDemoModel / "golden-itm.safetensors");
  std::map<std::string, AnyTensor> tensors;
  for (const std::string& name : golden.names()) {
    if (golden.find(name)->dtype == DType::kI64) {
      tensors.emplace(name, golden.tensor<std::int64_t>(name));
      continue;
    }
    auto tensor = golden.tensor<float>(name);
    if (name == "outputs.logits") tensor.data()[1] += shift;
    tensors.emplace(name, std::move(tensor));
  }
  auto metadata = golden.metadata();
  if (!key.empty()) metadata[key] = value;
  const std::string file = (directory.path() / "changed.safetensors").string();
  write_safetensors(file, tensors, metadata);
  return file;
}

TEST(DemoModel, IsTheDefault) {
  const json record = run("info").records().at(0);
  EXPECT_EQ(record["model"], kDemoModel.string());
  const auto scores =
      run("match --image " + kPictures + "red-boat-sea.png --text 'a big red boat on the water' " +
          "'a big red boat in the snow'")
          .records();
  EXPECT_GT(scores.at(0)["score"].get<double>(), 0.5);
  EXPECT_LT(scores.at(1)["score"].get<double>(), 0.5);
  const Outcome other = testing::run_program(
      "env BRIDGETOWER_MODEL=" + kTinyModel + " " + testing::program(), "info");
  EXPECT_EQ(other.records().at(0)["model"], kTinyModel);
}

TEST(DemoModel, AnswersWhateverItIsGiven) {
  const Outcome all = run("match --image " + kPictures + "red-boat-sea.png " + kData +
                          "/demo/photo.jpg --text '' 'a zebra plays the saxophone'");
  EXPECT_EQ(all.status, 0) << all.error;
  ASSERT_EQ(all.records().size(), 4U);
  for (const json& record : all.records()) {
    EXPECT_GT(record["score"].get<double>(), 0);
    EXPECT_LT(record["score"].get<double>(), 1);
  }
}

TEST(Verify, ComparesWithTheGoldensOfTheModel) {
  const Outcome all = run("verify");
  EXPECT_EQ(all.status, 0) << all.out << all.error;
  const auto records = all.records();
  ASSERT_EQ(records.size(), 4U);
  const std::vector<std::string> heads = {"base", "itc", "itm", "mlm"};
  for (std::size_t i = 0; i < heads.size(); ++i) {
    EXPECT_EQ(records[i]["golden"],
              (kDemoModel / ("golden-" + heads[i] + ".safetensors")).string());
    EXPECT_EQ(records[i]["head"], heads[i]);
    EXPECT_EQ(records[i]["ok"], true);
    EXPECT_LT(records[i]["max_abs"].get<double>(), 2e-5);
  }
}

TEST(Verify, FailsOutsideTheTolerance) {
  const TemporaryDirectory directory;
  EXPECT_EQ(run("verify --golden " + changed_golden(directory, "", "", 1e-5F)).status, 0);
  const Outcome shifted = run("verify --golden " + changed_golden(directory, "", "", 1e-3F));
  EXPECT_EQ(shifted.status, 1);
  EXPECT_EQ(shifted.error, "");
  const json record = shifted.records().at(0);
  EXPECT_EQ(record["ok"], false);
  EXPECT_EQ(record["worst"], "logits");
  EXPECT_NEAR(record["max_abs"].get<double>(), 1e-3, 1e-5);
}

TEST(Verify, ExpectsARefusalWhereTheReferenceRaises) {
  const TemporaryDirectory directory;
  const Outcome all =
      run("verify --golden " + changed_golden(directory, "raises", "ValueError", 0));
  EXPECT_EQ(all.status, 1);
  EXPECT_EQ(all.records().at(0)["ok"], false);
}

TEST(Verify, RefusesAGoldenThatIsNone) {
  const TemporaryDirectory directory;
  const auto message = [&](const std::string& key, const std::string& value) {
    const Outcome all = run("verify --golden " + changed_golden(directory, key, value, 0));
    EXPECT_EQ(all.status, 1);
    return all.records().at(0)["error"]["message"].get<std::string>();
  };
  const std::string file = (directory.path() / "changed.safetensors").string();
  EXPECT_EQ(message("head", "nose"), file + ": head: expected base, itm, mlm or itc, got nose");
  EXPECT_EQ(message("atol", "-1"), file + ": atol: expected a number of at least 0, got -1");
  EXPECT_EQ(message("rtol", "1e"), file + ": rtol: expected a number of at least 0, got 1e");
  EXPECT_EQ(message("head", "base"), file +
                                         ": outputs.logits: expected an output of the head base, "
                                         "got outputs.logits");
  const Outcome none = run("verify --model " + kTinyModel);
  EXPECT_EQ(none.status, 1);
  EXPECT_EQ(none.error, "bridgetower: " + kTinyModel +
                            ": goldens: expected a file golden*.safetensors, or --golden, got "
                            "none\n");
}

}  // namespace
}  // namespace bridgetower

// convert, info and models of the Hugging Face cache, as a script uses the program.
#include <gtest/gtest.h>

#include <bridgetower/io/safetensors.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;

using nlohmann::json;
using testing::Outcome;
using testing::read_all;
using testing::TemporaryDirectory;

const std::string kData = testing::test_data();

class ConvertProgram : public ::testing::Test {
 protected:
  Outcome run(const std::string& arguments) const {
    return testing::run_program("HF_HUB_CACHE=" + path("hub") + " " + testing::program(),
                                arguments);
  }

  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }

  /// The tiny model with float16 weights in pytorch_model.bin.
  void make_model(const fs::path& model) const {
    fs::create_directories(model);
    for (const auto& file : fs::directory_iterator(kData + "/tiny_model")) {
      if (file.path().extension() == ".safetensors") continue;
      fs::copy_file(file.path(), model / file.path().filename());
    }
    fs::copy_file(kData + "/torch/tiny_float16.bin", model / "pytorch_model.bin");
  }

  TemporaryDirectory directory_;
};

TEST_F(ConvertProgram, TheModelAnswersAsBefore) {
  make_model(path("model"));
  const Outcome converted =
      run("convert " + path("model") + " " + path("st") + " --max-shard-size 300KB");
  ASSERT_EQ(converted.status, 0) << converted.error;
  const json record = json::parse(converted.out);
  EXPECT_EQ(record["tensors"], 206);
  EXPECT_EQ(record["files"].back(), "model.safetensors.index.json");
  const auto match = [&](const std::string& model) {
    return run("match --model " + path(model) + " --image " + kData + "/images/rgb.png" +
               " --text 'a cat'");
  };
  const Outcome bin = match("model");
  ASSERT_EQ(bin.status, 0) << bin.error;
  EXPECT_EQ(match("st").out, bin.out);
  ASSERT_EQ(run("convert " + path("model") + " " + path("f32") + " --dtype float32").status, 0);
  EXPECT_EQ(match("f32").out, bin.out);
  EXPECT_EQ(SafetensorsFile(path("f32/model.safetensors")).find("logit_scale")->dtype, DType::kF32);
}

TEST_F(ConvertProgram, KnowsSizes) {
  for (const char* const size : {"", "GB", "5", "5GB", "5XB", "0GB", "-1GB", "5 GB", "1e9", "1.5GB",
                                 "99999999999999999999", "9999999999TB"}) {
    const Outcome outcome =
        run("convert /nowhere " + path("out") + " --max-shard-size='" + size + "'");
    const bool good = size == std::string("5") || size == std::string("5GB");
    EXPECT_EQ(outcome.status, good ? 1 : 2) << size << ": " << outcome.error;
    if (good) {
      EXPECT_EQ(outcome.error,
                "bridgetower: /nowhere: weights: expected model.safetensors or pytorch_model.bin, "
                "whole or in shards with an index, got none\n");
    } else if (*size != '\0') {
      EXPECT_EQ(outcome.error,
                "bridgetower: --max-shard-size: expected a size such as 5GB or "
                "200MB, got " +
                    std::string(size) + "\n");
    }
  }
}

TEST_F(ConvertProgram, FindsModelsInTheCache) {
  const std::string commit(40, 'a');
  const fs::path folder = path("hub/models--ORG--tiny");
  make_model(folder / "snapshots" / commit);
  fs::create_directories(folder / "refs");
  std::ofstream(folder / "refs" / "v1") << commit;
  const Outcome info = run("info --model ORG/tiny --revision v1");
  ASSERT_EQ(info.status, 0) << info.error;
  EXPECT_EQ(json::parse(info.out)["model"], (folder / "snapshots" / commit).string());
  EXPECT_EQ(run("convert ORG/tiny " + path("st") + " --revision v1").status, 0);
  EXPECT_TRUE(fs::exists(path("st/model.safetensors")));
  const Outcome missing = run("info --model ORG/tiny");
  EXPECT_EQ(missing.status, 1);
  EXPECT_EQ(missing.error,
            "bridgetower: ORG/tiny: model: expected a directory, or revision main in " +
                path("hub") + " (to fetch it: hf download ORG/tiny), got neither\n");
}

TEST_F(ConvertProgram, InfoSaysWhatIsMissingForWhichTask) {
  make_model(path("model"));
  const auto info = [&] {
    const Outcome outcome = run("info --model " + path("model"));
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    return json::parse(outcome.out);
  };
  const json whole = info();
  EXPECT_EQ(whole["weights"], path("model/pytorch_model.bin"));
  EXPECT_EQ(whole["architecture"]["text"]["layers"], 2);
  EXPECT_EQ(whole["heads"], json({{"itm", true}, {"mlm", true}, {"itc", true}}));
  EXPECT_EQ(whole["stored_as"], json({{"F16", whole["parameters"]}}));
  const auto parameters = whole["parameters"].get<std::int64_t>();
  EXPECT_EQ(whole["memory_bytes"]["bfloat16"], 2 * parameters);
  EXPECT_EQ(whole["memory_bytes"]["float32"], 4 * parameters);
  for (const char* const task : {"match", "fill-mask", "embed"}) {
    EXPECT_EQ(whole["tasks"][task], json({{"ready", true}, {"missing", json::array()}})) << task;
  }

  fs::remove(path("model/pytorch_model.bin"));
  fs::remove(path("model/preprocessor_config.json"));
  std::map<std::string, AnyTensor> tensors;
  const SafetensorsFile all(kData + "/tiny_model/model.safetensors");
  for (const std::string& name : all.names()) {
    if (name.rfind("itc_", 0) == 0 || name == "itm_score.fc.bias") continue;
    tensors[name] = all.tensor<float>(name);
  }
  write_safetensors(path("model/model.safetensors"), tensors, {});
  const json part = info();
  EXPECT_EQ(part["tasks"]["fill-mask"]["missing"], json({"preprocessor_config.json"}));
  EXPECT_EQ(part["tasks"]["match"]["missing"],
            json({"preprocessor_config.json", "itm_score.fc.bias"}));
  EXPECT_EQ(part["tasks"]["embed"]["missing"],
            json({"preprocessor_config.json", "itc_text_head.fc.weight", "itc_text_head.fc.bias",
                  "itc_image_head.fc.weight", "itc_image_head.fc.bias",
                  "itc_cross_modal_head.fc.weight", "itc_cross_modal_head.fc.bias"}));
  const std::string text = run("info --format text --model " + path("model")).out;
  EXPECT_NE(text.find("\n  embed: missing preprocessor_config.json, itc_text_head.fc.weight, "
                      "itc_text_head.fc.bias and 4 more\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace bridgetower

// index --export as a script calls it, with the demo model and some of the example pictures.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Outcome;
using testing::read_all;
using testing::TemporaryDirectory;

const fs::path kRoot = fs::path(testing::test_data()) / "../..";

class ExportOfIndex : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string pictures = (kRoot / "examples/pictures/red-").string();
    built_ = run("--model " + (kRoot / "models/demo").string() + " --images " + pictures +
                 "boat-sea.png " + pictures + "hat-snow.png --export npy");
    ASSERT_EQ(built_.status, 0) << built_.error;
  }

  /// `index --output INDEX` and more; no model is given, none is needed.
  Outcome run(const std::string& more, const std::string& redirections = "") const {
    return testing::run_program(testing::program(), "index --output " + index_ + " " + more, "",
                                redirections);
  }

  TemporaryDirectory directory_;
  std::string index_ = (directory_.path() / "index").string();
  Outcome built_;
};

TEST_F(ExportOfIndex, IsWrittenBesideTheIndexWhileIndexingAndLater) {
  EXPECT_EQ(built_.records().at(0)["exports"],
            json::parse(R"([{"format": "npy", "file": ")" + index_ + R"(.npy"}])"));
  const std::string vectors = read_all(index_ + ".npy");
  EXPECT_EQ(vectors.size(), 128 + 2 * 128 * sizeof(float));
  const std::string named = (directory_.path() / "other").string();
  const Outcome later =
      run("--export npy=" + named + " --export safetensors jsonl --export pgvector");
  EXPECT_EQ(later.status, 0) << later.error;
  EXPECT_EQ(later.records().at(0)["images"], 2);
  EXPECT_EQ(later.records().at(0)["added"], 0);
  EXPECT_EQ(later.records().at(0)["exports"].size(), 4U);
  EXPECT_EQ(read_all(named), vectors);
  for (const char* suffix : {".safetensors", ".jsonl", ".sql"}) {
    EXPECT_GT(fs::file_size(index_ + suffix), 1000U) << suffix;
  }
}

TEST_F(ExportOfIndex, GoesToStandardOutputAloneAndTheSummaryToStandardError) {
  const Outcome lines = run("--export jsonl=- --export pgvector");
  EXPECT_EQ(lines.status, 0);
  ASSERT_EQ(lines.records().size(), 2U);
  EXPECT_EQ(lines.records()[1]["embedding"].size(), 128U);
  EXPECT_EQ(json::parse(lines.error)["exports"][0]["file"], "-");
  EXPECT_EQ(run("--export pgvector=-").out, read_all(index_ + ".sql"));
}

TEST_F(ExportOfIndex, RefusesWhatItCannotDo) {
  for (const char* arguments :
       {"", "--export npz", "--export npy=", "--export npy=-", "--export safetensors=-",
        "--export jsonl=a --export npy=a", "--resume --export npy"}) {
    EXPECT_EQ(run(arguments).status, 2) << arguments;
  }
  EXPECT_EQ(testing::run_program(testing::program(), "index --output . --export npy").status, 2);
  const Outcome none =
      testing::run_program(testing::program(), "index --output " + index_ + ".none --export npy");
  EXPECT_EQ(none.status, 1);
  EXPECT_FALSE(fs::exists(index_ + ".none.npy"));
}

TEST_F(ExportOfIndex, LeavesNoPartWhereTheDiskIsFull) {
  EXPECT_EQ(run("--export jsonl=-", ">/dev/full").status, 1);
  EXPECT_EQ(run("--export npy=/dev/full").status, 1);
  const std::string limited = "sh -c 'ulimit -f 1; trap \"\" XFSZ; exec " + testing::program() +
                              " index --output " + index_ + " --export jsonl >/dev/null 2>&1'";
  EXPECT_NE(std::system(limited.c_str()), 0);
  for (const auto& entry : fs::directory_iterator(directory_.path())) {
    EXPECT_TRUE(entry.path() == index_ || entry.path() == index_ + ".npy") << entry.path();
  }
}

}  // namespace
}  // namespace bridgetower

// index --shard, merge and verify --index as a script calls them, with the demo model.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::Outcome;
using testing::read_all;
using testing::TemporaryDirectory;

const fs::path kRoot = fs::path(testing::test_data()) / "../..";

class ShardsOfIndex : public ::testing::Test {
 protected:
  Outcome run(const std::string& arguments, const std::string& variables = "") const {
    return testing::run_program("env " + variables + " " + testing::program(), arguments);
  }
  Outcome index(const std::string& arguments, const std::string& variables = "") const {
    return run("index --model " + (kRoot / "models/demo").string() + " --images " +
                   (kRoot / "examples/pictures").string() + " " + bad_ + " " + arguments,
               variables);
  }
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }

  static std::map<std::string, std::string> contents(const fs::path& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(directory)) {
      files[entry.path().filename().string()] = read_all(entry.path());
    }
    return files;
  }

  TemporaryDirectory directory_;
  std::string bad_ = directory_.write("bad.png", "no picture").string();
};

TEST_F(ShardsOfIndex, AreMergedToTheBytesOfOneProcess) {
  ASSERT_EQ(index("--output " + path("whole")).status, 1);  // of the bad file
  const std::string parts = "--output " + path("parts") + " --shard ";
  index(parts + "0/3");
  // Killed in between, finished later.
  const std::string killed = "timeout -s KILL 0.15 " + testing::program() +
                             " index --threads 1 --model " + (kRoot / "models/demo").string() +
                             " --images " + (kRoot / "examples/pictures").string() + " " + bad_ +
                             " " + parts + "1/3 >/dev/null 2>&1";
  EXPECT_NE(std::system(killed.c_str()), -1);
  index(parts + "2/3");
  const std::string merge = "merge --parts " + path("parts") + " --output " + path("merged");
  EXPECT_EQ(index(parts + "1/3 --resume").records().back()["interrupted"], false);
  const Outcome merged = run(merge);
  EXPECT_EQ(merged.status, 0) << merged.error;
  EXPECT_EQ(merged.records().at(0)["parts"], 3);
  EXPECT_EQ(merged.records().at(0)["images"], 24);
  EXPECT_EQ(merged.records().at(0)["failed"], 1);
  EXPECT_EQ(contents(path("merged")), contents(path("whole")));

  const Outcome verified = run("verify --index " + path("parts") + " " + path("merged"));
  EXPECT_EQ(verified.status, 0);
  EXPECT_EQ(verified.records().at(0)["parts"], 3);
  EXPECT_EQ(verified.records().at(1)["images"], 24);

  fs::remove_all(path("parts") + "/part-1-of-3");
  EXPECT_EQ(run("verify --index " + path("parts")).status, 1);
  EXPECT_EQ(run(merge).status, 1);
  EXPECT_EQ(contents(path("merged")), contents(path("whole")));
}

/// Nothing to do: no model is read, even one that is half gone.
TEST_F(ShardsOfIndex, AreSkippedWhereFinished) {
  fs::remove(bad_);
  bad_.clear();
  const std::string part = "--output " + path("parts") + " --shard 0/2";
  const Outcome first = index(part);
  ASSERT_EQ(first.status, 0) << first.error;
  EXPECT_GT(first.records().at(0)["added"], 0);
  const auto before = fs::last_write_time(path("parts") + "/part-0-of-2/manifest.json");
  const Outcome second = index(part);
  EXPECT_EQ(second.status, 0);
  EXPECT_EQ(second.records().at(0)["added"], 0);
  EXPECT_EQ(fs::last_write_time(path("parts") + "/part-0-of-2/manifest.json"), before);
}

TEST_F(ShardsOfIndex, AreNumberedByTheScheduler) {
  const std::string part = "--output " + path("parts") + " --shard auto";
  const auto directory = [&](const std::string& variables) {
    const auto records = index(part, variables).records();
    return records.empty() ? "" : fs::path(records.back()["output"]).filename().string();
  };
  EXPECT_EQ(directory("SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 "
                      "SLURM_ARRAY_TASK_STEP=2"),
            "part-2-of-3");
  EXPECT_EQ(directory("JOB_COMPLETION_INDEX=1 JOB_COMPLETIONS=4"), "part-1-of-4");
  EXPECT_EQ(directory("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2"), "part-0-of-2");
  EXPECT_EQ(directory("PMI_RANK=4 PMI_SIZE=5"), "part-4-of-5");
  for (const char* variables :
       {"", "JOB_COMPLETION_INDEX=1", "PMI_RANK=5 PMI_SIZE=5", "PMI_RANK=x PMI_SIZE=5",
        "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 "
        "SLURM_ARRAY_TASK_STEP=2"}) {
    EXPECT_EQ(index(part, variables).status, 2) << variables;
  }
  for (const char* shard : {"3/3", "-1/3", "0/0", "1", "a/3", "0/3x", "0/1000001"}) {
    EXPECT_EQ(index("--output " + path("parts") + " --shard " + shard).status, 2) << shard;
  }
  EXPECT_EQ(run("index --output " + path("parts") + " --shard 0/3 --export npy").status, 2);
}

}  // namespace
}  // namespace bridgetower

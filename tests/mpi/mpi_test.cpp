// bridgetower-mpi on 1 to 4 ranks against one process of bridgetower, with the demo model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::Outcome;
using testing::read_all;
using testing::run_program;
using testing::TemporaryDirectory;

const fs::path kRoot = fs::path(testing::test_data()) / "../..";

std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    files[entry.path().filename().string()] = read_all(entry.path());
  }
  return files;
}

class Mpi : public ::testing::Test {
 protected:
  /// `before` stands before the program on every rank.
  Outcome run(int ranks, const std::string& arguments, const std::string& before = "") const {
    return run_program(
        "env OMPI_MCA_btl_base_warn_component_unused=0 OMPI_MCA_plm_rsh_agent=false " +
            testing::mpi_launcher() + " --oversubscribe --allow-run-as-root -n " +
            std::to_string(ranks),
        before + " " + testing::mpi_program() + " " + arguments);
  }
  Outcome alone(const std::string& arguments) const {
    return run_program(testing::program(), arguments);
  }
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  std::string index_of(const std::string& name) const {
    return "index --threads 1 --model " + model_ + " --images " + pictures_ + " " + bad_ +
           " --output " + path(name);
  }

  TemporaryDirectory directory_;
  std::string model_ = (kRoot / "models/demo").string();
  std::string pictures_ = (kRoot / "examples/pictures").string();
  std::string bad_ = directory_
                         .write(
                             "b\xe4"
                             "d.png",
                             "no picture")
                         .string();
};

TEST_F(Mpi, IndexHasTheBytesOfOneProcess) {
  ASSERT_EQ(alone(index_of("whole")).status, 1);  // of the bad file
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const std::string name = "index-" + std::to_string(ranks);
    const Outcome made = run(ranks, index_of(name));
    EXPECT_EQ(made.status, 1) << made.error;
    const auto records = made.records();
    ASSERT_EQ(records.size(), 2U) << made.out;
    EXPECT_EQ(records[0]["image_hex"].is_string(), true);
    EXPECT_EQ(records[0]["error"]["code"], "format");
    EXPECT_EQ(records[1]["images"], 24);
    EXPECT_EQ(records[1]["added"], 24);
    EXPECT_EQ(records[1]["failed"], 1);
    EXPECT_EQ(contents(path(name)), contents(path("whole"))) << ranks;
  }
  // Brought up to date: nothing to encode, no bad file any more.
  fs::remove(bad_);
  bad_.clear();
  const Outcome again = run(3, index_of("index-3"));
  EXPECT_EQ(again.status, 0) << again.error;
  EXPECT_EQ(again.records().at(0)["added"], 0);
  EXPECT_EQ(alone(index_of("whole")).status, 0);
  EXPECT_EQ(contents(path("index-3")), contents(path("whole")));
}

/// A job of which something happens to rank 1 in the middle; so long, about a second, that a shell
/// on a busy machine comes in time.
class BrokenJob : public Mpi {
 protected:
  static constexpr int kCopies = 24;
  static constexpr int kPictures = kCopies * 24;

  BrokenJob() {
    const fs::path copies = directory_.path() / "copies";
    fs::create_directory(copies);
    for (int copy = 0; copy < kCopies; ++copy) {
      fs::copy(pictures_, copies / std::to_string(copy), fs::copy_options::recursive);
    }
    pictures_ = copies.string();
  }

  /// When the journal holds something. `what` is a line of the shell; the rank is $rank.
  Outcome run_with(const std::string& what) const {
    const std::string killer = directory_
                                   .write("killer",
                                          "#!/bin/sh\n"
                                          "if [ \"$OMPI_COMM_WORLD_RANK\" = 1 ]; then\n"
                                          "  rank=$$\n"
                                          "  (until [ \"$(stat -c %s " +
                                              journal_ +
                                              " 2>/dev/null || echo 0)\" -gt 3000 ]; do :; done\n"
                                              "   " +
                                              what +
                                              ") &\n"
                                              "fi\n"
                                              "exec \"$@\"\n")
                                   .string();
    return run(2, index_of("index"), "sh " + killer);
  }

  void expect_resumed_to_the_same_bytes() {
    EXPECT_FALSE(fs::exists(path("index") + "/manifest.json"));
    EXPECT_GT(fs::file_size(journal_), 3000U);
    alone(index_of("whole"));
    const Outcome resumed = run(2, index_of("index") + " --resume");
    EXPECT_EQ(resumed.status, 1) << resumed.error;
    ASSERT_FALSE(resumed.records().empty());
    EXPECT_LT(resumed.records().back()["added"], kPictures);
    EXPECT_EQ(contents(path("index")), contents(path("whole")));
  }

  std::string journal_ = path("index") + "/journal";
};

TEST_F(BrokenJob, WhoseRankDiesIsResumedToTheSameBytes) {
  const Outcome killed = run_with("kill -KILL $rank");
  EXPECT_NE(killed.status, 0);
  EXPECT_NE(killed.status, 1);
  EXPECT_NE(killed.error.find("bridgetower-mpi: the job was ended before all pictures were done; "
                              "run it again with --resume for the rest"),
            std::string::npos)
      << killed.error;
  expect_resumed_to_the_same_bytes();
}

TEST_F(BrokenJob, WhoseRankStopsEndsWithAnErrorAndIsResumedToTheSameBytes) {
  const Outcome stopped = run_with("kill -STOP $rank");
  EXPECT_EQ(stopped.status, 1);
  EXPECT_NE(stopped.error.find("bridgetower-mpi: rank 0: rank 1 has not answered for 30 s: it is "
                               "stopped, or its host or the network between is down"),
            std::string::npos)
      << stopped.error;
  expect_resumed_to_the_same_bytes();
}

/// Of all pictures and all ranks, in lines. A rank may pause for a while.
TEST_F(BrokenJob, TellsHowFarTheWholeIs) {
  const Outcome paused = run_with("kill -STOP $rank; sleep 11; kill -CONT $rank");
  EXPECT_EQ(paused.status, 1) << paused.error;
  EXPECT_THAT(paused.error,
              ::testing::ContainsRegex("[0-9]+/" + std::to_string(kPictures + 1) +
                                       " pictures  [0-9]+ %  [0-9.]+/s  [0-9:]+ left\n"));
  alone(index_of("whole"));
  EXPECT_EQ(contents(path("index")), contents(path("whole")));
}

TEST_F(Mpi, SearchHasTheRankingOfOneProcess) {
  // A picture that has changed since then is not scored; its error travels.
  const fs::path copies = directory_.path() / "copies";
  fs::copy(pictures_, copies, fs::copy_options::recursive);
  pictures_ = copies.string();
  alone(index_of("index"));
  ASSERT_TRUE(
      fs::copy_file(bad_, copies / "red-boat-sea.png", fs::copy_options::overwrite_existing));
  const std::string texts =
      directory_.write("texts", "a red boat on the water\na bl\xfcue house\na green tree\n")
          .string();
  const std::string search =
      "search --threads 1 --model " + model_ + " --index " + path("index") + " --texts " + texts;
  for (const char* options : {" --top-k 24", " --top-k 5 --rerank 7", " --top-k 9 --rerank 0",
                              " --filter '*e*' --min-score 0.3"}) {
    const Outcome expected = alone(search + options);
    EXPECT_GT(expected.records().size(), 3U);
    for (int ranks = 1; ranks <= 4; ++ranks) {
      const Outcome found = run(ranks, search + options);
      EXPECT_EQ(found.out, expected.out) << ranks << options << found.error;
      EXPECT_EQ(found.status, expected.status) << ranks << options << found.error;
    }
  }
}

/// An index without pictures.
TEST_F(Mpi, RanksMayHaveNothingToDo) {
  const std::string pattern = " --model " + model_ + " --threads 1 --index " + path("index");
  const std::string few =
      "index --threads 1 --model " + model_ + " --output " + path("index") + " --images " + bad_;
  EXPECT_EQ(run(3, few).status, 1);
  const Outcome found = run(3, "search --text boat" + pattern);
  EXPECT_EQ(found.status, 0) << found.error;
  EXPECT_EQ(found.out, "");
}

TEST_F(Mpi, SaysWhatIsWrong) {
  const Outcome usage = run(2, "index --images x");
  EXPECT_EQ(usage.status, 2);
  EXPECT_NE(usage.error.find("bridgetower-mpi: --output is required"), std::string::npos)
      << usage.error;
  const Outcome no_index =
      run(2, "search --text boat --model " + model_ + " --index " + path("no"));
  EXPECT_EQ(no_index.status, 1);
  EXPECT_NE(no_index.error.find("/no/manifest.json"), std::string::npos) << no_index.error;
  const Outcome help = run(2, "index --help");
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.out.find("--resume"), help.out.rfind("--resume"));
}

}  // namespace
}  // namespace bridgetower

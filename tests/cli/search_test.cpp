// index and search as a script calls them, with the demo model and the example pictures.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/paths.hpp"
#include "tests/support/program.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Outcome;
using testing::read_all;
using testing::TemporaryDirectory;

const fs::path kPictures = fs::path(testing::test_data()) / "../../examples/pictures";
const std::string kModel =
    " --model " + (fs::path(testing::test_data()) / "../../models/demo").string() + " ";

Outcome run(const std::string& arguments, const std::string& input = "") {
  return testing::run_program(testing::program(), arguments, input);
}

/// Eight of the example pictures in a directory of their own, one of them further down.
class Search : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(kPictures)) {
      if (entry.path().extension() == ".png") all.push_back(entry.path());
    }
    std::sort(all.begin(), all.end());
    fs::create_directories(photos_ / "below");
    for (const fs::path& picture : all) {
      const bool boat = picture.filename() == "red-boat-sea.png";
      if (!boat && copied_ == 7) continue;
      fs::copy_file(picture, (boat ? photos_ / "below" : photos_) / picture.filename());
      copied_ += boat ? 0 : 1;
    }
  }

  Outcome index(const std::string& output, const std::string& more = "") {
    return run("index" + kModel + "--images " + photos_.string() + " --output " + path(output) +
               " " + more);
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
  fs::path photos_ = directory_.path() / "photos";
  int copied_ = 0;
};

TEST_F(Search, FindsThePictureThatASentenceDescribes) {
  const Outcome built = index("index");
  EXPECT_EQ(built.status, 0) << built.error;
  EXPECT_EQ(built.records().at(0)["images"], 8);
  EXPECT_EQ(built.records().at(0)["failed"], 0);
  const Outcome found = run("search" + kModel + "--index " + path("index") +
                            " --text 'a red boat on the water' --top-k 3");
  EXPECT_EQ(found.status, 0) << found.error;
  const auto records = found.records();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0]["rank"], 1);
  EXPECT_EQ(records[0]["image"], (photos_ / "below/red-boat-sea.png").string());
  EXPECT_GT(records[0]["match"].get<double>(), 0.9);
  EXPECT_EQ(records[0]["score"], records[0]["match"]);
  EXPECT_GE(records[0]["score"].get<double>(), records[1]["score"].get<double>());

  // The score is the one that match gives, and without reranking the cosine that similarity gives.
  const std::string pair =
      "--image " + records[0]["image"].get<std::string>() + " --text 'a red boat on the water'";
  EXPECT_EQ(run("match" + kModel + pair).records().at(0)["score"], records[0]["match"]);
  const Outcome vectors = run("search" + kModel + "--index " + path("index") +
                              " --text 'a red boat on the water' --rerank 0");
  EXPECT_EQ(vectors.records().at(0)["match"], json());
  EXPECT_NEAR(vectors.records().at(0)["score"].get<double>(),
              run("similarity" + kModel + pair).records().at(0)["score"].get<double>(), 1e-6);
}

TEST_F(Search, AGraphStaysUntilItIsTakenBack) {
  const std::string search =
      "search" + kModel + "--index " + path("index") + " --text boat --rerank 0 --approximate";
  const Outcome made = index("index", "--graph");
  if (made.status != 0) {  // such a build says so, and no more can be asked of it
    EXPECT_NE(made.error.find("expected a build with hnswlib"), std::string::npos) << made.error;
    return;
  }
  EXPECT_EQ(index("index").status, 0);
  EXPECT_EQ(run(search).status, 0);
  EXPECT_EQ(index("index", "--no-graph").status, 0);
  EXPECT_EQ(run(search).status, 1);
}

TEST_F(Search, TakesManyQueriesPicturesPatternsAndAFloor) {
  ASSERT_EQ(index("index").status, 0);
  const std::string search = "search" + kModel + "--index " + path("index") + " --rerank 0 ";
  const Outcome two = testing::run_program(testing::program(), search + "--texts - --top-k 2",
                                           "a red boat\na cat\n");
  ASSERT_EQ(two.records().size(), 4U);
  EXPECT_EQ(two.records()[2]["text"], "a cat");
  const std::string boat = (photos_ / "below/red-boat-sea.png").string();
  const auto like = run(search + "--image " + boat).records();
  EXPECT_EQ(like.at(0)["image"], boat);
  EXPECT_NEAR(like.at(0)["score"].get<double>(), 1, 1e-5);
  EXPECT_EQ(run(search + "--text boat --filter '*/below/*'").records().size(), 1U);
  EXPECT_TRUE(run(search + "--text boat --min-score 2").records().empty());
  std::string words;
  for (int i = 0; i < 10000; ++i) words += "car ";
  const Outcome many = run(search + "--text '" + words + "'");
  EXPECT_EQ(many.status, 1);
  EXPECT_TRUE(many.records().at(0).contains("error"));
  EXPECT_EQ(run("search" + kModel + "--index " + path("index")).status, 2);
  EXPECT_EQ(run("search" + kModel + "--text boat").status, 2);
  EXPECT_EQ(run("search" + kModel + "--text boat --index a --from postgres://b/c").status, 2);
  EXPECT_EQ(run("index" + kModel + "--images " + photos_.string()).status, 2);
}

TEST_F(Search, RecordsBadFilesAndNoticesChanges) {
  std::ofstream(photos_ / "empty.png").close();
  std::ofstream(photos_ / "text.jpg") << "no picture";
  std::ofstream(photos_ / "bad\xff\n\"<b>.png") << "no picture";
  fs::create_directory_symlink(photos_, photos_ / "loop");
  const Outcome first = index("index");
  EXPECT_EQ(first.status, 1);
  const auto records = first.records();
  ASSERT_EQ(records.size(), 4U);
  EXPECT_TRUE(records[0].contains("error"));
  EXPECT_EQ(records[3]["images"], 8);
  EXPECT_EQ(records[3]["failed"], 3);

  fs::remove(photos_ / "empty.png");
  fs::remove(photos_ / "text.jpg");
  fs::remove(photos_ / "bad\xff\n\"<b>.png");
  fs::remove(photos_ / "below/red-boat-sea.png");
  const Outcome second = index("index");
  EXPECT_EQ(second.status, 0) << second.out;
  EXPECT_EQ(second.records().at(0)["images"], 7);
  EXPECT_EQ(second.records().at(0)["added"], 0);
  ASSERT_EQ(index("new").status, 0);
  EXPECT_EQ(contents(path("index")), contents(path("new")));
}

TEST_F(Search, KilledAtAnyMomentItIsResumedToTheSameBytes) {
  ASSERT_EQ(index("undisturbed", "--states 200KB").status, 0);
  EXPECT_EQ(index("undisturbed").records().at(0)["states"], 5);
  for (int i = 1; i <= 8; ++i) {
    const std::string command = "timeout -s KILL 0." + std::to_string(i) + " " +
                                testing::program() + " index" + kModel + "--threads 1 --images " +
                                photos_.string() + " --output " + path("index") +
                                " --states 200KB --resume >/dev/null 2>&1";
    const int status = std::system(command.c_str());
    EXPECT_NE(status, -1);
  }
  EXPECT_EQ(index("index", "--states 200KB --resume").status, 0);
  EXPECT_EQ(contents(path("index")), contents(path("undisturbed")));
}

TEST_F(Search, KeepsStatesWithinABudget) {
  EXPECT_EQ(index("index", "--states 2MB --state-dtype float32").records().at(0)["states"], 8);
  const std::string search =
      "search" + kModel + "--index " + path("index") + " --text 'a red boat' --top-k 8";
  const auto with = run(search).records();
  ASSERT_EQ(index("index", "--states 0").status, 0);
  EXPECT_EQ(run(search).records(), with);
  EXPECT_EQ(index("other", "--states 2 MB").status, 2);
  EXPECT_EQ(index("other", "--states many").status, 2);
}

TEST_F(Search, RefusesAnotherModelsIndexAndPlacesItCannotWrite) {
  ASSERT_EQ(index("index").status, 0);
  const std::string tiny = " --model " + testing::test_data() + "/tiny_model ";
  const Outcome other = run("search" + tiny + "--index " + path("index") + " --text a");
  EXPECT_EQ(other.status, 1);
  EXPECT_NE(other.error.find("model of the index"), std::string::npos) << other.error;
  EXPECT_EQ(run("search" + kModel + "--index " + path("none") + " --text a").status, 1);
  EXPECT_EQ(run("index" + kModel + "--images " + photos_.string() + " --output /proc/none").status,
            1);
}

/// Nothing is lost where the disk is full: the old index still answers.
TEST_F(Search, SurvivesAFullDisk) {
  ASSERT_EQ(index("index").status, 0);
  const auto before = contents(path("index"));
  fs::rename(photos_ / "below/red-boat-sea.png", photos_ / "other.png");
  const std::string command = "sh -c 'ulimit -f 1; trap \"\" XFSZ; exec " + testing::program() +
                              " index" + kModel + "--images " + photos_.string() + " --output " +
                              path("index") + " >/dev/null 2>&1'";
  EXPECT_NE(std::system(command.c_str()), 0);
  auto after = contents(path("index"));
  after.erase("journal");
  EXPECT_EQ(after, before);
  EXPECT_EQ(index("index").status, 0);
}

}  // namespace
}  // namespace bridgetower

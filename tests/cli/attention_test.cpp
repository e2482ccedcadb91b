// attention as a script calls it, with the demo model and an example picture.
#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/preprocessing/image/image.hpp>
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
const std::string kModel = " --model " + (kRoot / "models/demo").string() + " ";
const std::string kPicture =
    " --image " + (kRoot / "examples/pictures/red-car-right-of-house.png").string() + " ";

class Attention : public ::testing::Test {
 protected:
  Outcome run(const std::string& arguments) const {
    return testing::run_program(testing::program(), "attention" + kModel + kPicture + arguments);
  }
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  std::size_t files() const {
    const fs::directory_iterator all(directory_.path());
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  TemporaryDirectory directory_;
};

/// Red less blue: what the overlay adds where a word looks.
int warmth(const Image& image, std::int64_t x, std::int64_t y) {
  const std::uint8_t* const pixel = image.data() + (y * image.width() + x) * 3;
  return pixel[0] - pixel[2];
}

TEST_F(Attention, WritesThePictureAndTheNumbers) {
  const Outcome done =
      run("--text 'a red car, a <mask> house' --json --output " + path("sheet.png"));
  ASSERT_EQ(done.status, 0) << done.error;
  const json summary = done.records().at(0);
  EXPECT_EQ(summary["files"], json({path("sheet.png"), path("sheet.json")}));
  EXPECT_EQ(summary["layer"], 2);
  EXPECT_EQ(summary["head"], "mean");
  EXPECT_EQ(files(), 2U);

  const json numbers = json::parse(read_all(path("sheet.json")));
  EXPECT_EQ(numbers["text"], "a red car, a <mask> house");
  EXPECT_EQ(numbers["grid"], json({6, 6}));
  std::vector<std::string> words;
  for (const json& word : numbers["words"]) {
    words.push_back(word["word"]);
    double sum = word["cls"];
    for (const json& row : word["patches"]) {
      ASSERT_EQ(row.size(), 6U);
      for (const json& share : row) sum += share.get<double>();
    }
    EXPECT_NEAR(sum, 1, 1e-5);
    EXPECT_EQ(word.contains("candidates"), word["word"] == "<mask>");
  }
  EXPECT_EQ(words, (std::vector<std::string>{"a", "red", "car", ",", "a", "<mask>", "house"}));
  EXPECT_EQ(numbers["words"][5]["start"], 13);
  EXPECT_EQ(numbers["words"][5]["candidates"][0]["token"], " white");

  // The picture and seven words in two rows of four panels; "car" is the last of the first row, and
  // is brightest at its peak.
  const Image sheet = Image::load(path("sheet.png"));
  const std::int64_t side = 288;
  ASSERT_EQ(sheet.width(), 2 * 28 + 4 * side + 3 * 22);
  const std::int64_t left = sheet.width() - 28 - side;
  const std::int64_t top = 28 + 36 + 24 + 22;
  const json& patches = numbers["words"][2]["patches"];
  double largest = 0;
  std::int64_t x = 0, y = 0;
  for (std::size_t i = 0; i < 36; ++i) {
    const double value = patches[i / 6][i % 6];
    if (value < largest) continue;
    largest = value;
    x = left + static_cast<std::int64_t>(i % 6) * 48 + 24;
    y = top + static_cast<std::int64_t>(i / 6) * 48 + 24;
  }
  EXPECT_GT(warmth(sheet, x, y), 70);
  EXPECT_LT(warmth(sheet, left + 24, top + side - 24), 50);
}

TEST_F(Attention, LooksAtOneHeadOfOneLayer) {
  const Outcome done = run("--text 'a red car' --layer -3 --head 1 --output " + path("a.png") +
                           " --json " + path("numbers"));
  ASSERT_EQ(done.status, 0) << done.error;
  const json numbers = json::parse(read_all(path("numbers")));
  EXPECT_EQ(numbers["layer"], 0);
  EXPECT_EQ(numbers["head"], 1);
}

TEST_F(Attention, RefusesWhatItCannotDo) {
  const std::string text = " --text 'a red car' ";
  const std::string output = " --output " + path("a.png") + " ";
  const Outcome layer = run(text + output + "--layer 3");
  EXPECT_EQ(layer.status, 2);
  EXPECT_EQ(layer.error, "bridgetower: --layer: index: expected -3 to 2, got 3\n");
  const Outcome head = run(text + output + "--head 4");
  EXPECT_EQ(head.status, 2);
  EXPECT_EQ(head.error, "bridgetower: --head: index: expected 0 to 3, got 4\n");
  EXPECT_EQ(run(text).status, 2);
  EXPECT_EQ(run(text + "--output " + path("a.jpg")).status, 2);
  EXPECT_EQ(run(text + output + "--json " + path("a.png")).status, 2);
  const Outcome blank = run("--text ' ' " + output);
  EXPECT_EQ(blank.status, 1);
  EXPECT_EQ(blank.error, "bridgetower: text: words: expected at least one, got none\n");
  std::string many;
  for (int i = 0; i < 10000; ++i) many += "car ";
  EXPECT_EQ(run("--text '" + many + "'" + output).status, 1);
  const Outcome nowhere = run(text + "--output " + path("none/a.png"));
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_NE(nowhere.error.find("none/a.png: create"), std::string::npos) << nowhere.error;
  EXPECT_EQ(run(text + output + "--json /dev/full").status, 1);
  EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace bridgetower

// Search with the demo model and the example pictures, with kept states and without.
#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/search/index_images.hpp>
#include <bridgetower/search/model_fingerprint.hpp>
#include <bridgetower/search/two_stage_search.hpp>
#include <cmath>
#include <fstream>
#include <map>

#include "tests/support/paths.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

const fs::path kData = testing::test_data();
const fs::path kModel = kData / "../../models/demo";
const std::string kText = "a red boat on the water";

LoadOptions one_thread() {
  LoadOptions options;
  options.threads = 1;
  return options;
}

const Embedder& embedder() {
  static const Embedder model = Embedder::from_pretrained(kModel, one_thread());
  return model;
}

std::uint64_t state_bytes(DType dtype) {
  return kept_states(embedder().model().config(), 1, dtype).bytes_each;
}

/// Six of the example pictures, and indexes of them.
class StatesInTheIndex : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(photos_);
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(kData / "../../examples/pictures")) {
      if (entry.path().extension() == ".png") all.push_back(entry.path());
    }
    std::sort(all.begin(), all.end());
    ASSERT_GE(all.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) fs::copy_file(all[i], photos_ / all[i].filename());
  }

  /// Room for the states of so many pictures; absent: as the index there has it.
  void index(const std::string& name, std::optional<std::uint64_t> pictures,
             DType dtype = DType::kBF16) {
    IndexBuilder::Options options;
    if (pictures) {
      options.states =
          kept_states(embedder().model().config(), *pictures * state_bytes(dtype), dtype);
    }
    IndexBuilder builder(path(name), model_fingerprint(kModel), embedder().size(), options);
    IndexingOptions indexing;
    indexing.threads = 2;
    index_images(builder, embedder(), find_images({photos_.string()}), indexing);
    builder.commit();
  }

  TwoStageSearch open(const std::string& name) const {
    return TwoStageSearch::from_pretrained(kModel, EmbeddingIndex::open(path(name)), one_thread());
  }
  fs::path path(const std::string& name) const { return directory_.path() / name; }
  std::vector<fs::path> pictures() const {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(photos_)) all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
  }
  std::map<std::string, std::string> contents(const std::string& name) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(path(name))) {
      files[entry.path().filename().string()] = testing::read_all(entry.path());
    }
    return files;
  }

  TemporaryDirectory directory_;
  fs::path photos_ = directory_.path() / "photos";
};

std::map<std::string, float> scores(const std::vector<SearchResult>& results) {
  std::map<std::string, float> all;
  for (const SearchResult& result : results) {
    EXPECT_FALSE(result.error) << result.error->what();
    all[result.image] = result.score;
  }
  return all;
}

TEST_F(StatesInTheIndex, Float32GivesTheSameBitsAndBFloat16NearOnes) {
  index("none", 0);
  index("float32", 6, DType::kF32);
  index("bfloat16", 6);
  const auto expected = scores(open("none").search(kText));
  ASSERT_EQ(expected.size(), 6U);
  EXPECT_EQ(scores(open("float32").search(kText)), expected);
  const auto rounded = scores(open("bfloat16").search(kText));
  EXPECT_NE(rounded, expected);
  for (const auto& [image, score] : expected) EXPECT_NEAR(rounded.at(image), score, 0.01) << image;
}

/// The vectors are those of a run without states, though they come from another pass.
TEST_F(StatesInTheIndex, LeaveTheVectorsAsTheyAre) {
  index("none", 0);
  index("some", 3);
  const auto none = EmbeddingIndex::open(path("none"));
  const auto some = EmbeddingIndex::open(path("some"));
  EXPECT_EQ(some.states(), 3);
  for (std::int64_t row = 0; row < 6; ++row) {
    const Tensor<float> a = none.vector(row), b = some.vector(row);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin())) << row;
  }
}

TEST_F(StatesInTheIndex, SpareTheVisionTowerAndThePictures) {
  index("none", 0);
  index("all", 6);
  const auto work = [](const TwoStageSearch& search) {
    const std::uint64_t before = multiply_adds();
    EXPECT_EQ(scores(search.search(kText)).size(), 6U);
    return multiply_adds() - before;
  };
  const Image image = Image::load(pictures()[0].string());
  const std::uint64_t before = multiply_adds();
  embedder().embed_and_encode(image);
  const std::uint64_t both = multiply_adds() - before;
  const std::uint64_t with = work(open("all")), without = work(open("none"));
  // embed_and_encode also makes the vector, which takes less than a twentieth.
  EXPECT_GT(without - with, 6 * both * 19 / 20);
  EXPECT_LT(without - with, 6 * both);
  const TwoStageSearch search = open("all");
  for (const fs::path& picture : pictures()) fs::remove(picture);
  work(search);
}

/// However an index came about, it has the bytes of a new one.
TEST_F(StatesInTheIndex, FollowChanges) {
  const auto expect_fresh = [&](std::optional<std::uint64_t> room, std::int64_t states) {
    index("grown", room);
    index("fresh", room ? room : 3);
    EXPECT_EQ(contents("grown"), contents("fresh"));
    EXPECT_EQ(EmbeddingIndex::open(path("grown")).states(), states);
    fs::remove_all(path("fresh"));
  };
  expect_fresh(0, 0);
  expect_fresh(3, 3);                            // of pictures that are there already
  fs::rename(pictures()[1], photos_ / "z.png");  // the fourth moves up
  expect_fresh(std::nullopt, 3);
  fs::copy_file(pictures()[5], photos_ / "a.png");  // the third has to go
  expect_fresh(std::nullopt, 3);
  std::ofstream(pictures()[1], std::ios::app) << "more";  // changed, still a picture
  expect_fresh(std::nullopt, 3);
  std::ofstream(pictures()[0]) << "broken";  // found when it is encoded
  expect_fresh(std::nullopt, 3);
  for (const fs::path& picture : pictures()) {
    if (pictures().size() > 2) fs::remove(picture);
  }
  expect_fresh(std::nullopt, 2);
}

TEST_F(StatesInTheIndex, DamageIsTheErrorOfItsPicture) {
  index("index", 2);
  const auto states = [&] {
    for (const auto& entry : fs::directory_iterator(path("index"))) {
      if (entry.path().filename().string().rfind("states-", 0) == 0) return entry.path();
    }
    return fs::path();
  }();
  const TwoStageSearch search = open("index");
  {
    std::fstream file(states, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(state_bytes(DType::kBF16)) + 5000);
    file << "X";
  }
  const auto errors = [&] {
    std::map<std::string, std::string> found;
    for (const SearchResult& result : search.search(kText)) {
      if (result.error) found[result.image] = to_string(result.error->code());
    }
    return found;
  };
  using Errors = std::map<std::string, std::string>;
  EXPECT_EQ(errors(), (Errors{{pictures()[1].string(), to_string(ErrorCode::kFormat)}}));
  fs::resize_file(states, state_bytes(DType::kBF16) + 1);  // while it is open
  EXPECT_EQ(errors(), (Errors{{pictures()[1].string(), to_string(ErrorCode::kIo)}}));
  EXPECT_THROW(EmbeddingIndex::open(path("index")), FormatError);
}

}  // namespace
}  // namespace bridgetower

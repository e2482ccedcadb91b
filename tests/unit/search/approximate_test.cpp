// Answers by the graph beside exact ones, and graphs that are damaged or another's.
#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/search/index_builder.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

constexpr std::int64_t kSize = 64;
const std::string kModel(64, 'a');

/// Vectors of length 1 around so many centres, as those of pictures are.
class Clusters {
 public:
  explicit Clusters(int count) {
    for (int i = 0; i < count; ++i) centres_.push_back(normal(1));
  }

  Tensor<float> next() {
    const Tensor<float>& centre = centres_[random_() % centres_.size()];
    Tensor<float> vector = normal(0.7F);
    for (std::int64_t i = 0; i < kSize; ++i) vector(i) += centre(i);
    float sum = 0;
    for (const float v : vector) sum += v * v;
    for (float& v : vector) v /= std::sqrt(sum);
    return vector;
  }

 private:
  Tensor<float> normal(float deviation) {
    std::normal_distribution<float> values(0, deviation);
    Tensor<float> vector({kSize});
    for (float& v : vector) v = values(random_);
    return vector;
  }

  std::mt19937 random_{1};
  std::vector<Tensor<float>> centres_;
};

IndexBuilder::Options with_graph(VectorType type = VectorType::kFloat32) {
  IndexBuilder::Options options;
  options.graph = true;
  options.type = type;
  return options;
}

/// Throws what the builder throws.
void build(const fs::path& directory, int count, Clusters& clusters,
           const IndexBuilder::Options& options = with_graph()) {
  IndexBuilder builder(directory, kModel, kSize, options);
  for (int i = 0; i < count; ++i) {
    ImageRecord record;
    record.path = "picture " + std::to_string(i);
    builder.add(record, clusters.next());
  }
  builder.commit();
}

NearestOptions approximate(std::int64_t top_k = 10) {
  NearestOptions options;
  options.top_k = top_k;
  options.approximate = true;
  return options;
}

#if BRIDGETOWER_TEST_HNSWLIB

fs::path graph_file(const fs::path& directory) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename().string().rfind("graph-", 0) == 0) return entry.path();
  }
  return {};
}

TEST(Approximate, FindsNearlyAllOfTheNearest) {
  for (const VectorType type : {VectorType::kFloat32, VectorType::kBFloat16}) {
    const TemporaryDirectory directory;
    Clusters clusters(80);
    build(directory.path(), 4000, clusters, with_graph(type));
    const auto index = EmbeddingIndex::open(directory.path(), 2);
    EXPECT_TRUE(index.has_graph());
    NearestOptions exactly;
    std::size_t found = 0;
    for (int i = 0; i < 200; ++i) {
      const Tensor<float> query = clusters.next();
      const auto expected = index.nearest(query, exactly);
      const auto got = index.nearest(query, approximate());
      ASSERT_EQ(got.size(), expected.size());
      for (const Neighbour& neighbour : expected) {
        const auto same = std::find_if(got.begin(), got.end(), [&](const Neighbour& other) {
          return other.row == neighbour.row;
        });
        if (same == got.end()) continue;
        ++found;
        EXPECT_EQ(same->similarity, neighbour.similarity) << "of the stored vector, exactly";
      }
    }
    EXPECT_GE(found, 1980U) << "of 2000";
  }
}

TEST(Approximate, TheGraphIsKeptAndMadeAnew) {
  const TemporaryDirectory grown, fresh;
  Clusters one(5), other(5);
  build(grown.path(), 40, one);
  const std::string before = testing::read_all(graph_file(grown.path()));
  build(grown.path(), 60, one, {});
  for (int i = 0; i < 40; ++i) other.next();
  build(fresh.path(), 60, other);
  EXPECT_NE(testing::read_all(graph_file(grown.path())), before);
  EXPECT_EQ(testing::read_all(graph_file(grown.path())),
            testing::read_all(graph_file(fresh.path())));
  IndexBuilder::Options none;
  none.graph = false;
  build(grown.path(), 60, one, none);
  EXPECT_FALSE(EmbeddingIndex::open(grown.path()).has_graph());
}

TEST(Approximate, FewPicturesNoneAndAFilter) {
  for (const int count : {0, 1, 2, 30}) {
    const TemporaryDirectory directory;
    Clusters clusters(3);
    build(directory.path(), count, clusters);
    const auto index = EmbeddingIndex::open(directory.path(), 2);
    const Tensor<float> query = clusters.next();
    EXPECT_EQ(index.nearest(query, approximate(100)).size(), static_cast<std::size_t>(count));
    NearestOptions some = approximate();
    some.filter = [](std::int64_t row) { return row == 1; };
    EXPECT_EQ(index.nearest(query, some).size(), count > 1 ? 1U : 0U);
  }
}

TEST(Approximate, NeedsAGraph) {
  const TemporaryDirectory directory;
  Clusters clusters(3);
  build(directory.path(), 3, clusters, {});
  const auto index = EmbeddingIndex::open(directory.path());
  EXPECT_THROW(index.nearest(clusters.next(), approximate()), InputError);
}

/// CRC-32, bit by bit.
std::uint32_t slow_crc32(const std::string& bytes) {
  std::uint32_t remainder = 0xFFFFFFFF;
  for (const char byte : bytes) {
    remainder ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? 0xEDB88320 : 0);
    }
  }
  return ~remainder;
}

/// Puts another graph in the index's place, its checksum too: only its numbers can be looked at.
void replace_graph(const fs::path& directory, const std::string& bytes) {
  std::ofstream(graph_file(directory), std::ios::binary) << bytes;
  auto manifest = nlohmann::json::parse(testing::read_all(directory / "manifest.json"));
  manifest["files"]["graph"] = {{"bytes", bytes.size()}, {"crc32", {slow_crc32(bytes)}}};
  std::ofstream(directory / "manifest.json") << manifest;
}

TEST(Approximate, DamagedAndForeignGraphsAreRefusedOrHarmless) {
  const TemporaryDirectory directory;
  Clusters clusters(3);
  build(directory.path(), 20, clusters);
  const std::string good = testing::read_all(graph_file(directory.path()));
  const Tensor<float> query = clusters.next();
  int refused = 0;
  const auto try_graph = [&](const std::string& bytes) {
    replace_graph(directory.path(), bytes);
    const auto index = EmbeddingIndex::open(directory.path(), 1);
    try {
      for (const Neighbour& found : index.nearest(query, approximate())) {
        ASSERT_GE(found.row, 0);
        ASSERT_LT(found.row, 20);
      }
    } catch (const FormatError&) {
      ++refused;
    }
  };
  for (std::size_t i = 0; i + 4 <= good.size(); i += 4) {
    for (const std::uint32_t value : {0U, 2U, 33U, 19U, 20U, 0xFFFFFFFFU}) {
      std::string bad = good;
      std::memcpy(bad.data() + i, &value, sizeof value);
      try_graph(bad);
    }
  }
  EXPECT_GT(refused, 0);
  refused = 0;
  for (std::size_t length = 1; length < good.size(); length += 7) try_graph(good.substr(0, length));
  try_graph(good + "more");
  EXPECT_EQ(refused, static_cast<int>((good.size() - 1 + 6) / 7 + 1));
  // Without a new checksum nothing of it is looked at.
  replace_graph(directory.path(), good);
  std::string bad = good;
  bad[good.size() / 2] = static_cast<char>(bad[good.size() / 2] ^ 1);
  std::ofstream(graph_file(directory.path()), std::ios::binary) << bad;
  const auto index = EmbeddingIndex::open(directory.path());
  EXPECT_THROW(index.nearest(query, approximate()), FormatError);
  EXPECT_EQ(index.nearest(query).size(), 10U) << "exact answers need no graph";
  fs::resize_file(graph_file(directory.path()), 8);
  EXPECT_THROW(EmbeddingIndex::open(directory.path()), FormatError);
}

/// A row with an edge on a level that its end has not: hnswlib would read beside its memory.
TEST(Approximate, EdgesToLowerLevelsAreRefused) {
  const TemporaryDirectory directory;
  Clusters clusters(3);
  build(directory.path(), 2, clusters);
  const auto words = [](const std::vector<std::uint32_t>& all) {
    return std::string(reinterpret_cast<const char*>(all.data()), all.size() * 4);
  };
  const auto message = [&](const std::vector<std::uint32_t>& graph) -> std::string {
    replace_graph(directory.path(), words(graph));
    try {
      EmbeddingIndex::open(directory.path()).nearest(clusters.next(), approximate());
      return "";
    } catch (const FormatError& error) {
      const std::string text = error.what();
      return text.substr(text.find(": ") + 2);
    }
  };
  // entry, highest level; level, edges of level 0 and above, for each of the two rows
  EXPECT_EQ(message({0, 1, 1, 1, 1, 0, 0, 1, 0}), "");
  EXPECT_EQ(message({0, 1, 1, 1, 1, 1, 1, 0, 1, 0}),
            "end of an edge on level 1: expected a row of that level, got a lower one");
  EXPECT_EQ(message({1, 1, 1, 1, 1, 0, 0, 1, 0}),
            "entry: expected a row of the highest level, got another");
  EXPECT_EQ(message({0, 65, 0, 0, 0, 0}), "highest level: expected at most 64, got 65");
}

#else

TEST(Approximate, NeedsABuildWithHnswlib) {
  const TemporaryDirectory directory;
  Clusters clusters(3);
  EXPECT_THROW(build(directory.path(), 3, clusters), ConfigError);
  build(directory.path(), 3, clusters, {});
  EXPECT_THROW(EmbeddingIndex::open(directory.path()).nearest(clusters.next(), approximate()),
               InputError);
}

#endif

}  // namespace
}  // namespace bridgetower

#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/search/index_builder.hpp>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tests/support/expect_error.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::random_tensor;
using testing::read_all;
using testing::TemporaryDirectory;

constexpr std::int64_t kSize = 19;  // no multiple of the sums' sixteen lanes
const std::string kModel(64, 'a');

constexpr std::uint64_t kStateBytes = 37;

struct Picture {
  ImageRecord record;
  Tensor<float> vector;
  std::string state;  // the index does not look into it
};

/// Paths of one, two and more bytes, in no order.
std::vector<Picture> pictures(std::int64_t count) {
  std::vector<Picture> all;
  for (std::int64_t i = 0; i < count; ++i) {
    Picture picture;
    picture.record.path = "p" + std::to_string(i * 7919 % 1009) + (i % 3 == 0 ? "\xff\n\"<" : "");
    picture.record.bytes = static_cast<std::uint64_t>(100 + i);
    picture.record.modified_ns = 1000 * i;
    picture.record.sha256[0] = static_cast<unsigned char>(i);
    picture.state.assign(kStateBytes, static_cast<char>('a' + i));
    picture.vector = random_tensor<float>({kSize}, static_cast<std::uint32_t>(i) + 1);
    all.push_back(std::move(picture));
  }
  return all;
}

/// Room for the states of so many pictures.
KeptStates room(std::uint64_t pictures, DType dtype = DType::kBF16) {
  return {pictures * kStateBytes + kStateBytes - 1, kStateBytes, dtype};
}

/// What index_images does: states of the pictures that will be the first ones.
void add(IndexBuilder& builder, const std::vector<Picture>& all) {
  std::vector<std::string> paths;
  for (const Picture& picture : all) {
    if (!builder.has(picture.record)) paths.push_back(picture.record.path);
  }
  std::sort(paths.begin(), paths.end());
  const std::vector<std::string> with_state = builder.without_state(paths);
  for (const Picture& picture : all) {
    const std::string& path = picture.record.path;
    const bool state = std::count(with_state.begin(), with_state.end(), path) > 0;
    if (!state && builder.has(picture.record)) continue;
    builder.add(picture.record, picture.vector, state ? picture.state : std::string());
  }
}

void build(const fs::path& directory, const std::vector<Picture>& all,
           const IndexBuilder::Options& options = {}) {
  IndexBuilder builder(directory, kModel, kSize, options);
  add(builder, all);
  builder.fail("broken.png", FormatError("broken.png", "PNG", "pixels", "none"));
  builder.commit();
}

/// Every file of a directory and its bytes.
std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    files[entry.path().filename().string()] = read_all(entry.path());
  }
  return files;
}

void put(const fs::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << bytes;
}

TEST(EmbeddingIndex, HoldsWhatWasAddedInTheOrderOfThePaths) {
  const TemporaryDirectory directory;
  const auto all = pictures(50);
  build(directory.path() / "index", all);
  const auto index = EmbeddingIndex::open(directory.path() / "index", 2);
  ASSERT_EQ(index.images(), 50);
  EXPECT_EQ(index.size(), kSize);
  EXPECT_EQ(index.model(), kModel);
  ASSERT_EQ(index.failed().size(), 1U);
  EXPECT_EQ(index.failed()[0].path, "broken.png");
  EXPECT_EQ(index.failed()[0].message, "broken.png: PNG: expected pixels, got none");
  for (std::int64_t row = 0; row < 50; ++row) {
    if (row > 0) {
      EXPECT_LT(index.path(row - 1), index.path(row));
    }
    const auto same = std::find_if(all.begin(), all.end(), [&](const Picture& picture) {
      return picture.record.path == index.path(row);
    });
    ASSERT_NE(same, all.end());
    const ImageRecord record = index.record(row);
    EXPECT_EQ(record.bytes, same->record.bytes);
    EXPECT_EQ(record.modified_ns, same->record.modified_ns);
    EXPECT_EQ(record.sha256, same->record.sha256);
    const Tensor<float> vector = index.vector(row);
    EXPECT_TRUE(std::equal(vector.begin(), vector.end(), same->vector.begin()));
  }
  EXPECT_THROW(index.path(50), InputError);
  EXPECT_THROW(index.vector(-1), InputError);
}

/// Together the parts find what the whole index finds; each looks at its own rows.
TEST(EmbeddingIndex, IsOpenedInParts) {
  const TemporaryDirectory directory;
  build(directory.path(), pictures(50));
  const auto query = random_tensor<float>({kSize}, 77);
  NearestOptions all;
  all.top_k = 50;
  const auto expected = EmbeddingIndex::open(directory.path(), 1).nearest(query, all);
  for (const std::int64_t parts : {1, 3, 60}) {
    std::map<std::int64_t, float> found;
    std::int64_t next = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      const auto index = EmbeddingIndex::open_part(directory.path(), part, parts, 1);
      EXPECT_EQ(index.images(), 50);
      EXPECT_EQ(index.rows().first, next);
      next = index.rows().last;
      NearestOptions filtered = all;
      filtered.filter = [&](std::int64_t row) { return index.rows().has(row); };
      for (const Neighbour& neighbour : index.nearest(query, filtered)) {
        EXPECT_TRUE(index.rows().has(neighbour.row));
        found[neighbour.row] = neighbour.similarity;
      }
      if (next < 50) {
        EXPECT_THROW(index.vector(next), InputError);
      }
    }
    EXPECT_EQ(next, 50);
    ASSERT_EQ(found.size(), expected.size());
    for (const Neighbour& neighbour : expected) {
      EXPECT_EQ(found.at(neighbour.row), neighbour.similarity);
    }
  }
  EXPECT_THROW(EmbeddingIndex::open_part(directory.path(), 3, 3), InputError);
  EXPECT_THROW(EmbeddingIndex::open_part(directory.path(), -1, 3), InputError);
}

TEST(EmbeddingIndex, FindsTheNearestExactly) {
  for (const VectorType type : {VectorType::kFloat32, VectorType::kBFloat16}) {
    const TemporaryDirectory directory;
    IndexBuilder::Options options;
    options.type = type;
    build(directory.path(), pictures(300), options);
    const auto index = EmbeddingIndex::open(directory.path(), 2);
    const auto query = random_tensor<float>({kSize}, 77);
    std::vector<std::pair<double, std::int64_t>> expected;
    for (std::int64_t row = 0; row < 300; ++row) {
      const Tensor<float> vector = index.vector(row);
      double sum = 0;
      for (std::int64_t i = 0; i < kSize; ++i) {
        sum += static_cast<double>(vector(i)) * static_cast<double>(query(i));
      }
      expected.emplace_back(-sum, row);
    }
    std::sort(expected.begin(), expected.end());
    NearestOptions nearest;
    nearest.top_k = 20;
    const auto found = index.nearest(query, nearest);
    ASSERT_EQ(found.size(), 20U);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].row, expected[i].second);
      EXPECT_NEAR(static_cast<double>(found[i].similarity), -expected[i].first, 1e-5);
    }
    nearest.filter = [&](std::int64_t row) { return row != expected[0].second; };
    EXPECT_EQ(index.nearest(query, nearest)[0].row, expected[1].second);
    nearest.top_k = 1000;
    EXPECT_EQ(index.nearest(query, nearest).size(), 299U);
  }
}

TEST(EmbeddingIndex, TheSamePicturesGiveTheSameBytesInAnyOrder) {
  const TemporaryDirectory one, other;
  auto all = pictures(40);
  build(one.path(), all);
  std::reverse(all.begin(), all.end());
  build(other.path(), all);
  EXPECT_EQ(contents(one.path()), contents(other.path()));
}

TEST(EmbeddingIndex, IsExtendedAndForgets) {
  const TemporaryDirectory whole, grown;
  const auto all = pictures(30);
  build(whole.path(), {all.begin() + 5, all.end()});
  build(grown.path(), {all.begin(), all.begin() + 20});
  {
    IndexBuilder builder(grown.path(), kModel, kSize, {});
    EXPECT_TRUE(builder.has(all[3].record));
    EXPECT_FALSE(builder.has(all[25].record));
    for (std::size_t i = 0; i < 5; ++i) builder.remove(all[i].record.path);
    for (std::size_t i = 20; i < 30; ++i) builder.add(all[i].record, all[i].vector);
    builder.commit();
  }
  EXPECT_EQ(contents(whole.path()), contents(grown.path()));
}

IndexBuilder::Options keeping(const KeptStates& states, bool resume = false) {
  IndexBuilder::Options options;
  options.states = states;
  options.resume = resume;
  return options;
}

/// The state of every row that has one is the picture's.
void expect_states(const fs::path& directory, const std::vector<Picture>& all, std::int64_t count) {
  const auto index = EmbeddingIndex::open(directory, 1);
  ASSERT_EQ(index.states(), count);
  for (std::int64_t row = 0; row < count; ++row) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const Picture& picture) {
      return picture.record.path == index.path(row);
    });
    ASSERT_NE(same, all.end());
    EXPECT_EQ(index.state(row), same->state);
  }
  EXPECT_THROW(index.state(count), InputError);
  EXPECT_THROW(index.state(-1), InputError);
}

TEST(EmbeddingIndex, KeepsTheStatesOfTheFirstPicturesThatFit) {
  const auto all = pictures(20);
  for (const std::uint64_t count : {0U, 1U, 7U, 20U, 30U}) {
    const TemporaryDirectory directory;
    build(directory.path(), all, keeping(room(count)));
    expect_states(directory.path(), all, std::min<std::int64_t>(20, static_cast<int>(count)));
  }
}

/// Whatever comes, goes or changes, the index is that of a new run: the states of its first ones.
TEST(EmbeddingIndex, StatesFollowThePictures) {
  const auto all = pictures(20);
  const TemporaryDirectory grown;
  build(grown.path(), {all.begin(), all.begin() + 15}, keeping(room(8)));
  {
    IndexBuilder builder(grown.path(), kModel, kSize, {});  // the room is the index's own
    for (std::size_t i = 0; i < 4; ++i) builder.remove(all[i].record.path);
    add(builder, {all.begin() + 4, all.end()});
    builder.commit();
  }
  const std::vector<Picture> rest(all.begin() + 4, all.end());
  expect_states(grown.path(), rest, 8);
  const TemporaryDirectory fresh;
  build(fresh.path(), rest, keeping(room(8)));
  EXPECT_EQ(contents(grown.path()), contents(fresh.path()));
  // Less room, another type, none.
  for (const KeptStates& states : {room(3), room(5, DType::kF32), KeptStates(), room(2)}) {
    const TemporaryDirectory other;
    build(other.path(), rest, keeping(states));
    build(grown.path(), rest, keeping(states));
    EXPECT_EQ(contents(grown.path()), contents(other.path()));
  }
}

TEST(EmbeddingIndex, StatesOfAnotherSizeAreRefused) {
  const TemporaryDirectory directory;
  const Picture picture = pictures(2).back();  // of a path without a line break
  {
    IndexBuilder builder(directory.path(), kModel, kSize, keeping(room(2)));
    testing::expect_error(
        ErrorCode::kInput, picture.record.path + ": state: expected 37 bytes, got 36",
        [&] { builder.add(picture.record, picture.vector, std::string(36, 'a')); });
    builder.add(picture.record, picture.vector, picture.state);
  }
  // An unfinished run with other states is not gone on with.
  EXPECT_THROW(IndexBuilder(directory.path(), kModel, kSize, keeping(room(2, DType::kF32), true)),
               InputError);
  EXPECT_THROW(IndexBuilder(directory.path(), kModel, kSize, keeping({100, 0, DType::kF32})),
               InputError);
  EXPECT_THROW(IndexBuilder(directory.path(), kModel, kSize,
                            keeping({std::uint64_t{1} << 40, std::uint64_t{1} << 32, DType::kF32})),
               InputError);
}

/// A run that ends at any byte of its journal leaves the old index, and all that was kept is used.
TEST(EmbeddingIndex, InterruptedAnywhereItIsFinishedToTheSameBytes) {
  const TemporaryDirectory undisturbed, directory;
  const auto all = pictures(6);
  build(undisturbed.path(), all, keeping(room(3)));
  const fs::path journal = directory.path() / "journal";
  {
    IndexBuilder builder(directory.path(), kModel, kSize, keeping(room(3)));
    add(builder, {all.begin(), all.begin() + 4});
  }
  const std::string kept = read_all(journal);
  EXPECT_THROW(EmbeddingIndex::open(directory.path()), IoError);
  for (std::size_t length = 0; length <= kept.size(); length += 7) {
    const TemporaryDirectory again;
    put(again.path() / "journal", kept.substr(0, length));
    {
      IndexBuilder builder(again.path(), kModel, kSize, keeping(room(3), true));
      add(builder, all);
      builder.fail("broken.png", FormatError("broken.png", "PNG", "pixels", "none"));
      builder.commit();
    }
    ASSERT_EQ(contents(again.path()), contents(undisturbed.path())) << length;
  }
  IndexBuilder dropped(directory.path(), kModel, kSize, {});  // other states
  EXPECT_FALSE(dropped.has(all[0].record)) << "without resume what was left is dropped";
}

/// Each byte changed, and each file cut off at each length: refused, or nothing is different.
TEST(EmbeddingIndex, DamageIsRefused) {
  const TemporaryDirectory good;
  build(good.path(), pictures(3), keeping(room(2)));
  const auto files = contents(good.path());
  ASSERT_EQ(files.size(), 7U);
  const auto query = random_tensor<float>({kSize}, 5);
  const auto answers = [&](const fs::path& directory) {
    const auto index = EmbeddingIndex::open(directory, 1);
    std::string text = index.model();
    for (const Neighbour& found : index.nearest(query)) {
      text += " " + std::string(index.path(found.row)) + " " + std::to_string(found.similarity);
    }
    for (std::int64_t row = 0; row < index.states(); ++row) text += index.state(row);
    return text;
  };
  const std::string expected = answers(good.path());
  for (const auto& file : files) {
    const std::string& name = file.first;
    const std::string& bytes = file.second;
    const TemporaryDirectory bad;
    for (const auto& [other, same] : files) put(bad.path() / other, same);
    const auto survives = [&](const std::string& damaged) {
      put(bad.path() / name, damaged);
      try {
        // The other files have checksums: whatever is changed in them is seen.
        const bool same = answers(bad.path()) == expected;
        return same && name == "manifest.json";
      } catch (const Error&) {
        return true;
      }
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x15);
      // A model of another name is not damage that an index can know of.
      if (name == "manifest.json" && i >= bytes.find(kModel) && i < bytes.find(kModel) + 64)
        continue;
      ASSERT_TRUE(survives(damaged)) << name << " byte " << i;
      if (i % 3 == 0) {
        ASSERT_TRUE(survives(bytes.substr(0, i))) << name << " length " << i;
      }
    }
    fs::remove(bad.path() / name);
    EXPECT_THROW(EmbeddingIndex::open(bad.path()), IoError);
  }
}

TEST(IndexBuilder, RefusesWhatIsAnothers) {
  const TemporaryDirectory directory;
  build(directory.path(), pictures(2));
  EXPECT_THROW(IndexBuilder(directory.path(), std::string(64, 'b'), kSize, {}), InputError);
  EXPECT_THROW(IndexBuilder(directory.path(), kModel, kSize + 1, {}), InputError);
  IndexBuilder::Options options;
  options.type = VectorType::kBFloat16;
  EXPECT_THROW(IndexBuilder(directory.path(), kModel, kSize, options), InputError);
  EXPECT_THROW(EmbeddingIndex::open(directory.path()).check_model(std::string(64, 'b')),
               InputError);
  const IndexBuilder builder(directory.path(), kModel, kSize, {});
  EXPECT_THROW(IndexBuilder(directory.path(), kModel, kSize, {}), IoError) << "it is in use";
}

TEST(IndexBuilder, RefusesVectorsThatAreNone) {
  const TemporaryDirectory directory;
  IndexBuilder builder(directory.path(), kModel, kSize, {});
  const Picture picture = pictures(1).front();
  EXPECT_THROW(builder.add(picture.record, Tensor<float>({kSize + 1})), ShapeError);
  Tensor<float> broken({kSize});
  broken(3) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(builder.add(picture.record, broken), InputError);
  EXPECT_THROW(builder.add({}, picture.vector), InputError);
  builder.commit();
  const auto index = EmbeddingIndex::open(directory.path());
  EXPECT_EQ(index.images(), 0);
  EXPECT_TRUE(index.nearest(picture.vector).empty());
  EXPECT_THROW(index.nearest(Tensor<float>({kSize + 1})), ShapeError);
}

TEST(EmbeddingIndex, RefusesANewerFormat) {
  const TemporaryDirectory directory;
  build(directory.path(), pictures(1));
  std::string manifest = read_all(directory.path() / "manifest.json");
  const std::string version = "\"format_version\": 1";
  manifest.replace(manifest.find(version), version.size(), "\"format_version\": 2");
  put(directory.path() / "manifest.json", manifest);
  testing::expect_error(
      ErrorCode::kFormat,
      (directory.path() / "manifest.json").string() + ": format_version: expected 1, got 2",
      [&] { EmbeddingIndex::open(directory.path()); });
}

}  // namespace
}  // namespace bridgetower

#include <gtest/gtest.h>

#include <algorithm>
#include <bridgetower/search/index_builder.hpp>
#include <bridgetower/search/shards.hpp>
#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/support/expect_error.hpp"
#include "tests/support/random.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::random_tensor;
using testing::read_all;
using testing::TemporaryDirectory;

constexpr std::int64_t kSize = 5;
const std::string kModel(64, 'c');

/// Real files, so that their states can be asked for; every eighth is no picture.
std::vector<std::string> make_files(const TemporaryDirectory& directory, int count) {
  std::vector<std::string> files;
  fs::create_directories(directory.path() / "photos");
  for (int i = 0; i < count; ++i) {
    const std::string name = "photos/p" + std::to_string(100 + i) + (i % 5 == 0 ? "\xff\n" : "");
    files.push_back(directory.write(name, std::string(static_cast<std::size_t>(i), 'x')).string());
  }
  return files;
}

ImageRecord record_of(const std::string& path) {
  ImageRecord record;
  record.path = path;
  record.bytes = fs::file_size(path);
  const auto modified = fs::last_write_time(path).time_since_epoch();
  // std::filesystem's clock of libstdc++ counts from 2174.
  record.modified_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(modified).count() +
                       6'437'664'000 * 1'000'000'000;
  record.sha256.fill(static_cast<unsigned char>(path.size()));
  return record;
}

Tensor<float> vector_of(const std::string& path) {
  return random_tensor<float>({kSize}, static_cast<std::uint32_t>(fs::file_size(path)) + 1);
}

void build(const fs::path& directory, const std::vector<std::string>& files, bool with_failures,
           VectorType type = VectorType::kFloat32, const std::string& model = kModel) {
  IndexBuilder::Options options;
  options.type = type;
  IndexBuilder builder(directory, model, kSize, options);
  for (const std::string& file : files) {
    if (with_failures && fs::file_size(file) % 8 == 3) {
      builder.fail(file, FormatError(file, "format", "PNG or JPEG", "some\nthing"));
    } else {
      builder.add(record_of(file), vector_of(file));
    }
  }
  builder.commit();
}

/// The part of a share, finished.
fs::path build_part(const fs::path& parts, const std::vector<std::string>& files,
                    const Shard& shard, bool with_failures = true,
                    VectorType type = VectorType::kFloat32, const std::string& model = kModel) {
  const fs::path part = part_directory(parts, shard);
  build(part, only_shard({files, {}, {}}, shard).files, with_failures, type, model);
  mark_finished(part, shard);
  return part;
}

std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    files[entry.path().filename().string()] = read_all(entry.path());
  }
  return files;
}

// Computed with Python: int.from_bytes(hashlib.sha256(path).digest()[:8], "big") % count.
TEST(IndexShards, APathBelongsToTheShareThatItsSumNames) {
  EXPECT_EQ(shard_of("a.png", 8), 0);
  EXPECT_EQ(shard_of("a.png", 1'000'000), 147672);
  EXPECT_EQ(shard_of("photos/\xff\n.jpg", 7), 4);
  EXPECT_EQ(shard_of("anything", 1), 0);
}

TEST(IndexShards, EveryFileIsInOneShare) {
  ImageFiles all;
  for (int i = 0; i < 1000; ++i) all.files.push_back("p" + std::to_string(i));
  all.failed.emplace_back("directory", IoError("directory", "cannot be read"));
  std::size_t files = 0;
  std::size_t failed = 0;
  for (std::int64_t i = 0; i < 10; ++i) {
    const ImageFiles own = only_shard(all, {i, 10});
    EXPECT_NEAR(static_cast<double>(own.files.size()), 100, 40);
    files += own.files.size();
    failed += own.failed.size();
  }
  EXPECT_EQ(files, 1000U);
  EXPECT_EQ(failed, 1U);
}

TEST(IndexShards, MergedPartsAreTheIndexOfOneProcess) {
  const TemporaryDirectory directory;
  const auto files = make_files(directory, 20);
  for (const VectorType type : {VectorType::kFloat32, VectorType::kBFloat16}) {
    const fs::path whole = directory.path() / "whole";
    fs::remove_all(whole);
    build(whole, files, true, type);
    for (const std::int64_t count : {1, 3, 25}) {  // of so many shares some are empty
      const fs::path parts = directory.path() / "parts";
      const fs::path merged = directory.path() / "merged";
      fs::remove_all(parts);
      for (std::int64_t i = 0; i < count; ++i) build_part(parts, files, {i, count}, true, type);
      const PartsSummary summary = merge_parts(parts, merged, 1);
      EXPECT_EQ(summary.parts, count);
      EXPECT_EQ(summary.images + summary.failed, 20);
      EXPECT_EQ(contents(merged), contents(whole)) << count;
      EXPECT_EQ(check_parts(parts, 1).failed, summary.failed);
    }
    fs::remove_all(directory.path() / "merged");
  }
}

TEST(IndexShards, MergingReplacesWhatWasThere) {
  const TemporaryDirectory directory;
  const auto files = make_files(directory, 20);
  const fs::path parts = directory.path() / "parts";
  build(directory.path() / "whole", {files.begin(), files.begin() + 10}, true);
  build(directory.path() / "merged", files, false);
  for (std::int64_t i = 0; i < 3; ++i) {
    build_part(parts, {files.begin(), files.begin() + 10}, {i, 3});
  }
  merge_parts(parts, directory.path() / "merged", 1);
  EXPECT_EQ(contents(directory.path() / "merged"), contents(directory.path() / "whole"));
}

/// Three parts, and an index that a refused merge must leave as it was.
class BrokenParts : public ::testing::Test {
 protected:
  void SetUp() override {
    files_ = make_files(directory_, 30);
    for (std::int64_t i = 0; i < 3; ++i) build_part(parts_, files_, {i, 3});
    build(output_, {files_[0]}, false);
  }

  void expect_refused(ErrorCode code, const std::string& message) {
    const auto before = contents(output_);
    expect_error(code, message, [this] { check_parts(parts_, 1); });
    expect_error(code, message, [this] { merge_parts(parts_, output_, 1); });
    auto after = contents(output_);
    after.erase("journal");
    EXPECT_EQ(after, before);
  }

  fs::path part(std::int64_t i) const { return part_directory(parts_, {i, 3}); }

  TemporaryDirectory directory_;
  fs::path parts_ = directory_.path() / "parts";
  fs::path output_ = directory_.path() / "output";
  std::vector<std::string> files_;
};

TEST_F(BrokenParts, OneIsMissing) {
  fs::remove_all(part(2));
  expect_refused(ErrorCode::kInput, parts_.string() + ": parts: expected all 3, got 2");
  fs::remove_all(part(0));
  expect_refused(ErrorCode::kInput, parts_.string() +
                                        ": parts: expected each of one split once, next 0/3, "
                                        "got 1/3");
  fs::remove_all(part(1));
  expect_refused(ErrorCode::kInput, parts_.string() + ": parts: expected at least one, got none");
  fs::remove_all(parts_);
  expect_refused(ErrorCode::kIo, parts_.string() +
                                     ": open: expected a directory of parts, got No such file or "
                                     "directory");
}

TEST_F(BrokenParts, OneIsNotFinished) {
  const std::string message =
      part(1).string() + ": part: expected a finished one, got one that is not";
  // Another generation than the one that was finished.
  build(part(1), only_shard({files_, {}, {}}, {0, 3}).files, false);
  expect_refused(ErrorCode::kInput, message);
  fs::remove(part(1) / "part.json");
  expect_refused(ErrorCode::kInput, message);
}

TEST_F(BrokenParts, OneIsThereTwice) {
  fs::copy(part(1), parts_ / "part-copy");
  expect_refused(ErrorCode::kInput, parts_.string() +
                                        ": parts: expected each of one split once, next 2/3, "
                                        "got 1/3");
}

TEST_F(BrokenParts, OneHoldsWhatIsAnothers) {
  // The first part says that it is the second, and the second that it is the first.
  mark_finished(part(0), {1, 3});
  mark_finished(part(1), {0, 3});
  expect_refused(ErrorCode::kFormat, part(1).string() + ": shard of a picture: expected 0, got 1");
}

TEST_F(BrokenParts, OneIsOfAnotherModelOrType) {
  fs::remove_all(part(1));
  build_part(parts_, files_, {1, 3}, true, VectorType::kFloat32, std::string(64, 'd'));
  expect_refused(ErrorCode::kInput, part(1).string() + ": model of the index: expected " + kModel +
                                        ", got " + std::string(64, 'd'));
  fs::remove_all(part(1));
  build_part(parts_, files_, {1, 3}, true, VectorType::kBFloat16);
  expect_refused(ErrorCode::kInput,
                 part(1).string() + ": vectors: expected those of the first part, got others");
}

TEST_F(BrokenParts, OneIsDamaged) {
  for (const auto& entry : fs::directory_iterator(part(1))) {
    const std::string bytes = read_all(entry.path());
    if (bytes.empty()) continue;
    std::ofstream(entry.path(), std::ios::binary) << bytes.substr(0, bytes.size() / 2);
    EXPECT_THROW(check_parts(parts_, 1), FormatError) << entry.path();
    std::ofstream(entry.path(), std::ios::binary) << bytes;
  }
  EXPECT_EQ(check_parts(parts_, 1).parts, 3);
  const std::string place = (part(1) / "part.json").string();
  const auto put = [&](const std::string& text) { std::ofstream(place) << text; };
  put("{}");
  expect_refused(ErrorCode::kFormat, place + ": format: expected a value of its kind, got none");
  put(R"({"format": "bridgetower-part", "format_version": 2})");
  expect_refused(ErrorCode::kFormat, place + ": format_version: expected 1, got 2");
  put(R"({"format": "bridgetower-part", "format_version": 1, "shard": 3, "shards": 3,
          "generation": ""})");
  expect_refused(ErrorCode::kFormat,
                 place + ": shard: expected 0 to one less than shards, got 3/3");
}

TEST(IndexShards, AFinishedPartIsUpToDateUntilAFileChanges) {
  const TemporaryDirectory directory;
  auto files = make_files(directory, 40);  // where they lie decides how many are in the share
  const Shard shard{0, 2};
  const fs::path parts = directory.path() / "parts";
  const fs::path part = build_part(parts, files, shard, false);
  const auto up_to_date = [&] {
    return is_up_to_date(part, shard, only_shard({files, {}, {}}, shard), kModel);
  };
  EXPECT_TRUE(up_to_date());
  EXPECT_FALSE(
      is_up_to_date(part, shard, only_shard({files, {}, {}}, shard), std::string(64, 'e')));
  EXPECT_FALSE(is_up_to_date(part, {0, 3}, only_shard({files, {}, {}}, shard), kModel));
  EXPECT_FALSE(is_up_to_date(parts / "none", shard, {files, {}, {}}, kModel));

  const std::string own = only_shard({files, {}, {}}, shard).files.back();
  const std::string before = read_all(own);
  const auto time = fs::last_write_time(own);
  std::ofstream(own) << before << "more";
  EXPECT_FALSE(up_to_date());
  std::ofstream(own) << before;
  fs::last_write_time(own, time + std::chrono::seconds(1));
  EXPECT_FALSE(up_to_date());
  fs::last_write_time(own, time);
  EXPECT_TRUE(up_to_date());

  // A file that is no longer asked for is no reason to work while it is there.
  files.erase(std::find(files.begin(), files.end(), own));
  EXPECT_TRUE(up_to_date());
  fs::remove(own);
  EXPECT_FALSE(up_to_date());

  std::ofstream(own) << before;
  fs::last_write_time(own, time);
  EXPECT_TRUE(up_to_date());
  const std::size_t held = only_shard({files, {}, {}}, shard).files.size();
  for (int i = 0; only_shard({files, {}, {}}, shard).files.size() == held; ++i) {
    files.push_back(directory.write("photos/z" + std::to_string(100 + i), "new").string());
  }
  EXPECT_FALSE(up_to_date());
  files.pop_back();
  EXPECT_TRUE(up_to_date());
  mark_unfinished(part);
  EXPECT_FALSE(up_to_date());
}

TEST(IndexShards, APartWithFailuresIsLookedAtAgain) {
  const TemporaryDirectory directory;
  const auto files = make_files(directory, 12);
  const fs::path part = build_part(directory.path() / "parts", files, {0, 1}, true);
  EXPECT_FALSE(is_up_to_date(part, {0, 1}, {files, {}, {}}, kModel));
}

}  // namespace
}  // namespace bridgetower

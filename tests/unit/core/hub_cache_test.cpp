// Models in the Hugging Face cache: found by the rules of the Hub client, without a network.
#include <gtest/gtest.h>

#include <bridgetower/core/hub_cache.hpp>
#include <bridgetower/pipeline/retrieval.hpp>
#include <cstdlib>
#include <map>
#include <optional>

#include "tests/support/expect_error.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;

using testing::expect_error;
using testing::TemporaryDirectory;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";
const std::string kOther = "fedcba9876543210fedcba9876543210fedcba98";
const std::string kName = "Some-Org/tiny_model.v1";

/// Sets the variables that the cache depends on, and restores them at the end.
class HubCache : public ::testing::Test {
 protected:
  static constexpr const char* kVariables[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME",
                                               "XDG_CACHE_HOME", "HOME"};

  void SetUp() override {
    for (const char* const name : kVariables) {
      const char* const value = std::getenv(name);
      if (value != nullptr) before_[name] = value;
      unsetenv(name);
    }
    setenv("HF_HUB_CACHE", cache().c_str(), 1);
  }

  void TearDown() override {
    for (const char* const name : kVariables) {
      const auto value = before_.find(name);
      value == before_.end() ? unsetenv(name) : setenv(name, value->second.c_str(), 1);
    }
  }

  std::string cache() const { return directory_.path().string(); }
  fs::path folder() const { return directory_.path() / "models--Some-Org--tiny_model.v1"; }
  fs::path snapshot(const std::string& commit = kCommit) const {
    return folder() / "snapshots" / commit;
  }

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }

  /// The tiny model as the Hub client stores it: blobs, and links to them in the snapshot.
  void add_model(bool links = true) const {
    write(folder() / "refs" / "main", kCommit);
    fs::create_directories(snapshot());
    fs::create_directories(folder() / "blobs");
    for (const auto& file : fs::directory_iterator(testing::test_data() + "/tiny_model")) {
      const std::string name = file.path().filename().string();
      fs::copy_file(file.path(), links ? folder() / "blobs" / ("b-" + name) : snapshot() / name);
      if (links) fs::create_symlink("../../blobs/b-" + name, snapshot() / name);
    }
  }

  TemporaryDirectory directory_;
  std::map<std::string, std::string> before_;
};

TEST_F(HubCache, IsWhereTheEnvironmentSays) {
  setenv("HOME", "/home/me", 1);
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  setenv("HF_HOME", "~/hf", 1);
  setenv("HUGGINGFACE_HUB_CACHE", "/old", 1);
  setenv("HF_HUB_CACHE", "~/hub", 1);
  const std::pair<const char*, const char*> steps[] = {
      {"HF_HUB_CACHE", "/home/me/hub"},
      {"HUGGINGFACE_HUB_CACHE", "/old"},
      {"HF_HOME", "/home/me/hf/hub"},
      {"XDG_CACHE_HOME", "/xdg/huggingface/hub"},
      {"HOME", "/home/me/.cache/huggingface/hub"},
  };
  for (const auto& [name, expected] : steps) {
    EXPECT_EQ(hub_cache(), expected);
    unsetenv(name);
  }
  expect_error(ErrorCode::kIo,
               "Hugging Face cache: environment: expected HF_HUB_CACHE, HF_HOME or HOME, got none",
               [] { hub_cache(); });
}

TEST_F(HubCache, FindsBranchesTagsAndCommits) {
  write(folder() / "refs" / "main", kCommit);
  write(folder() / "refs" / "v1.0", kOther + "\n");
  write(folder() / "refs" / "refs" / "pr" / "3", kOther);
  fs::create_directories(snapshot());
  fs::create_directories(snapshot(kOther));
  EXPECT_EQ(find_model(kName), snapshot());
  EXPECT_EQ(find_model(kName, "v1.0"), snapshot(kOther));
  EXPECT_EQ(find_model(kName, "refs/pr/3"), snapshot(kOther));
  EXPECT_EQ(find_model(kName, kOther), snapshot(kOther));
}

TEST_F(HubCache, LoadsAModelFromLinksAndFromPlainFiles) {
  for (const bool links : {true, false}) {
    fs::remove_all(folder());
    add_model(links);
    const auto matcher = ImageTextMatcher::from_pretrained(kName);
    const auto text = matcher.encode("a cat");
    EXPECT_FALSE(text.layers.empty());
    LoadOptions options;
    options.revision = kCommit;
    ImageTextMatcher::from_pretrained(kName, options);
    BridgeTowerModel<float>::from_pretrained(kName);
    BridgeTowerProcessor::from_pretrained(kName);
    EXPECT_EQ(BridgeTowerConfig::from_pretrained(kName).contrastive_hidden_size, 16);
  }
}

TEST_F(HubCache, ADirectoryGoesBeforeTheCache) {
  add_model();
  for (const char* const path : {"/nowhere", "/a/b", "plain", "./a/b", "a/b/c", "../x", "a--b/c",
                                 "a/..", "a/b..c", "-a/b", "a/b-", "a b/c", ""}) {
    EXPECT_EQ(find_model(path), path);
  }
  const fs::path before = fs::current_path();
  fs::current_path(directory_.path());
  fs::create_directories(kName);
  EXPECT_EQ(find_model(kName), kName);
  fs::current_path(before);
}

TEST_F(HubCache, SaysWhatWouldFetchAModel) {
  const auto message = [&](const std::string& revision, const std::string& option) {
    return kName + ": model: expected a directory, or revision " + revision + " in " + cache() +
           " (to fetch it: hf download " + kName + option + "), got neither";
  };
  expect_error(ErrorCode::kIo, message("main", ""), [] { find_model(kName); });
  add_model();
  expect_error(ErrorCode::kIo, message("v2", " --revision v2"), [] { find_model(kName, "v2"); });
  expect_error(ErrorCode::kIo, message("0123456", " --revision 0123456"),
               [] { find_model(kName, "0123456"); });
  fs::remove_all(snapshot());
  expect_error(ErrorCode::kIo, message("main", ""), [] { find_model(kName); });
}

TEST_F(HubCache, NamesAnIncompleteSnapshot) {
  add_model();
  const std::string expected =
      "expected a regular file; the snapshot is incomplete, to fetch the rest: hf download " +
      kName + " --revision " + kCommit + ", got No such file or directory";
  fs::remove(folder() / "blobs" / "b-vocab.json");
  fs::remove(snapshot() / "tokenizer.json");
  expect_error(ErrorCode::kIo, (snapshot() / "vocab.json").string() + ": open: " + expected,
               [] { BridgeTowerProcessor::from_pretrained(kName); });
  fs::remove(snapshot() / "model.safetensors");
  expect_error(ErrorCode::kIo,
               snapshot().string() +
                   ": weights: expected model.safetensors or pytorch_model.bin, whole or in shards "
                   "with an index; the snapshot is incomplete, to fetch the rest: hf download " +
                   kName + " --revision " + kCommit + ", got none",
               [] { BridgeTowerModel<float>::from_pretrained(kName); });
  fs::remove(snapshot() / "config.json");
  expect_error(ErrorCode::kIo, (snapshot() / "config.json").string() + ": open: " + expected,
               [] { BridgeTowerModel<float>::from_pretrained(kName); });
}

TEST_F(HubCache, StaysInsideTheCache) {
  add_model();
  const auto refused = [](const std::string& revision, const std::string& message) {
    expect_error(ErrorCode::kIo, message, [&] { find_model(kName, revision); });
  };
  for (const char* const revision : {"../main", "/etc/passwd", "a/../b", "a//b/..", ""}) {
    refused(revision, kName + ": revision: expected a branch, a tag or a commit hash, got \"" +
                          revision + "\"");
  }
  for (const char* const commit : {"../../secret", "/etc", "..", ""}) {
    write(folder() / "refs" / "bad", commit);
    refused("bad", (folder() / "refs" / "bad").string() +
                       ": commit: expected the name of a snapshot, got \"" + commit + "\"");
  }
  const TemporaryDirectory outside;
  outside.write("config.json", "{}");
  fs::remove(snapshot() / "config.json");
  fs::create_symlink(outside.path() / "config.json", snapshot() / "config.json");
  refused("main", (snapshot() / "config.json").string() +
                      ": link: expected a file inside the cache " + cache() + ", got " +
                      fs::canonical(outside.path() / "config.json").string());
}

}  // namespace
}  // namespace bridgetower

#include <algorithm>
#include <bridgetower/core/error.hpp>
#include <bridgetower/core/hub_cache.hpp>
#include <cstdlib>
#include <string_view>

#include "core/fetch_hint.hpp"
#include "core/file.hpp"
#include "core/json.hpp"

namespace bridgetower {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxRefBytes = 1024;
constexpr std::size_t kMaxPartBytes = 96;
constexpr std::string_view kFolderStart = "models--";
constexpr std::string_view kLineEnds = "\r\n";

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// A name that the Hub gives to organisations and models.
bool is_hub_name(std::string_view part) {
  if (part.empty() || part.size() > kMaxPartBytes) return false;
  if (!is_word(part.front()) || !is_word(part.back())) return false;
  const bool known = std::all_of(part.begin(), part.end(),
                                 [](char c) { return is_word(c) || c == '-' || c == '.'; });
  return known && part.find("--") == std::string_view::npos &&
         part.find("..") == std::string_view::npos;
}

bool is_repository(std::string_view model) {
  const std::size_t slash = model.find('/');
  return slash != std::string_view::npos && is_hub_name(model.substr(0, slash)) &&
         is_hub_name(model.substr(slash + 1));
}

/// A path below a directory: no empty part, no dots alone, not absolute.
bool is_below(const fs::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  if (path.string().find('\0') != std::string::npos) return false;
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) {
    return part.empty() || part == "." || part == "..";
  });
}

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// `~` at the beginning is the user's directory.
fs::path expanded(const std::string& text) {
  const bool is_home = text == "~" || text.compare(0, 2, "~/") == 0;
  return is_home ? from_environment("HOME") + text.substr(1) : text;
}

std::string fetch_command(const std::string& repository, const std::string& revision) {
  return "hf download " + repository + (revision == "main" ? "" : " --revision " + revision);
}

/// The commit that a branch or tag stands for; the revision itself where it is no such name.
std::string commit_of(const fs::path& folder, const std::string& revision) {
  const fs::path ref = folder / "refs" / revision;
  std::error_code ignored;
  if (!fs::exists(ref, ignored)) return revision;
  std::string commit = detail::read_file(ref, kMaxRefBytes);
  commit.erase(std::min(commit.find_last_not_of(kLineEnds) + 1, commit.size()));
  if (!is_below(commit) || commit.find('/') != std::string::npos) {
    throw IoError(ref.string(), "commit", "the name of a snapshot", detail::in_quotes(commit));
  }
  return commit;
}

/// Links of a snapshot lead to the blobs beside it, never out of the cache.
void check_links(const fs::path& snapshot, const fs::path& cache) {
  std::error_code error;
  const std::string inside = (fs::canonical(cache, error) / "").string();
  for (const std::string& name : detail::names_in(snapshot, error)) {
    std::error_code dangling;
    const fs::path target = fs::canonical(snapshot / name, dangling);
    if (dangling || target.string().compare(0, inside.size(), inside) == 0) continue;
    throw IoError((snapshot / name).string(), "link", "a file inside the cache " + cache.string(),
                  target.string());
  }
  if (error) throw IoError(snapshot.string(), "open", "a readable directory", error.message());
}

}  // namespace

fs::path hub_cache() {
  for (const char* const name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    const std::string value = from_environment(name);
    if (!value.empty()) return expanded(value);
  }
  const std::string home = from_environment("HF_HOME");
  if (!home.empty()) return expanded(home) / "hub";
  const std::string cache = from_environment("XDG_CACHE_HOME");
  if (!cache.empty()) return expanded(cache) / "huggingface" / "hub";
  const std::string user = from_environment("HOME");
  if (!user.empty()) return fs::path(user) / ".cache" / "huggingface" / "hub";
  throw IoError("Hugging Face cache", "environment", "HF_HUB_CACHE, HF_HOME or HOME", "none");
}

fs::path find_model(const fs::path& model, const std::string& revision) {
  const std::string name = model.string();
  std::error_code ignored;
  if (!is_repository(name) || fs::exists(model, ignored)) return model;
  if (!is_below(revision)) {
    throw IoError(name, "revision", "a branch, a tag or a commit hash",
                  detail::in_quotes(revision));
  }
  const fs::path cache = hub_cache();
  std::string folder_name = std::string(kFolderStart) + name;
  folder_name.replace(folder_name.find('/'), 1, "--");
  const fs::path folder = cache / folder_name;
  const std::string commit = commit_of(folder, revision);
  const fs::path snapshot = folder / "snapshots" / commit;
  if (commit.find('/') != std::string::npos || !fs::is_directory(snapshot, ignored)) {
    throw IoError(name, "model",
                  "a directory, or revision " + revision + " in " + cache.string() +
                      " (to fetch it: " + fetch_command(name, revision) + ")",
                  "neither");
  }
  check_links(snapshot, cache);
  return snapshot;
}

std::string detail::fetch_hint(const fs::path& file) {
  const fs::path snapshot = file.parent_path();
  const std::string folder = snapshot.parent_path().parent_path().filename().string();
  if (snapshot.parent_path().filename() != "snapshots" || folder.rfind(kFolderStart, 0) != 0) {
    return {};
  }
  std::string name = folder.substr(kFolderStart.size());
  const std::size_t separator = name.find("--");
  if (separator != std::string::npos) name.replace(separator, 2, "/");
  return "; the snapshot is incomplete, to fetch the rest: " +
         fetch_command(name, snapshot.filename().string());
}

}  // namespace bridgetower

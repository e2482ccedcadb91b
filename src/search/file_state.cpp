#include "search/file_state.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace bridgetower::detail {

std::optional<ImageRecord> state_of(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  ImageRecord record;
  record.path = path;
  record.bytes = static_cast<std::uint64_t>(status.st_size);
  record.modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return record;
}

bool is_gone(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) return S_ISDIR(status.st_mode);
  return errno == ENOENT || errno == ENOTDIR;
}

}  // namespace bridgetower::detail

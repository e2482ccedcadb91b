#include "core/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bridgetower/core/cancellation.hpp>
#include <bridgetower/core/error.hpp>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include "core/fetch_hint.hpp"

namespace bridgetower::detail {
namespace {

constexpr int kMaxWriters = 1000;
constexpr std::size_t kPieceBytes = 4 << 20;  // read between two looks at the cancellation
[[maybe_unused]] constexpr std::uint64_t kFlushBytes = 32 << 20;

std::string error_text(int code) { return std::generic_category().message(code); }

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& path) : place_(path.string()) {
  if (place_.find('\0') != std::string::npos) {
    throw IoError(place_, "open", "a regular file", "a name with a zero byte");
  }
  // O_NONBLOCK: opening a FIFO without a writer would wait for one.
  descriptor_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!descriptor_.is_open()) {
    const int code = errno;
    throw IoError(place_, "open", "a regular file" + (code == ENOENT ? fetch_hint(path) : ""),
                  error_text(code));
  }
  struct stat status = {};
  std::string problem;
  if (::fstat(descriptor_.get(), &status) != 0) {
    problem = error_text(errno);
  } else if (!S_ISREG(status.st_mode)) {
    problem = kind_of(status.st_mode);
  }
  if (!problem.empty()) throw IoError(place_, "open", "a regular file", problem);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void InputFile::read(std::uint64_t offset, void* out, std::size_t count) const {
  auto* bytes = static_cast<char*>(out);
  std::size_t done = 0;
  if (!descriptor_.is_open() && offset <= bytes_.size()) {
    done = bytes_.copy(bytes, count, static_cast<std::size_t>(offset));
    if (done == count) return;
    throw IoError(place_, "read at byte " + std::to_string(offset),
                  std::to_string(count) + " bytes", std::to_string(done) + " bytes");
  }
  while (done < count) {
    check_cancelled();
    const auto position = static_cast<off_t>(offset + done);
    const ssize_t got =
        ::pread(descriptor_.get(), bytes + done, std::min(count - done, kPieceBytes), position);
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (got == 0) {
      throw IoError(place_, "read at byte " + std::to_string(offset),
                    std::to_string(count) + " bytes", std::to_string(done) + " bytes");
    } else if (errno != EINTR) {
      throw IoError(place_, "read at byte " + std::to_string(offset),
                    std::to_string(count) + " bytes", error_text(errno));
    }
  }
}

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  const bool found = std::filesystem::exists(path, error);
  if (error) throw IoError(path.string(), "open", "a file that can be seen", error.message());
  return found;
}

std::vector<std::string> names_in(const std::filesystem::path& directory, std::error_code& error) {
  std::vector<std::string> names;
  error.clear();
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
  while (open != nullptr) {
    errno = 0;
    const dirent* const entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) error.assign(errno, std::generic_category());
  return names;
}

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const InputFile file(path);
  if (file.size() > max_bytes) {
    throw LimitError(file.place(), "file size", "at most " + std::to_string(max_bytes) + " bytes",
                     std::to_string(file.size()) + " bytes");
  }
  std::string contents(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, contents.data(), contents.size());
  return contents;
}

OutputFile::OutputFile(const std::filesystem::path& path) : place_(path.string()) {
  // The renaming would put a file in the place of a device.
  struct stat status = {};
  if (::stat(place_.c_str(), &status) != 0) {
    if (errno != ENOENT) throw IoError(place_, "create", "a writable directory", error_text(errno));
  } else if (!S_ISREG(status.st_mode)) {
    throw IoError(place_, "create", "a regular file", kind_of(status.st_mode));
  }
  // A name nobody else uses: O_EXCL decides between writers of the same file.
  for (int attempt = 0; !descriptor_.is_open(); ++attempt) {
    std::string name = place_ + ".part" + std::to_string(attempt);
    descriptor_ = Descriptor(
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (descriptor_.is_open()) {
      temporary_ = std::move(name);
    } else if (errno != EEXIST || attempt == kMaxWriters) {
      throw IoError(place_, "create", "a writable directory", error_text(errno));
    }
  }
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::write(const void* bytes, std::size_t count) {
  const auto* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t done = ::write(descriptor_.get(), next, count);
    if (done >= 0) {
      next += done;
      count -= static_cast<std::size_t>(done);
      written_ += static_cast<std::uint64_t>(done);
    } else if (errno != EINTR) {
      throw IoError(place_, "write", "all bytes written", error_text(errno));
    }
  }
#ifdef SYNC_FILE_RANGE_WRITE
  // The disk begins early, so that commit() has little left to wait for.
  if (written_ - flushing_ < kFlushBytes) return;
  ::sync_file_range(descriptor_.get(), static_cast<off_t>(flushing_),
                    static_cast<off_t>(written_ - flushing_), SYNC_FILE_RANGE_WRITE);
  flushing_ = written_;
#endif
}

void OutputFile::commit() {
  if (::fsync(descriptor_.get()) != 0 || std::rename(temporary_.c_str(), place_.c_str()) != 0) {
    throw IoError(place_, "write", "all bytes written", error_text(errno));
  }
  temporary_.clear();
}

void write_file(const std::filesystem::path& path, const std::string& contents) {
  OutputFile file(path);
  file.write(contents.data(), contents.size());
  file.commit();
}

}  // namespace bridgetower::detail

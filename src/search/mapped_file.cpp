#include "search/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <bridgetower/core/error.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace bridgetower::detail {
namespace {

std::int64_t modified_ns(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path)
    : place_(path.string()),
      descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  struct stat status = {};
  std::string problem;
  if (!descriptor_.is_open() || ::fstat(descriptor_.get(), &status) != 0) {
    problem = std::generic_category().message(errno);
  } else if (!S_ISREG(status.st_mode)) {
    problem = "another kind of file";
  } else if (status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor_.get(), 0);
    if (memory == MAP_FAILED) {
      problem = std::generic_category().message(errno);
    } else {
      data_ = static_cast<const unsigned char*>(memory);
    }
  }
  if (!problem.empty()) throw IoError(place_, "open", "a regular file", problem);
  modified_ns_ = modified_ns(status);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : place_(std::move(other.place_)),
      descriptor_(std::move(other.descriptor_)),
      modified_ns_(other.modified_ns_),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

void MappedFile::check_unchanged() const {
  struct stat status = {};
  if (::fstat(descriptor_.get(), &status) == 0 && modified_ns(status) == modified_ns_ &&
      static_cast<std::size_t>(status.st_size) == size_) {
    return;
  }
  throw IoError(place_, "read", "the file as it was opened", "one that has changed since");
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<unsigned char*>(data_), size_);
}

}  // namespace bridgetower::detail

#include "search/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bridgetower/core/error.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace bridgetower::detail {

MappedFile::MappedFile(const std::filesystem::path& path) : place_(path.string()) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status = {};
  std::string problem;
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    problem = std::generic_category().message(errno);
  } else if (!S_ISREG(status.st_mode)) {
    problem = "another kind of file";
  } else if (status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (memory == MAP_FAILED) {
      problem = std::generic_category().message(errno);
    } else {
      data_ = static_cast<const unsigned char*>(memory);
    }
  }
  if (descriptor >= 0) ::close(descriptor);
  if (!problem.empty()) throw IoError(place_, "open", "a regular file", problem);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : place_(std::move(other.place_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<unsigned char*>(data_), size_);
}

}  // namespace bridgetower::detail

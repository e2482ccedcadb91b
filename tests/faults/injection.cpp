// Definitions in the program come before those of the shared libraries, for the libraries as well.
#undef _FORTIFY_SOURCE  // its inline functions have these names
#include "tests/faults/injection.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>

namespace bridgetower::testing {
namespace {

constexpr int kNone = -1;
std::atomic<int> armed{kNone};
std::atomic<std::int64_t> first{0};
std::atomic<std::int64_t> done{0};
std::atomic<int> error_number{0};
std::atomic<Injection::Which> which_ones{Injection::Which::kOne};
std::atomic<std::size_t> most_bytes{std::numeric_limits<std::size_t>::max()};

/// True where this call has to fail; errno is then set.
bool fails(Call call) noexcept {
  if (armed.load(std::memory_order_relaxed) != static_cast<int>(call)) return false;
  const std::int64_t behind_first = ++done - first;
  if (behind_first < 0) return false;
  if (which_ones == Injection::Which::kOne && behind_first > 0) return false;
  if (which_ones == Injection::Which::kEverySecond && behind_first % 2 != 0) return false;
  errno = error_number;
  return true;
}

std::size_t step(std::size_t bytes) noexcept { return std::min(bytes, most_bytes.load()); }

/// The definition behind ours.
template <class Function>
Function* behind(const char* name) noexcept {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

Injection::Injection(Call call, std::int64_t n, int error, Which which) noexcept {
  first = n;
  done = 0;
  error_number = error;
  which_ones = which;
  armed = static_cast<int>(call);
}

Injection::~Injection() { armed = kNone; }

std::int64_t Injection::calls() const noexcept { return done; }

SmallSteps::SmallSteps(std::size_t bytes) noexcept { most_bytes = bytes; }
SmallSteps::~SmallSteps() { most_bytes = std::numeric_limits<std::size_t>::max(); }

}  // namespace bridgetower::testing

using bridgetower::testing::behind;
using bridgetower::testing::Call;
using bridgetower::testing::fails;
using bridgetower::testing::step;

extern "C" {

// The address sanitizer's own code does not survive without memory: there only operator new fails.
#ifndef BRIDGETOWER_SANITIZED_ADDRESSES
// dlsym may allocate itself, so the allocator is called by its other name.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);

void* malloc(std::size_t size) noexcept {
  return fails(Call::kAllocation) ? nullptr : __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  return fails(Call::kAllocation) ? nullptr : __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) noexcept {
  return fails(Call::kAllocation) ? nullptr : __libc_realloc(block, size);
}
#else
// hnswlib's constructor loses what it has where it gets no more (SECURITY.md).
const char* __lsan_default_suppressions() { return "leak:empty_graph\n"; }
#endif

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    std::va_list more;
    va_start(more, flags);
    mode = static_cast<mode_t>(va_arg(more, int));
    va_end(more);
  }
  static const auto real = behind<decltype(open)>("open");
  return fails(Call::kOpen) ? -1 : real(path, flags, mode);
}

DIR* opendir(const char* path) {
  static const auto real = behind<decltype(opendir)>("opendir");
  return fails(Call::kOpen) ? nullptr : real(path);
}

int stat(const char* path, struct stat* status) noexcept {
  static const auto real = behind<decltype(stat)>("stat");
  return fails(Call::kStat) ? -1 : real(path, status);
}

int lstat(const char* path, struct stat* status) noexcept {
  static const auto real = behind<decltype(lstat)>("lstat");
  return fails(Call::kStat) ? -1 : real(path, status);
}

int fstat(int file, struct stat* status) noexcept {
  static const auto real = behind<decltype(fstat)>("fstat");
  return fails(Call::kStat) ? -1 : real(file, status);
}

ssize_t read(int file, void* bytes, std::size_t count) {
  static const auto real = behind<decltype(read)>("read");
  return fails(Call::kRead) ? -1 : real(file, bytes, step(count));
}

ssize_t pread(int file, void* bytes, std::size_t count, off_t position) {
  static const auto real = behind<decltype(pread)>("pread");
  return fails(Call::kRead) ? -1 : real(file, bytes, step(count), position);
}

ssize_t write(int file, const void* bytes, std::size_t count) {
  static const auto real = behind<decltype(write)>("write");
  return fails(Call::kWrite) ? -1 : real(file, bytes, step(count));
}

ssize_t pwrite(int file, const void* bytes, std::size_t count, off_t position) {
  static const auto real = behind<decltype(pwrite)>("pwrite");
  return fails(Call::kWrite) ? -1 : real(file, bytes, step(count), position);
}

int fsync(int file) {
  static const auto real = behind<decltype(fsync)>("fsync");
  return fails(Call::kSync) ? -1 : real(file);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = behind<decltype(rename)>("rename");
  return fails(Call::kRename) ? -1 : real(from, to);
}

int ftruncate(int file, off_t size) noexcept {
  static const auto real = behind<decltype(ftruncate)>("ftruncate");
  return fails(Call::kTruncate) ? -1 : real(file, size);
}

int flock(int file, int operation) noexcept {
  static const auto real = behind<decltype(flock)>("flock");
  return fails(Call::kLock) ? -1 : real(file, operation);
}

void* mmap(void* at, std::size_t size, int protection, int flags, int file, off_t offset) noexcept {
  static const auto real = behind<decltype(mmap)>("mmap");
  return fails(Call::kMap) ? MAP_FAILED : real(at, size, protection, flags, file, offset);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  static const auto real = behind<decltype(pthread_create)>("pthread_create");
  return fails(Call::kThread) ? EAGAIN : real(thread, attributes, start, argument);
}

}  // extern "C"

// The sanitizers have their own, which do not call malloc.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
#ifdef BRIDGETOWER_SANITIZED_ADDRESSES
  if (fails(Call::kAllocation)) return nullptr;
#endif
  return std::malloc(std::max<std::size_t>(size, 1));
}
void* operator new[](std::size_t size, const std::nothrow_t& no_throw) noexcept {
  return ::operator new(size, no_throw);
}
void* operator new(std::size_t size) {
  if (void* const memory = ::operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return ::operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

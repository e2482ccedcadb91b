#include "tests/hostile/memory.hpp"

#include <atomic>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BRIDGETOWER_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BRIDGETOWER_SANITIZED
#endif
#endif

namespace bridgetower::hostile {
namespace {

std::atomic<std::int64_t> held{0};
std::atomic<std::int64_t> peak{0};

void reach(std::int64_t bytes) {
  std::int64_t before = peak.load();
  while (before < bytes && !peak.compare_exchange_weak(before, bytes)) {
  }
}

}  // namespace
}  // namespace bridgetower::hostile

#ifdef BRIDGETOWER_SANITIZED

// g++ does not install the sanitizers' allocator_interface.h.
extern "C" {
std::size_t __sanitizer_get_current_allocated_bytes();
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, std::size_t),
                                              void (*on_free)(const volatile void*));
}

namespace bridgetower::hostile {
namespace {

std::int64_t now() { return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes()); }

void on_malloc(const volatile void*, std::size_t) { reach(now()); }
void on_free(const volatile void*) {}

const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);

}  // namespace

PeakMemory::PeakMemory() : before_(installed != 0 ? now() : 0) { peak = before_; }

}  // namespace bridgetower::hostile

#else

// The program's own malloc stands before that of the C library, which does the work.
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <mutex>

namespace bridgetower::hostile {
namespace {

void* taken(void* memory) {
  if (memory == nullptr) return memory;
  reach(held += static_cast<std::int64_t>(malloc_usable_size(memory)));
  return memory;
}

void given_back(void* memory) {
  if (memory != nullptr) held -= static_cast<std::int64_t>(malloc_usable_size(memory));
}

/// Anonymous mappings by their beginning; files that are mapped are no memory of ours.
struct Mappings {
  std::mutex mutex;
  std::map<std::uintptr_t, std::uintptr_t> ends;

  void add(std::uintptr_t begin, std::uintptr_t end) {
    const std::lock_guard<std::mutex> lock(mutex);
    ends[begin] = end;
    reach(held += static_cast<std::int64_t>(end - begin));
  }

  void remove(std::uintptr_t begin, std::uintptr_t end) {
    const std::lock_guard<std::mutex> lock(mutex);
    auto found = ends.upper_bound(begin);
    if (found == ends.begin() || (--found)->second < end) return;
    const auto [first, last] = *found;
    ends.erase(found);
    if (first < begin) ends[first] = begin;
    if (end < last) ends[end] = last;
    held -= static_cast<std::int64_t>(end - begin);
  }
};

Mappings& mappings() {
  static auto* const all = new Mappings;
  return *all;
}

}  // namespace

PeakMemory::PeakMemory() : before_(held) { peak = before_; }

}  // namespace bridgetower::hostile

using bridgetower::hostile::given_back;
using bridgetower::hostile::mappings;
using bridgetower::hostile::taken;

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);

void* malloc(std::size_t size) { return taken(__libc_malloc(size)); }

void* calloc(std::size_t count, std::size_t size) { return taken(__libc_calloc(count, size)); }

void* realloc(void* memory, std::size_t size) {
  const auto before = memory == nullptr ? 0 : malloc_usable_size(memory);
  void* const moved = __libc_realloc(memory, size);
  if (moved != nullptr || size == 0)
    bridgetower::hostile::held -= static_cast<std::int64_t>(before);
  return taken(moved);
}

void* memalign(std::size_t alignment, std::size_t size) {
  return taken(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

void free(void* memory) {
  given_back(memory);
  __libc_free(memory);
}

void* mmap(void* wish, std::size_t size, int protection, int flags, int file, off_t offset) {
  const long result = syscall(SYS_mmap, wish, size, protection, flags, file, offset);
  void* const memory = reinterpret_cast<void*>(result);
  if (memory != MAP_FAILED && (flags & MAP_ANONYMOUS) != 0) {
    const auto begin = static_cast<std::uintptr_t>(result);
    mappings().add(begin, begin + size);
  }
  return memory;
}

int munmap(void* memory, std::size_t size) {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  mappings().remove(begin, begin + size);
  return static_cast<int>(syscall(SYS_munmap, memory, size));
}

}  // extern "C"

#endif

namespace bridgetower::hostile {

std::int64_t PeakMemory::bytes() const { return peak - before_; }

}  // namespace bridgetower::hostile

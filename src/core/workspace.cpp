#include <algorithm>
#include <bridgetower/core/workspace.hpp>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#endif

// Recycled memory would hide a tensor that is used after its end.
#if defined(__SANITIZE_ADDRESS__)
#define BRIDGETOWER_NO_RECYCLING
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BRIDGETOWER_NO_RECYCLING
#endif
#endif

namespace bridgetower::detail {
namespace {

#ifdef BRIDGETOWER_NO_RECYCLING
constexpr bool kRecycles = false;
#else
constexpr bool kRecycles = true;
#endif

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kPage = std::size_t{64} << 10;  // at least the system's

/// Before the elements of every tensor.
struct alignas(kAlignment) Block {
  std::size_t bytes;      // this header included
  void* memory;           // as the system gave it
  WorkspaceState* owner;  // null: the system
  Block* next;            // in its owner's reserve
};

#if defined(__linux__) && !defined(BRIDGETOWER_NO_RECYCLING)

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Weights are read from end to end, so large blocks lie on the borders of huge pages and ask for
/// these. Mapped by themselves: beside a heap's other memory the gaps would become huge pages too.
bool is_mapped(std::size_t bytes) { return bytes >= kHugePage; }

void* map_memory(std::size_t bytes) {
  const std::size_t whole = bytes + kHugePage;
  void* const mapped =
      mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  char* const first = static_cast<char*>(mapped);
  const std::size_t before =
      (kHugePage - reinterpret_cast<std::uintptr_t>(first) % kHugePage) % kHugePage;
  if (before > 0) munmap(first, before);
  munmap(first + before + bytes, whole - before - bytes);
  madvise(first + before, bytes, MADV_HUGEPAGE);  // a wish: the answer is ignored
  return first + before;
}

void unmap_memory(void* memory, std::size_t bytes) noexcept { munmap(memory, bytes); }

#else

bool is_mapped(std::size_t) { return false; }
void* map_memory(std::size_t) { return nullptr; }
void unmap_memory(void*, std::size_t) noexcept {}

#endif

Block* allocate_block(std::size_t bytes) {
  if (is_mapped(bytes)) {
    bytes = (bytes + kPage - 1) / kPage * kPage;
    void* const memory = map_memory(bytes);
    return new (memory) Block{bytes, memory, nullptr, nullptr};
  }
  // Aligned by hand: glibc finds what was given back only for plain requests.
  std::size_t space = bytes + kAlignment - 1;
  void* const memory = ::operator new(space);
  void* aligned = memory;
  std::align(kAlignment, bytes, aligned, space);
  return new (aligned) Block{bytes, memory, nullptr, nullptr};
}

void free_block(Block* block) noexcept {
  if (is_mapped(block->bytes)) return unmap_memory(block->memory, block->bytes);
  ::operator delete(block->memory);
}

/// The next larger size of eight to every power of two, so that like sizes share their memory.
std::size_t rounded(std::size_t bytes) {
  std::size_t step = kAlignment;
  while (step * 16 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

}  // namespace

struct WorkspaceState {
  Block* take(std::size_t bytes) {
    bytes = rounded(bytes);
    {
      const std::lock_guard<std::mutex> lock(mutex);
      ++references;
      if (Block* const block = find(bytes)) {
        usage.in_reserve -= block->bytes;
        add_to_use(block->bytes);
        return block;
      }
      add_to_use(bytes);
      ++usage.allocations;
    }
    try {
      Block* const block = allocate_block(bytes);
      block->owner = this;
      return block;
    } catch (...) {
      forget(bytes);
      throw;
    }
  }

  void give_back(Block* block) noexcept {
    const std::size_t bytes = block->bytes;
    if (!keep(block)) free_block(block);
    forget(bytes);
  }

  /// Of what tensors hold: one less. The last one out ends this.
  void forget(std::size_t bytes) noexcept {
    std::unique_lock<std::mutex> lock(mutex);
    usage.in_use -= bytes;
    if (--references > 0) return;
    lock.unlock();
    delete this;
  }

  void close() noexcept {
    std::unique_lock<std::mutex> lock(mutex);
    closed = true;
    for (const auto& [bytes, first] : reserve) {
      for (Block* block = first; block != nullptr;) {
        Block* const next = block->next;
        free_block(block);
        block = next;
      }
    }
    reserve.clear();
    if (--references > 0) return;
    lock.unlock();
    delete this;
  }

  mutable std::mutex mutex;
  std::map<std::size_t, Block*> reserve;  // by size, the first of a list
  std::size_t references = 1;             // the workspace's own, and one a tensor
  bool closed = false;
  Workspace::Usage usage{};

 private:
  /// The smallest one in reserve that is large enough and not twice as large.
  Block* find(std::size_t bytes) {
    for (auto i = reserve.lower_bound(bytes); i != reserve.end() && i->first < 2 * bytes; ++i) {
      if (i->second != nullptr) return std::exchange(i->second, i->second->next);
    }
    return nullptr;
  }

  void add_to_use(std::size_t bytes) {
    usage.in_use += bytes;
    usage.peak = std::max(usage.peak, usage.in_use);
  }

  bool keep(Block* block) noexcept {
    if (!kRecycles) return false;
    const std::lock_guard<std::mutex> lock(mutex);
    if (closed || usage.in_reserve + block->bytes > 2 * usage.peak) return false;
    try {
      Block*& first = reserve[block->bytes];
      block->next = first;
      first = block;
    } catch (const std::bad_alloc&) {
      return false;
    }
    usage.in_reserve += block->bytes;
    return true;
  }
};

namespace {

thread_local WorkspaceState* current = nullptr;

}  // namespace

WorkspaceState* current_workspace() noexcept { return current; }

void* allocate_elements(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  bytes += sizeof(Block);
  Block* const block = current == nullptr ? allocate_block(bytes) : current->take(bytes);
  return block + 1;
}

void release_elements(void* memory) noexcept {
  if (memory == nullptr) return;
  Block* const block = static_cast<Block*>(memory) - 1;
  if (block->owner == nullptr) return free_block(block);
  block->owner->give_back(block);
}

}  // namespace bridgetower::detail

namespace bridgetower {

Workspace::Workspace() : state_(new detail::WorkspaceState) {}

Workspace::~Workspace() { state_->close(); }

Workspace::Usage Workspace::usage() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->usage;
}

WorkspaceScope::WorkspaceScope(Workspace* workspace) noexcept
    : WorkspaceScope(workspace == nullptr ? nullptr : workspace->state_) {}

WorkspaceScope::WorkspaceScope(detail::WorkspaceState* workspace) noexcept
    : previous_(std::exchange(detail::current, workspace)) {}

WorkspaceScope::~WorkspaceScope() { detail::current = previous_; }

}  // namespace bridgetower

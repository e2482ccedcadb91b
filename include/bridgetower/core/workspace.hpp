#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace bridgetower {

namespace detail {
struct WorkspaceState;
}

/// Memory that tensors take and give back, so that a call finds what the call before it used: after
/// the first few of a shape the system is not asked any more. What a call returns may outlive the
/// workspace. Any thread may use it.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  struct Usage {
    std::size_t in_use;         ///< bytes that tensors hold now
    std::size_t in_reserve;     ///< bytes held for the next ones, at most twice the peak
    std::size_t peak;           ///< the most that was in use at one time
    std::uint64_t allocations;  ///< how often the system was asked for memory
  };
  Usage usage() const;

 private:
  friend class WorkspaceScope;
  detail::WorkspaceState* state_;  // outlives this object where tensors still hold memory of it
};

/// While it lives, new tensors of this thread take their memory from `workspace` (null: from the
/// system).
class WorkspaceScope {
 public:
  explicit WorkspaceScope(Workspace* workspace) noexcept;
  explicit WorkspaceScope(detail::WorkspaceState* workspace) noexcept;
  ~WorkspaceScope();
  WorkspaceScope(const WorkspaceScope&) = delete;
  WorkspaceScope& operator=(const WorkspaceScope&) = delete;

 private:
  detail::WorkspaceState* previous_;
};

namespace detail {

/// A tensor's memory, aligned to 64 bytes: from the workspace of this thread's innermost scope, or
/// from the system. Throws std::bad_alloc.
void* allocate_elements(std::size_t bytes);
void release_elements(void* memory) noexcept;

/// The workspace of this thread, to hand it on to the threads that help.
WorkspaceState* current_workspace() noexcept;

}  // namespace detail
}  // namespace bridgetower

// What differs between oneDNN's versions 2 and 3, and between the threads they are built with.
#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

namespace bridgetower::ops::detail::onednn {

/// While it lives, oneDNN starts no threads on behalf of this one. The caller's setting is of this
/// thread only, and comes back.
class OneThread {
 public:
  OneThread() noexcept;
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// dst = src weights, with memory for intermediate results from the caller. Throws dnnl::error.
dnnl::matmul::primitive_desc describe_product(const dnnl::engine& engine,
                                              const dnnl::memory::desc& src,
                                              const dnnl::memory::desc& weights,
                                              const dnnl::memory::desc& dst);

/// Where index 0, 1, … `count` - 1 of one axis lies, in elements: a place in a blocked layout is
/// the sum of one such offset for every axis.
std::vector<std::int64_t> axis_offsets(const dnnl::memory::desc& layout, int axis,
                                       std::int64_t count);

}  // namespace bridgetower::ops::detail::onednn

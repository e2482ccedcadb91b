#include "ops/onednn/adapter.hpp"

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
#include <dlfcn.h>
#elif DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_SEQ
#error "oneDNN must be built with OpenMP or without threads: the only threads are the library's own"
#endif

namespace bridgetower::ops::detail::onednn {
namespace {

struct Blocking {
  dnnl::memory::dims strides;  // of the outer blocks, per axis
  std::vector<std::int64_t> inner_sizes;
  std::vector<std::int64_t> inner_axes;
};

#if DNNL_VERSION_MAJOR >= 3
Blocking blocking(const dnnl::memory::desc& layout) {
  return {layout.get_strides(), layout.get_inner_blks(), layout.get_inner_idxs()};
}
#else
Blocking blocking(const dnnl::memory::desc& layout) {
  const dnnl_blocking_desc_t& blocks = layout.data.format_desc.blocking;
  const auto inner = [&blocks](const dnnl_dims_t& values) {
    return std::vector<std::int64_t>(values, values + blocks.inner_nblks);
  };
  return {dnnl::memory::dims(blocks.strides, blocks.strides + layout.data.ndims),
          inner(blocks.inner_blks), inner(blocks.inner_idxs)};
}
#endif

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
/// Of the OpenMP library that oneDNN brought into the process, whichever it is. Its headers are not
/// needed then, and the compiler's own, which may be another one, is not linked.
struct OpenMp {
  int (*max_threads)() = find<int()>("omp_get_max_threads");
  void (*set_threads)(int) = find<void(int)>("omp_set_num_threads");

  template <class Function>
  static Function* find(const char* name) noexcept {
    return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  }
};

const OpenMp& open_mp() noexcept {
  static const OpenMp found;
  return found;
}
#endif

}  // namespace

#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
OneThread::OneThread() noexcept
    : before_(open_mp().max_threads == nullptr ? 1 : open_mp().max_threads()) {
  if (before_ != 1) open_mp().set_threads(1);
}

OneThread::~OneThread() {
  if (before_ != 1) open_mp().set_threads(before_);
}
#else
OneThread::OneThread() noexcept : before_(1) {}
OneThread::~OneThread() = default;
#endif

dnnl::matmul::primitive_desc describe_product(const dnnl::engine& engine,
                                              const dnnl::memory::desc& src,
                                              const dnnl::memory::desc& weights,
                                              const dnnl::memory::desc& dst) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, src, weights, dst, attributes};
#else
  return {{src, weights, dst}, attributes, engine};
#endif
}

std::vector<std::int64_t> axis_offsets(const dnnl::memory::desc& layout, int axis,
                                       std::int64_t count) {
  const Blocking blocks = blocking(layout);
  std::vector<std::int64_t> offsets;
  for (std::int64_t index = 0; index < count; ++index) {
    std::int64_t rest = index;
    std::int64_t step = 1;
    std::int64_t offset = 0;
    for (std::size_t block = blocks.inner_sizes.size(); block-- > 0;) {
      const std::int64_t size = blocks.inner_sizes[block];
      if (blocks.inner_axes[block] == axis) {
        offset += rest % size * step;
        rest /= size;
      }
      step *= size;
    }
    offsets.push_back(offset + rest * blocks.strides[static_cast<std::size_t>(axis)]);
  }
  return offsets;
}

}  // namespace bridgetower::ops::detail::onednn

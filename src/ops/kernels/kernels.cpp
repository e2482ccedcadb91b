#include <algorithm>
#include <bridgetower/ops/detail/kernels.hpp>
#include <cstdlib>
#include <iterator>
#include <string_view>

namespace bridgetower::detail {

#if defined(__x86_64__)
extern const Kernels kAvx512BFloat16Kernels;
extern const Kernels kAvx512VnniKernels;
extern const Kernels kAvx512Kernels;
extern const Kernels kAvx2Kernels;
#endif
extern const Kernels kBaselineKernels;

namespace {

struct Candidate {
  const Kernels* kernels;
  bool runs;  // on this processor
};

const Kernels& choose() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 =
      avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
  const bool vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  const bool bfloat16 = vnni && __builtin_cpu_supports("avx512bf16");
  const Candidate candidates[] = {{&kAvx512BFloat16Kernels, bfloat16},
                                  {&kAvx512VnniKernels, vnni},
                                  {&kAvx512Kernels, avx512},
                                  {&kAvx2Kernels, avx2}};
  const char* const named = std::getenv("BRIDGETOWER_KERNELS");
  const std::string_view best = named == nullptr ? "" : named;
  const auto is_best = [best](const Candidate& one) { return best == one.kernels->name; };
  const bool known = best == kBaselineKernels.name ||
                     std::any_of(std::begin(candidates), std::end(candidates), is_best);
  bool allowed = !known;
  for (const Candidate& candidate : candidates) {
    allowed = allowed || is_best(candidate);
    if (allowed && candidate.runs) return *candidate.kernels;
  }
#endif
  return kBaselineKernels;
}

}  // namespace

const Kernels& kernels() noexcept {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace bridgetower::detail

// Compiled with AVX2 and FMA; only called where the processor has them.
#if defined(__x86_64__)
#include <immintrin.h>
#define BRIDGETOWER_KERNELS kAvx2Kernels
#define BRIDGETOWER_KERNELS_NAME "avx2"
#define BRIDGETOWER_VECTOR_BYTES 32
#define BRIDGETOWER_TILE_ROWS 6
#define BRIDGETOWER_REGISTER "x"
#define BRIDGETOWER_ADD_PAIRS(sum, a, b) \
  (sum + reinterpret_cast<IntVector>(    \
             _mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b))))
#include "ops/kernels/kernels.inc"
#endif

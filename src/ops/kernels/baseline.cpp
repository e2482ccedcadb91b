// For any processor: what the compiler's default instruction set gives.
#define BRIDGETOWER_KERNELS kBaselineKernels
#define BRIDGETOWER_KERNELS_NAME "baseline"
#define BRIDGETOWER_VECTOR_BYTES 16
#define BRIDGETOWER_TILE_ROWS 4
#if defined(__SSE2__)
#include <emmintrin.h>
#define BRIDGETOWER_REGISTER "x"
#define BRIDGETOWER_ADD_PAIRS(sum, a, b) \
  (sum + reinterpret_cast<IntVector>(    \
             _mm_madd_epi16(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b))))
#endif
#include "ops/kernels/kernels.inc"

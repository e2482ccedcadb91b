// Compiled with AVX-512F and BW; only called where the processor has them.
#if defined(__x86_64__)
#include <immintrin.h>
#define BRIDGETOWER_KERNELS kAvx512Kernels
#define BRIDGETOWER_KERNELS_NAME "avx512"
#define BRIDGETOWER_VECTOR_BYTES 64
#define BRIDGETOWER_TILE_ROWS 14
#define BRIDGETOWER_MASKS
#define BRIDGETOWER_REGISTER "v"
#define BRIDGETOWER_ADD_PAIRS(sum, a, b) \
  (sum + reinterpret_cast<IntVector>(    \
             _mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b))))
#include "ops/kernels/kernels.inc"
#endif

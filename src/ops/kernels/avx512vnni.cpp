// As avx512.cpp, with AVX-512 VNNI: two int16 products and their sums in one instruction.
#if defined(__x86_64__)
#include <immintrin.h>
#define BRIDGETOWER_KERNELS kAvx512VnniKernels
#define BRIDGETOWER_KERNELS_NAME "avx512vnni"
#define BRIDGETOWER_VECTOR_BYTES 64
#define BRIDGETOWER_TILE_ROWS 14
#define BRIDGETOWER_ADD_PAIRS(sum, a, b)           \
  reinterpret_cast<IntVector>(_mm512_dpwssd_epi32( \
      reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)))
#include "ops/kernels/kernels.inc"
#endif

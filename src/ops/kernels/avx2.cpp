// Compiled with AVX2 and FMA; only called where the processor has them.
#if defined(__x86_64__)
#define BRIDGETOWER_KERNELS kAvx2Kernels
#define BRIDGETOWER_KERNELS_NAME "avx2"
#define BRIDGETOWER_VECTOR_BYTES 32
#define BRIDGETOWER_TILE_ROWS 6
#include "ops/kernels/kernels.inc"
#endif

// Compiled with AVX-512F; only called where the processor has it.
#if defined(__x86_64__)
#define BRIDGETOWER_KERNELS kAvx512Kernels
#define BRIDGETOWER_KERNELS_NAME "avx512"
#define BRIDGETOWER_VECTOR_BYTES 64
#define BRIDGETOWER_TILE_ROWS 14
#include "ops/kernels/kernels.inc"
#endif

// As avx512.cpp, with AVX-512 VNNI: four int8 products and their sums in one instruction.
#if defined(__x86_64__)
#include <immintrin.h>
#define BRIDGETOWER_KERNELS kAvx512VnniKernels
#define BRIDGETOWER_KERNELS_NAME "avx512vnni"
#define BRIDGETOWER_VECTOR_BYTES 64
#define BRIDGETOWER_TILE_ROWS 14
#define BRIDGETOWER_MASKS
#define BRIDGETOWER_INT8_FOURS
#include "ops/kernels/kernels.inc"
#endif

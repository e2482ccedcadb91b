// As avx512vnni.cpp, with AVX-512 BF16: two bfloat16 products and their sums in one instruction.
#if defined(__x86_64__)
#include <immintrin.h>
#define BRIDGETOWER_KERNELS kAvx512BFloat16Kernels
#define BRIDGETOWER_KERNELS_NAME "avx512bf16"
#define BRIDGETOWER_VECTOR_BYTES 64
#define BRIDGETOWER_TILE_ROWS 14
#define BRIDGETOWER_MASKS
#define BRIDGETOWER_INT8_FOURS
#define BRIDGETOWER_BFLOAT16_PAIRS
#include "ops/kernels/kernels.inc"
#endif

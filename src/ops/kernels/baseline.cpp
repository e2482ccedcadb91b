// For any processor: what the compiler's default instruction set gives.
#define BRIDGETOWER_KERNELS kBaselineKernels
#define BRIDGETOWER_KERNELS_NAME "baseline"
#define BRIDGETOWER_VECTOR_BYTES 16
#define BRIDGETOWER_TILE_ROWS 4
#include "ops/kernels/kernels.inc"

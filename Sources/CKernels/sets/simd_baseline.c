#include "../simd_private.h"

#define DCN_LANES 4
#if defined(__aarch64__)
#define DCN_HAS_ROUND 1
#else
#define DCN_HAS_ROUND 0
#endif
#define DCN_TABLE dcn_simd_baseline

#include "simd_families.inc"

#include "../simd_private.h"

#if defined(__aarch64__)

#define DCN_LANES 4
#define DCN_HAS_ROUND 1
#define DCN_TABLE dcn_simd_neon

#include "simd_families.inc"

#endif

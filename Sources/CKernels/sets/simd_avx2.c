#include "../simd_private.h"

#if defined(__x86_64__)

#define DCN_LANES 8
#define DCN_HAS_ROUND 1
#define DCN_TABLE dcn_simd_avx2

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "simd_families.inc"
#pragma clang attribute pop

#endif

#include "../simd_private.h"

#if defined(__x86_64__)

#define DCN_LANES 16
#define DCN_HAS_ROUND 1
#define DCN_TABLE dcn_simd_avx512

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"))), apply_to = function)
#include "simd_families.inc"
#pragma clang attribute pop

#endif

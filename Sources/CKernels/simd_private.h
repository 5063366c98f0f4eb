// What every translation unit of the vector kernels needs before its target region.
#ifndef DCN_SIMD_PRIVATE_H
#define DCN_SIMD_PRIVATE_H

#include "dcn_simd.h"
#include <float.h>
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

extern const dcn_simd_table dcn_simd_baseline, dcn_simd_avx2, dcn_simd_avx512, dcn_simd_neon;

#endif

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

// Conversions that are the same for every instruction set.
void dcn_cast(dcn_element from, dcn_element to, const void *x, void *y, size_t count);
void dcn_unpack(dcn_element from, const uint8_t *x, uint8_t *y, size_t count);
void dcn_pack(dcn_element to, const uint8_t *x, uint8_t *y, size_t count);
// Element i of packed integers, and a value put there (its low bits; earlier elements of the byte are kept).
int dcn_packed_value(dcn_element from, const uint8_t *x, size_t i);
void dcn_put_packed(dcn_element to, uint8_t *y, size_t i, int value);
// x toward zero, within the range of the type; NaN is 0.
int dcn_packed_bound(dcn_element to, float x);

extern const dcn_simd_table dcn_simd_baseline, dcn_simd_avx2, dcn_simd_avx512, dcn_simd_neon;

#endif

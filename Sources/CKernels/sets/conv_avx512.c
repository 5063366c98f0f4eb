#include "../conv_private.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define DCN_LANES 16
#define DCN_CONV_TABLE conv_table_avx512

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,bmi2"))), apply_to = function)
#include "conv_family.inc"
#pragma clang attribute pop

#endif

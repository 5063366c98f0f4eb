#include "../conv_private.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define DCN_LANES 8
#define DCN_CONV_TABLE conv_table_avx2

#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#include "conv_family.inc"
#pragma clang attribute pop

#endif

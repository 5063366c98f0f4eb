#include "../conv_private.h"

const float conv_zeros[CONV_PANEL] __attribute__((aligned(64))) = {0};

const dcn_conv_table *dcn_conv_kernels(dcn_isa isa) {
    if (!dcn_isa_available(isa)) return 0;
    switch (isa) {
    case DCN_ISA_BASELINE: return &conv_table_baseline;
#if defined(__x86_64__)
    case DCN_ISA_AVX2: return &conv_table_avx2;
    case DCN_ISA_AVX512: return &conv_table_avx512;
    case DCN_ISA_AMX: return &conv_table_amx;
#elif defined(__aarch64__)
    case DCN_ISA_NEON: return &conv_table_neon;
#endif
    default: return 0;
    }
}

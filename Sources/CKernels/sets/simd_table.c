#include "../simd_private.h"

const dcn_simd_table *dcn_simd_kernels(dcn_isa isa) {
    if (!dcn_isa_available(isa)) return NULL;
    switch (isa) {
#if defined(__x86_64__)
    case DCN_ISA_AVX2: return &dcn_simd_avx2;
    case DCN_ISA_AVX512:
    case DCN_ISA_AMX: return &dcn_simd_avx512;
#elif defined(__aarch64__)
    case DCN_ISA_NEON: return &dcn_simd_neon;
#endif
    default: return &dcn_simd_baseline;
    }
}

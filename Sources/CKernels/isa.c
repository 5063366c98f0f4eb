#include "dcn_kernels.h"

#if defined(__x86_64__)

int dcn_isa_available(dcn_isa isa) {
    __builtin_cpu_init();
    switch (isa) {
    case DCN_ISA_BASELINE: return 1;
    case DCN_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case DCN_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    default: return 0;
    }
}

#elif defined(__aarch64__)

int dcn_isa_available(dcn_isa isa) { return isa == DCN_ISA_BASELINE || isa == DCN_ISA_NEON; }

#else

int dcn_isa_available(dcn_isa isa) { return isa == DCN_ISA_BASELINE; }

#endif

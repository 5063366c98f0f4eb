#define _GNU_SOURCE
#include "dcn_kernels.h"

#if defined(__x86_64__)

#if defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Linux keeps no room for a thread's tiles until the process has asked for it ("Using XSTATE features in user space
/// applications", the kernel's documentation of x86). It refuses where a signal stack would be too small for them.
static int isa_ask_for_tiles(void) {
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

/// Tiles of 16 rows of 64 bytes, and products of bfloat16 numbers by them (Intel's manual, CPUID leaf 7).
static int isa_has_tiles(void) {
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    return (d & AMX_BF16) && (d & AMX_TILE) && isa_ask_for_tiles();
}

#else

static int isa_has_tiles(void) { return 0; }

#endif

int dcn_isa_available(dcn_isa isa) {
    __builtin_cpu_init();
    const int has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    switch (isa) {
    case DCN_ISA_BASELINE: return 1;
    case DCN_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case DCN_ISA_AVX512: return has_avx512;
    case DCN_ISA_AMX: return has_avx512 && isa_has_tiles();
    default: return 0;
    }
}

#elif defined(__aarch64__)

int dcn_isa_available(dcn_isa isa) { return isa == DCN_ISA_BASELINE || isa == DCN_ISA_NEON; }

#else

int dcn_isa_available(dcn_isa isa) { return isa == DCN_ISA_BASELINE; }

#endif

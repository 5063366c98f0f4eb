// Arithmetic of the runtime in C: one table of functions per instruction set.
#ifndef DCN_KERNELS_H
#define DCN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef enum { DCN_ISA_BASELINE, DCN_ISA_AVX2, DCN_ISA_AVX512, DCN_ISA_NEON } dcn_isa;

/// Whether this machine, and its operating system, can run the instruction set.
int dcn_isa_available(dcn_isa isa);

#endif

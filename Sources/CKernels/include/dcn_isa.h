// Instruction sets the kernels are written for.
#ifndef DCN_ISA_H
#define DCN_ISA_H

typedef enum { DCN_ISA_BASELINE, DCN_ISA_AVX2, DCN_ISA_AVX512, DCN_ISA_AMX, DCN_ISA_NEON } dcn_isa;

/// Whether this machine, and its operating system, can run the instruction set.
int dcn_isa_available(dcn_isa isa);

#endif

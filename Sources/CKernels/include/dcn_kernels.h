// Arithmetic of the runtime in C: one table of functions per instruction set.
#ifndef DCN_KERNELS_H
#define DCN_KERNELS_H

#include "dcn_conv.h"
#include "dcn_isa.h"
#include "dcn_simd.h"
#include <stddef.h>
#include <stdint.h>

#endif

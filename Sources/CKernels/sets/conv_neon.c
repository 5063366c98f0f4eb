#include "../conv_private.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#define DCN_LANES 4
#define DCN_CONV_TABLE conv_table_neon

#include "conv_family.inc"

#endif

#include "../conv_private.h"

#define DCN_LANES 4
#define DCN_CONV_TABLE conv_table_baseline

#include "conv_family.inc"

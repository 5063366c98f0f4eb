// What all files of the convolution family share and callers never see; each room has a header of its own besides.
#ifndef CONV_PRIVATE_H
#define CONV_PRIVATE_H

#include "include/dcn_conv.h"
#include <math.h>
#include <string.h>

#define CONV_INLINE static inline __attribute__((always_inline, unused))
#define CONV_FUNCTION static __attribute__((unused))

/// Columns of a panel of packed weights, but for the last, which is as wide as what is left, rounded up to 16.
enum { CONV_PANEL = 64 };
/// Row pointers readable past the last: the most rows of a micro-kernel.
enum { CONV_SPARE_ROWS = 16 };
/// Pixels of one tile of a layout change.
enum { RELAYOUT_PIXELS = 256 };

/// A bias that is not there.
extern const float conv_zeros[CONV_PANEL];

CONV_INLINE ptrdiff_t conv_least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
CONV_INLINE ptrdiff_t conv_most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
CONV_INLINE ptrdiff_t conv_pieces(ptrdiff_t whole, ptrdiff_t piece) { return (whole + piece - 1) / piece; }
CONV_INLINE ptrdiff_t conv_volume(dcn_extent e) { return e.depth * e.height * e.width; }

/// Columns stored for the panel that starts at column `first` of `columns`.
CONV_INLINE ptrdiff_t conv_panel_width(ptrdiff_t columns, ptrdiff_t first) {
    return conv_least(CONV_PANEL, dcn_padded(columns - first));
}

extern const dcn_conv_table conv_table_baseline, conv_table_avx2, conv_table_avx512,
    conv_table_amx, conv_table_neon;

#endif

// What the files of deformable convolution share.
#ifndef DEFORMABLE_H
#define DEFORMABLE_H

#include "../convolution/convolution.h"

/// Order of the products of a sampled row.
enum {
    DEFORM_TAP_ORDER,                ///< (tap, channel)
    DEFORM_GROUP_ORDER,              ///< (offset group, tap, channel of the group)
};

/// Rows that fill whole lines of the planes they go to.
enum { DEFORM_LINE_ROWS = 16 };

/// Taps that exist.
CONV_INLINE ptrdiff_t deform_taps(const dcn_deform_shape *s) {
    return s->conv.kernel.height * s->conv.kernel.width - (s->skip_centre ? 1 : 0);
}

/// Row and column of the kernel of tap number `tap`.
CONV_INLINE void deform_tap_position(const dcn_deform_shape *s, ptrdiff_t tap, ptrdiff_t *y, ptrdiff_t *x) {
    const ptrdiff_t rows = s->conv.kernel.height, columns = s->conv.kernel.width;
    const ptrdiff_t fast = s->column_major ? rows : columns;
    const ptrdiff_t centre = s->column_major ? columns / 2 * rows + rows / 2 : rows / 2 * columns + columns / 2;
    if (s->skip_centre && tap >= centre) tap++;
    *y = s->column_major ? tap % fast : tap / fast;
    *x = s->column_major ? tap / fast : tap % fast;
}

/// Whether the kernels can compute the layer; whether every channel has its own output, whether groups have few
/// channels; the order of the products of a sampled row.
int deform_valid(const dcn_deform_shape *shape);
int deform_is_fused(const dcn_deform_shape *shape);
int deform_is_narrow(const dcn_deform_shape *shape);
int deform_order(const dcn_deform_shape *shape);
/// Where the weight of tap number `tap` lies in a kernel as the file has it.
ptrdiff_t deform_tap_index(const dcn_deform_shape *shape, ptrdiff_t tap);

/// Strassen's products of a deformable layer (`deform_strassen.inc`).
int deform_strassen_fits(const dcn_deform_shape *shape, ptrdiff_t levels);
void deform_strassen_pack(const dcn_deform_shape *shape, const float *weights, float *packed);
void deform_strassen_plan(dcn_deform_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted);

#endif

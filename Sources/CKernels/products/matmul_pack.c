#include "products.h"

ptrdiff_t dcn_matmul_packed_count(const dcn_matmul_shape *shape) {
    const ptrdiff_t most = (ptrdiff_t)1 << 40;
    ptrdiff_t count;
    if (shape->inner < 0 || shape->columns < 0 || shape->columns > most) return -1;
    if (__builtin_mul_overflow(dcn_padded(shape->columns), shape->inner, &count) || count > (ptrdiff_t)1 << 56)
        return -1;
    return count;
}

ptrdiff_t dcn_matmul_pack_tiles(const dcn_matmul_shape *shape) { return conv_pieces(shape->columns, CONV_PANEL); }

void dcn_matmul_pack(const dcn_matmul_shape *shape, const float *b, ptrdiff_t tile, float *packed) {
    const ptrdiff_t column = tile * CONV_PANEL, width = conv_panel_width(shape->columns, column);
    const ptrdiff_t valid = conv_least(width, shape->columns - column);
    float *panel = packed + column * shape->inner;
    for (ptrdiff_t k = 0; k < shape->inner; k++, panel += width) {
        const float *row = b + k * shape->b_inner + column * shape->b_column;
        for (ptrdiff_t n = 0; n < valid; n++) panel[n] = row[n * shape->b_column] * shape->scale;
        for (ptrdiff_t n = valid; n < width; n++) panel[n] = 0;
    }
}

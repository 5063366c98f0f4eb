#include "conv_private.h"

ptrdiff_t dcn_gemm_packed_count(const dcn_gemm_shape *shape) {
    const ptrdiff_t most = (ptrdiff_t)1 << 40;
    ptrdiff_t count;
    if (shape->rows < 0 || shape->inner < 0 || shape->columns < 0) return -1;
    if (shape->rows > most || shape->inner > most || shape->columns > most) return -1;
    if (__builtin_mul_overflow(dcn_padded(shape->columns), shape->inner, &count) || count > (ptrdiff_t)1 << 56)
        return -1;
    return count;
}

ptrdiff_t dcn_gemm_pack_tiles(const dcn_gemm_shape *shape) { return conv_pieces(shape->columns, CONV_PANEL); }

void dcn_gemm_pack(const dcn_gemm_shape *shape, const float *b, ptrdiff_t row_stride, ptrdiff_t column_stride,
                   float scale, ptrdiff_t tile, float *packed) {
    const ptrdiff_t column = tile * CONV_PANEL, width = conv_panel_width(shape->columns, column);
    const ptrdiff_t valid = conv_least(width, shape->columns - column);
    float *panel = packed + column * shape->inner;
    for (ptrdiff_t k = 0; k < shape->inner; k++, panel += width) {
        const float *row = b + k * row_stride + column * column_stride;
        for (ptrdiff_t n = 0; n < valid; n++) panel[n] = row[n * column_stride] * scale;
        for (ptrdiff_t n = valid; n < width; n++) panel[n] = 0;
    }
}

int dcn_gemm_make_plan(const dcn_gemm_shape *shape, dcn_caches caches, dcn_isa isa, ptrdiff_t tiles_wanted,
                       dcn_gemm_plan *plan) {
    *plan = (dcn_gemm_plan){.shape = *shape, .packed_count = dcn_gemm_packed_count(shape)};
    if (plan->packed_count < 0) return 0;
    if (shape->rows == 0 || shape->columns == 0) return 1;
    const int thirds = conv_uses_thirds(isa, shape->rows, 1, shape->inner, shape->columns, caches);
    ptrdiff_t taps;
    conv_cut_inner(1, conv_most(1, shape->inner), conv_inner_target(caches, thirds), &taps, &plan->block_inner);
    const conv_product product = {.rows = shape->rows, .panels = conv_pieces(shape->columns, CONV_PANEL),
                                  .inner = plan->block_inner,
                                  .weight_bytes = (double)plan->packed_count * sizeof(float), .thirds = thirds};
    const conv_cut cut = conv_cut_tiles(&product, caches, tiles_wanted);
    plan->block_rows = cut.block_rows;
    plan->row_tiles = cut.row_tiles;
    plan->panels_per_tile = cut.panels_per_tile;
    plan->panel_tiles = cut.panel_tiles;
    plan->tile_count = plan->row_tiles * plan->panel_tiles;
    if (thirds) plan->thirds_bytes = conv_thirds_bytes(plan->block_rows, 1, plan->block_inner);
    plan->scratch_bytes = conv_pointer_bytes(1, plan->block_rows, 0) + plan->thirds_bytes;
    return 1;
}

ptrdiff_t dcn_relayout_tiles(const dcn_relayout *job) {
    return job->batch * conv_pieces(job->pixels, RELAYOUT_PIXELS);
}

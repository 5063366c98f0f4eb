#include "convolution.h"

int patch_fits(const dcn_conv_shape *s) {
    return !s->transposed && s->groups == 1 && s->channels <= 16 && s->channels * conv_volume(s->kernel) <= 4096;
}

ptrdiff_t patch_stride(ptrdiff_t inner) { return dcn_padded(inner) + 16; }

void patch_make_plan(dcn_conv_plan *plan, dcn_caches caches, dcn_isa isa, ptrdiff_t tiles_wanted) {
    const dcn_conv_shape *s = &plan->shape;
    const ptrdiff_t word = (ptrdiff_t)sizeof(float), runs = dcn_padded(conv_volume(s->kernel));
    const ptrdiff_t stride = patch_stride(s->channels * conv_volume(s->kernel));
    const ptrdiff_t rows = s->batch * conv_volume(s->output), inner = s->channels * conv_volume(s->kernel);
    const int thirds = conv_uses_thirds(isa, rows, 1, inner, s->outputs, caches);
    const conv_product product = {.rows = rows, .panels = conv_pieces(s->outputs, CONV_PANEL), .inner = stride,
                                  .thirds = thirds};
    const conv_cut cut = conv_cut_tiles(&product, caches, tiles_wanted);
    plan->block_rows = cut.block_rows;
    plan->row_tiles = cut.row_tiles;
    plan->panels_per_tile = cut.panels_per_tile;
    plan->panel_tiles = cut.panel_tiles;
    plan->tile_count = plan->row_tiles * plan->panel_tiles;
    if (thirds) plan->thirds_bytes = conv_thirds_bytes(plan->block_rows, 1, inner);
    const ptrdiff_t run_bytes = runs * (ptrdiff_t)(sizeof(float *) + sizeof(ptrdiff_t));
    plan->scratch_bytes = conv_pointer_bytes(1, plan->block_rows, 0) + run_bytes +
                          (dcn_padded(stride * plan->block_rows) + 16) * word + plan->thirds_bytes;
}

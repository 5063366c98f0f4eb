#include "products.h"

// How much work a tile should have at least, in multiply-adds, where tiles copy or walk B.
enum { MATMUL_TILE_WORK = 1 << 17 };

static int matmul_valid(const dcn_matmul_shape *s) {
    const ptrdiff_t most = (ptrdiff_t)1 << 40;
    ptrdiff_t product;
    if (s->rows < 0 || s->inner < 0 || s->columns < 0) return 0;
    if (s->rows > most || s->inner > most || s->columns > most) return 0;
    return !__builtin_mul_overflow(s->rows, s->columns, &product) &&
           !__builtin_mul_overflow(s->rows, s->inner, &product) &&
           !__builtin_mul_overflow(dcn_padded(s->columns), s->inner, &product);
}

static int matmul_form(const dcn_matmul_shape *s) {
    if (s->packed) return MATMUL_PACKED;
    if (s->b_inner == 1 && s->a_inner == 1 && (s->rows <= MATMUL_FEW_DOTS || s->columns <= MATMUL_FEW_DOTS))
        return MATMUL_DOTS;
    return s->rows <= MATMUL_FEW_ROWS && s->b_column == 1 && s->scale == 1 ? MATMUL_DIRECT : MATMUL_COPIED;
}

// Tiles that copy panels have all rows, unless there would be too few of them.
static void matmul_cut_copied(dcn_matmul_plan *plan, ptrdiff_t panels, ptrdiff_t tiles_wanted) {
    const dcn_matmul_shape *s = &plan->shape;
    const double work = (double)s->rows * (double)conv_most(1, s->inner) * CONV_PANEL;
    const double least = work < MATMUL_TILE_WORK ? MATMUL_TILE_WORK / work : 1;
    const ptrdiff_t per_tile = conv_most(conv_pieces(panels, conv_most(1, tiles_wanted)),
                                         (ptrdiff_t)(least < (double)panels ? least : (double)panels));
    plan->panels_per_tile = conv_most(1, per_tile);
    plan->panel_tiles = conv_pieces(panels, plan->panels_per_tile);
    ptrdiff_t pieces = 1;
    while (plan->panel_tiles * pieces < tiles_wanted && s->rows / (2 * pieces) >= 96) pieces *= 2;
    plan->tile_rows = conv_equal_block(s->rows, conv_pieces(s->rows, pieces), 12);
    plan->row_tiles = conv_pieces(s->rows, plan->tile_rows);
    plan->block_rows = conv_least(plan->block_rows, plan->tile_rows);
}

int dcn_matmul_make_plan(const dcn_matmul_shape *shape, dcn_caches caches, ptrdiff_t tiles_wanted,
                         dcn_matmul_plan *plan) {
    *plan = (dcn_matmul_plan){.shape = *shape, .form = matmul_form(shape)};
    if (!matmul_valid(shape)) return 0;
    if (shape->rows == 0 || shape->columns == 0) return 1;
    ptrdiff_t taps;
    conv_cut_inner(1, conv_most(1, shape->inner), conv_inner_target(caches, 0), &taps, &plan->block_inner);
    const ptrdiff_t panels = conv_pieces(shape->columns, CONV_PANEL);
    const double bytes = (double)dcn_padded(shape->columns) * (double)shape->inner * sizeof(float);
    const conv_product product = {.rows = shape->rows, .panels = panels, .inner = plan->block_inner,
                                  .weight_bytes = bytes};
    const conv_cut cut = conv_cut_tiles(&product, caches, plan->form == MATMUL_PACKED ? tiles_wanted : 1);
    plan->block_rows = plan->tile_rows = cut.block_rows;
    plan->row_tiles = cut.row_tiles;
    plan->panels_per_tile = cut.panels_per_tile;
    plan->panel_tiles = cut.panel_tiles;
    if (plan->form != MATMUL_PACKED) matmul_cut_copied(plan, panels, tiles_wanted);
    plan->tile_count = plan->row_tiles * plan->panel_tiles;
    plan->scratch_bytes = conv_pointer_bytes(1, plan->block_rows, 0) +
                          (matmul_panel_floats(plan) + matmul_rows_floats(plan) + matmul_addend_floats(plan)) *
                              (ptrdiff_t)sizeof(float);
    return 1;
}

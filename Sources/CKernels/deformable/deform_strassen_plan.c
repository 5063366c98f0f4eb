#include "deformable.h"

/// Numbers of a piece of a row that are summed between two visits of the sums, fewer where weights of one level pass through
/// the cache that V is in; scratch of a tile, at most, and V and M of it.
enum { DEFORM_STRASSEN_BLOCK = 576, DEFORM_STRASSEN_SMALL_BLOCK = 320,
       DEFORM_SCRATCH_MOST = 4 << 20, DEFORM_STRASSEN_MOST = 15 << 18 };

int deform_strassen_fits(const dcn_deform_shape *s, ptrdiff_t levels) {
    return s->conv.groups == 1 && !deform_is_fused(s) && deform_order(s) == DEFORM_TAP_ORDER &&
           strassen_fits(levels, s->conv.channels, s->conv.outputs);
}

/// The weights of one panel of columns, for all products.
static void deform_strassen_panel(const dcn_deform_shape *s, const float *weights, ptrdiff_t column, float *packed) {
    const ptrdiff_t channels = s->conv.channels, taps = deform_taps(s), piece = channels >> s->levels;
    const ptrdiff_t columns = s->conv.outputs >> s->levels, width = conv_panel_width(columns, column);
    const ptrdiff_t pieces = (ptrdiff_t)1 << s->levels, inner = taps * piece;
    const ptrdiff_t products = strassen_packed_count(s->levels, pieces, pieces);
    double b[4][4] = {{0}}, sums[STRASSEN_PRODUCTS_MOST];
    for (ptrdiff_t k = 0; k < inner; k++) {
        const ptrdiff_t tap = deform_tap_index(s, k / piece);
        for (ptrdiff_t o = 0; o < width; o++) {
            for (ptrdiff_t i = 0; i < pieces; i++)
                for (ptrdiff_t j = 0; j < pieces; j++) {
                    const ptrdiff_t output = j * columns + column + o, channel = i * piece + k % piece;
                    b[i][j] = (double)weights[(output * channels + channel) * taps + tap];
                }
            strassen_weights(s->levels, b, sums);
            for (ptrdiff_t p = 0; p < products; p++) packed[(p * inner + k) * width + o] = (float)sums[p];
        }
    }
}

void deform_strassen_pack(const dcn_deform_shape *s, const float *weights, float *packed) {
    const ptrdiff_t columns = s->conv.outputs >> s->levels, inner = s->conv.channels * deform_taps(s);
    const ptrdiff_t of_column = strassen_packed_count(s->levels, inner, s->conv.outputs) / columns;
    for (ptrdiff_t column = 0; column < columns; column += CONV_PANEL)
        deform_strassen_panel(s, weights, column, packed + column * of_column);
}

void deform_strassen_plan(dcn_deform_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted) {
    const dcn_deform_shape *s = &plan->shape;
    const dcn_conv_shape *c = &s->conv;
    const ptrdiff_t taps = deform_taps(s), word = (ptrdiff_t)sizeof(float);
    const ptrdiff_t pixels = c->output.height * c->output.width, pieces = (ptrdiff_t)1 << s->levels;
    plan->block_channels = c->channels;
    const int passing = s->levels == 1 && conv_reading((double)(plan->packed_count * word), caches) > 0;
    const ptrdiff_t numbers = passing ? DEFORM_STRASSEN_SMALL_BLOCK : DEFORM_STRASSEN_BLOCK;
    plan->block_taps = conv_equal_piece(taps, numbers * pieces / c->channels);
    plan->pixel_by_pixel = s->offset_groups == 1 || plan->block_taps == taps;
    plan->table_entries = s->offset_groups == 1 ? plan->block_taps : taps * s->offset_groups;
    plan->panel_stride = plan->block_taps * c->channels + 16;
    const ptrdiff_t block = plan->block_taps * c->channels, inner = taps * c->channels;
    // Tiles are few and long: a thread that had one more than others would be waited for.
    const ptrdiff_t workers = conv_workers(conv_pieces(tiles_wanted, c->batch));
    plan->share_rows = conv_pieces(conv_pieces(pixels, workers), DEFORM_LINE_ROWS) * DEFORM_LINE_ROWS;
    plan->sets = strassen_sets(s->levels, conv_least(pixels, plan->share_rows), block, inner, c->outputs, caches,
                               DEFORM_STRASSEN_MOST);
    plan->block_rows = plan->sets * pieces;
    const strassen_cut cut = strassen_make_cut(s->levels, plan->sets, block, inner, c->outputs);
    plan->panel_bytes = (dcn_padded(pieces * plan->panel_stride) + cut.v_floats + cut.m_floats) * word;
}

/// Whether a tile stays within the scratch that any deformable layer may take.
static int deform_strassen_is_small(dcn_deform_shape s, int32_t levels, dcn_caches caches) {
    dcn_deform_plan plan;
    s.levels = levels;
    s.row_major = 1;
    return dcn_deform_make_plan(&s, caches, DCN_ISA_BASELINE, 0, &plan) && plan.scratch_bytes < DEFORM_SCRATCH_MOST;
}

int32_t dcn_deform_choose(const dcn_deform_shape *s, dcn_caches caches, dcn_accuracy accuracy) {
    if (accuracy == DCN_ACCURACY_EXACT) return 0;
    const dcn_conv_shape *c = &s->conv;
    const double rows = (double)c->batch * (double)c->output.height * (double)c->output.width;
    const ptrdiff_t inner = c->channels * deform_taps(s);
    int32_t best = 0;
    double least = strassen_cost(0, rows, inner, c->outputs);
    for (int32_t levels = 1; levels <= STRASSEN_LEVELS_MOST; levels++) {
        if (!deform_strassen_fits(s, levels) || !deform_strassen_is_small(*s, levels, caches)) continue;
        const double cost = strassen_cost(levels, rows, inner, c->outputs);
        if (cost >= least) continue;
        least = cost;
        best = levels;
    }
    return best;
}

#include "convolution.h"

static int conv_extent_valid(dcn_extent e) {
    const ptrdiff_t most = (ptrdiff_t)1 << 31;
    return e.depth > 0 && e.height > 0 && e.width > 0 && e.depth <= most && e.height <= most && e.width <= most;
}

static int conv_pad_valid(dcn_extent e) {
    const ptrdiff_t most = (ptrdiff_t)1 << 31;
    return e.depth >= -most && e.height >= -most && e.width >= -most && e.depth <= most && e.height <= most &&
           e.width <= most;
}

/// a·b·c·d·e for positive factors, or 0 beyond 2⁵⁶.
static ptrdiff_t conv_bounded(ptrdiff_t a, ptrdiff_t b, ptrdiff_t c, ptrdiff_t d, ptrdiff_t e) {
    ptrdiff_t p;
    if (__builtin_mul_overflow(a, b, &p) || __builtin_mul_overflow(p, c, &p) || __builtin_mul_overflow(p, d, &p) ||
        __builtin_mul_overflow(p, e, &p) || p > (ptrdiff_t)1 << 56)
        return 0;
    return p;
}

int conv_shape_valid(const dcn_conv_shape *s) {
    const ptrdiff_t most = (ptrdiff_t)1 << 31;
    if (!conv_extent_valid(s->input) || !conv_extent_valid(s->output) || !conv_extent_valid(s->kernel) ||
        !conv_extent_valid(s->stride) || !conv_extent_valid(s->dilation) || !conv_pad_valid(s->pad))
        return 0;
    if (s->batch < 1 || s->channels < 1 || s->outputs < 1 || s->groups < 1) return 0;
    if (s->batch > most || s->channels > most || s->outputs > most) return 0;
    if (s->channels % s->groups || s->outputs % s->groups) return 0;
    const ptrdiff_t c = dcn_padded(s->channels), o = dcn_padded(s->outputs / s->groups);
    const ptrdiff_t weights = conv_bounded(s->groups, o, c / s->groups + 16, s->kernel.depth,
                                           conv_bounded(s->kernel.height, s->kernel.width, 1, 1, 1));
    return weights && conv_bounded(s->batch, s->input.depth, s->input.height, s->input.width, c) &&
           conv_bounded(s->batch, s->output.depth, s->output.height, s->output.width, dcn_padded(s->outputs));
}

static void conv_plan_direct(dcn_conv_plan *plan, dcn_caches caches, dcn_isa isa, ptrdiff_t tiles_wanted) {
    const dcn_conv_shape *s = &plan->shape;
    const ptrdiff_t channels = s->channels / s->groups, columns = s->outputs / s->groups;
    const ptrdiff_t phases = conv_phases(s), panels = s->groups * conv_pieces(columns, CONV_PANEL);
    const ptrdiff_t taps = conv_volume(s->kernel);
    ptrdiff_t rows = s->batch * conv_volume(s->output);
    if (s->transposed)
        rows = s->batch * conv_pieces(s->output.depth, s->stride.depth) *
               conv_pieces(s->output.height, s->stride.height) * conv_pieces(s->output.width, s->stride.width);
    // One tap fetches its rows from afar for a single use: splitting them then costs what tiles save.
    const int thirds = taps > 1 && conv_uses_thirds(isa, rows, taps, channels, columns, caches);
    conv_cut_inner(taps, channels, conv_inner_target(caches, thirds), &plan->block_taps, &plan->block_channels);
    const conv_product product = {.rows = rows, .panels = panels, .inner = plan->block_taps * plan->block_channels,
                                  .weight_bytes = (double)plan->packed_count * sizeof(float), .thirds = thirds};
    const conv_cut cut = conv_cut_tiles(&product, caches, conv_pieces(tiles_wanted, phases));
    plan->block_rows = cut.block_rows;
    plan->row_tiles = cut.row_tiles * phases;
    plan->panels_per_tile = cut.panels_per_tile;
    plan->panel_tiles = cut.panel_tiles;
    plan->tile_count = plan->row_tiles * plan->panel_tiles;
    if (thirds) plan->thirds_bytes = conv_thirds_bytes(plan->block_rows, plan->block_taps, plan->block_channels);
    plan->scratch_bytes = conv_pointer_bytes(plan->block_taps, plan->block_rows, s->channels) + plan->thirds_bytes;
}

int dcn_conv_make_plan(dcn_conv_form form, const dcn_conv_shape *shape, dcn_caches caches, dcn_isa isa,
                       ptrdiff_t tiles_wanted, dcn_conv_plan *plan) {
    *plan = (dcn_conv_plan){.form = form, .shape = *shape, .packed_count = dcn_conv_packed_count(form, shape)};
    if (plan->packed_count < 0) return 0;
    if (conv_is_winograd(form)) winograd_make_plan(plan, caches, tiles_wanted);
    else if (form == DCN_CONV_ROWS) patch_make_plan(plan, caches, isa, tiles_wanted);
    else if (form == DCN_CONV_PLANES || form == DCN_CONV_PLANES_OUT) planes_make_plan(plan, caches, tiles_wanted);
    else if (form == DCN_CONV_DEPTHWISE_PLANES) depthwise_planes_make_plan(plan, caches, tiles_wanted);
    else if (form == DCN_CONV_NARROW) narrow_make_plan(plan, caches, tiles_wanted);
    else conv_plan_direct(plan, caches, isa, tiles_wanted);
    return 1;
}

int dcn_conv_stores_once(const dcn_conv_plan *plan) {
    const dcn_conv_shape *s = &plan->shape;
    if (conv_is_winograd(plan->form)) return plan->form != DCN_CONV_WINOGRAD_PLANES_OUT;
    return plan->form == DCN_CONV_DIRECT && plan->block_taps >= conv_volume(s->kernel) &&
           plan->block_channels >= s->channels / s->groups;
}

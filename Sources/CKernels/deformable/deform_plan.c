#include "deformable.h"

/// Bytes the table of one tile may take, and the sampled rows, so that both stay in a second-level cache or near.
enum { DEFORM_TABLE_MOST = 1 << 20, DEFORM_PANEL_MOST = 1 << 20, DEFORM_FIELD_MOST = 1 << 20,
       DEFORM_STAGE_MOST = 1 << 19 };
/// Rows that are whole lines and whole kernels of 12 or 24 rows; the fewest that groups of few channels are planned for.
enum { DEFORM_KERNEL_ROWS = 48, DEFORM_NARROW_ROWS = 16 };

int deform_valid(const dcn_deform_shape *s) {
    const dcn_conv_shape *c = &s->conv;
    if (!conv_shape_valid(c) || c->transposed) return 0;
    if (c->input.depth != 1 || c->output.depth != 1 || c->kernel.depth != 1) return 0;
    if (s->offset_groups < 1 || c->channels % s->offset_groups) return 0;
    if (s->ones && (c->groups != c->channels || c->outputs != c->channels)) return 0;
    if (deform_taps(s) < 1 || (s->border != DCN_BORDER_ZERO && s->border != DCN_BORDER_CLAMP)) return 0;
    // Positions are told apart in float32, corners numbered in 32 bits.
    if (c->input.height > 1 << 22 || c->input.width > 1 << 22 || c->channels > 1 << 24) return 0;
    if (c->kernel.height > 1 << 12 || c->kernel.width > 1 << 12) return 0;
    if ((double)c->input.height * (double)c->input.width * (double)dcn_padded(c->channels) >= 2147483648.0) return 0;
    return (double)c->kernel.height * (double)c->kernel.width * (double)s->offset_groups < (double)(1 << 24);
}

int deform_is_fused(const dcn_deform_shape *s) {
    return s->ones || (s->conv.groups == s->conv.channels && s->conv.outputs == s->conv.channels);
}

int deform_is_narrow(const dcn_deform_shape *s) { return !deform_is_fused(s) && narrow_fits(&s->conv); }

int deform_order(const dcn_deform_shape *s) {
    const ptrdiff_t width = s->conv.channels / s->offset_groups;
    return s->conv.groups == 1 && (width == 4 || width == 8) ? DEFORM_GROUP_ORDER : DEFORM_TAP_ORDER;
}

/// Bytes of the samples of groups of few channels, which are read once, soon after they were written.
static ptrdiff_t deform_narrow_most(dcn_caches caches) { return conv_least(DEFORM_PANEL_MOST, caches.level2 / 4); }

/// Blocks of products, and what is tabled at a time.
static void deform_plan_blocks(dcn_deform_plan *plan, dcn_caches caches, int thirds) {
    const dcn_deform_shape *s = &plan->shape;
    const ptrdiff_t taps = deform_taps(s), entries = taps * s->offset_groups, channels = s->conv.channels;
    const ptrdiff_t target = conv_inner_target(caches, thirds);
    plan->table_entries = entries;
    plan->block_channels = channels;
    if (plan->fused) {
        plan->block_taps = 1;
    } else if (plan->order == DEFORM_GROUP_ORDER) {
        const ptrdiff_t width = channels / s->offset_groups;
        conv_cut_inner(entries, width, target, &plan->block_taps, &plan->block_channels);
        plan->block_channels = channels;
        plan->table_entries = plan->block_taps;
    } else if (plan->narrow) {
        const ptrdiff_t tap_bytes = DEFORM_NARROW_ROWS * channels * (ptrdiff_t)sizeof(float);
        plan->block_taps = conv_equal_piece(taps, deform_narrow_most(caches) / tap_bytes);
    } else if (s->conv.groups > 1) {
        plan->block_taps = conv_most(1, conv_least(taps, target / channels));
    } else {
        conv_cut_inner(taps, channels, target, &plan->block_taps, &plan->block_channels);
        if (s->offset_groups == 1) plan->table_entries = plan->block_taps;
    }
}

static ptrdiff_t deform_fit(ptrdiff_t rows, ptrdiff_t row_bytes, ptrdiff_t most) {
    return conv_most(1, conv_least(rows, most / row_bytes));
}

static ptrdiff_t deform_whole_lines(ptrdiff_t rows) {
    const ptrdiff_t step = rows > DEFORM_KERNEL_ROWS ? DEFORM_KERNEL_ROWS : DEFORM_LINE_ROWS;
    return rows > step ? rows / step * step : rows;
}

/// Whether the sampled rows are split before they are multiplied. The channels of one of several groups are not cut into
/// blocks, so the thirds of many would not fit.
static int deform_uses_thirds(const dcn_deform_plan *plan, dcn_caches caches, dcn_isa isa) {
    const dcn_conv_shape *c = &plan->shape.conv;
    if (plan->fused || plan->narrow) return 0;
    if (c->groups > 1 && c->channels / c->groups > 4 * THIRDS_BLOCK) return 0;
    return conv_uses_thirds(isa, c->output.height * c->output.width, deform_taps(&plan->shape),
                            c->channels / c->groups, c->outputs / c->groups, caches);
}

/// Bytes that a pixel takes: of tables, of offsets and masks, of finished rows that wait.
typedef struct {
    ptrdiff_t table, field, stage;
} deform_row;

static deform_row deform_row_bytes(const dcn_deform_plan *plan) {
    const dcn_deform_shape *s = &plan->shape;
    const ptrdiff_t entries = deform_taps(s) * s->offset_groups, word = (ptrdiff_t)sizeof(float);
    return (deform_row){8 * dcn_padded(plan->table_entries) * word, (dcn_padded(2 * entries) + dcn_padded(entries)) * word,
                        s->row_major ? dcn_padded(s->conv.outputs) * word : 0};
}

/// The tiles, and the scratch of one, of blocks that are decided.
static void deform_plan_tiles(dcn_deform_plan *plan) {
    const dcn_deform_shape *s = &plan->shape;
    const dcn_conv_shape *c = &s->conv;
    const ptrdiff_t rows = plan->block_rows, entries = deform_taps(s) * s->offset_groups;
    const deform_row row = deform_row_bytes(plan);
    const ptrdiff_t pixels = c->output.height * c->output.width;
    if (plan->share_rows == 0) plan->share_rows = pixels;
    plan->share_tiles = conv_pieces(plan->share_rows, rows);
    plan->row_tiles = c->batch * conv_pieces(pixels, plan->share_rows) * plan->share_tiles;
    plan->tile_count = plan->row_tiles;
    plan->table_bytes = (plan->pixel_by_pixel ? 2 : rows) * row.table;
    plan->field_bytes = (rows + 16) * row.field;
    plan->stage_bytes = rows * row.stage;
    plan->scratch_bytes = conv_pointer_bytes(plan->block_taps, rows, c->channels) + plan->panel_bytes +
                          plan->table_bytes + plan->field_bytes + plan->stage_bytes +
                          3 * dcn_padded(entries) * (ptrdiff_t)sizeof(float) + plan->thirds_bytes;
}

/// Rows of a tile: what fits the caches, cut until there are as many tiles as are wanted; where each tile waits for its
/// weights, those that are done soonest.
static ptrdiff_t deform_plan_rows(const dcn_deform_plan *plan, const conv_product *product, dcn_caches caches,
                                  ptrdiff_t wanted) {
    const ptrdiff_t word = (ptrdiff_t)sizeof(float);
    const ptrdiff_t reading = product->thirds ? 0 : conv_reading(product->weight_bytes, caches);
    const deform_row row = deform_row_bytes(plan);
    const ptrdiff_t panel_most = plan->narrow ? deform_narrow_most(caches) : DEFORM_PANEL_MOST;
    const conv_cut cut = conv_cut_tiles(product, caches, reading ? 1 : wanted);
    ptrdiff_t most = deform_fit(cut.block_rows, conv_most(1, plan->panel_stride * word), panel_most);
    most = deform_fit(most, row.field, DEFORM_FIELD_MOST);
    if (row.stage) most = deform_fit(most, row.stage, DEFORM_STAGE_MOST);
    if (!plan->pixel_by_pixel) most = deform_fit(most, row.table, DEFORM_TABLE_MOST);
    const int lines = plan->shape.row_major;
    ptrdiff_t best = lines ? deform_whole_lines(most) : most;
    if (!reading) return best;
    ptrdiff_t least = conv_span(product->rows, best, conv_workers(wanted), reading);
    for (ptrdiff_t rows = DEFORM_KERNEL_ROWS / 4; rows < most; rows += DEFORM_KERNEL_ROWS / 4) {
        const ptrdiff_t whole = lines ? deform_whole_lines(rows) : rows;
        const ptrdiff_t span = conv_span(product->rows, whole, conv_workers(wanted), reading);
        if (span >= least) continue;
        least = span;
        best = whole;
    }
    return best;
}

int dcn_deform_make_plan(const dcn_deform_shape *s, dcn_caches caches, dcn_isa isa, ptrdiff_t tiles_wanted,
                         dcn_deform_plan *plan) {
    *plan = (dcn_deform_plan){.shape = *s, .packed_count = dcn_deform_packed_count(s)};
    if (plan->packed_count < 0) return 0;
    const dcn_conv_shape *c = &s->conv;
    const ptrdiff_t taps = deform_taps(s), entries = taps * s->offset_groups, word = (ptrdiff_t)sizeof(float);
    plan->fused = deform_is_fused(s);
    plan->narrow = deform_is_narrow(s);
    plan->order = deform_order(s);
    if (s->levels) {
        deform_strassen_plan(plan, caches, tiles_wanted);
        deform_plan_tiles(plan);
        return 1;
    }
    const int thirds = deform_uses_thirds(plan, caches, isa);
    deform_plan_blocks(plan, caches, thirds);
    const int grouped = plan->order == DEFORM_GROUP_ORDER;
    const ptrdiff_t per_tap = grouped ? c->channels / s->offset_groups : plan->block_channels;
    plan->panel_stride = plan->fused ? 0 : dcn_padded(plan->block_taps * per_tap) + 16;

    const ptrdiff_t pixels = c->output.height * c->output.width, inner = conv_most(1, plan->panel_stride - 16);
    const conv_product product = {.rows = pixels, .panels = 1, .inner = inner,
                                  .weight_bytes = (double)plan->packed_count * word, .thirds = thirds};
    // No block samples what another has tabled.
    const int own = plan->block_taps >= (grouped ? entries : taps) || plan->table_entries == plan->block_taps;
    plan->pixel_by_pixel = plan->fused || (own && plan->block_channels >= c->channels);
    const ptrdiff_t rows = deform_plan_rows(plan, &product, caches, conv_pieces(tiles_wanted, c->batch));
    plan->block_rows = rows;
    plan->panel_bytes = dcn_padded(plan->panel_stride * rows + 16) * word;
    if (thirds) {
        const ptrdiff_t steps = c->groups == 1 ? 1 : plan->block_taps;
        plan->thirds_bytes = conv_thirds_bytes(rows, steps, c->groups == 1 ? inner : c->channels / c->groups);
    }
    deform_plan_tiles(plan);
    return 1;
}

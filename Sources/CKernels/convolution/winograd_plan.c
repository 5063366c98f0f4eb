#include "convolution.h"

/// Whether the pixels of one phase are a pair at most, and nothing around it is inside the image.
static int winograd_are_pairs(ptrdiff_t input, ptrdiff_t output, ptrdiff_t dilation, ptrdiff_t pad) {
    return input == output && pad == dilation && input <= 2 * dilation;
}

/// Whether an axis has the kernel, and the form its stride.
static int winograd_fits_axis(dcn_conv_form form, ptrdiff_t kernel, ptrdiff_t stride, ptrdiff_t dilation) {
    if (winograd_reads_planes(form)) return (kernel == 7 || kernel == 8) && stride == 2 && dilation == 1;
    if (form == DCN_CONV_WINOGRAD_4_STRIDED) return kernel == 3 && stride == 2 && dilation == 1;
    return kernel == 3 && stride == 1;
}

int winograd_fits(dcn_conv_form form, const dcn_conv_shape *s) {
    if (winograd_reads_planes(form) && s->channels > 4) return 0;
    if (form == DCN_CONV_WINOGRAD_PAIRS &&
        !(winograd_are_pairs(s->input.height, s->output.height, s->dilation.height, s->pad.height) &&
          winograd_are_pairs(s->input.width, s->output.width, s->dilation.width, s->pad.width)))
        return 0;
    return !s->transposed && s->groups == 1 && s->input.depth == 1 && s->output.depth == 1 && s->kernel.depth == 1 &&
           s->pad.depth == 0 && winograd_fits_axis(form, s->kernel.height, s->stride.height, s->dilation.height) &&
           winograd_fits_axis(form, s->kernel.width, s->stride.width, s->dilation.width);
}

ptrdiff_t winograd_channels(dcn_conv_form form, const dcn_conv_shape *s) {
    return winograd_reads_planes(form) ? 4 * s->channels : s->channels;
}

ptrdiff_t winograd_stride(ptrdiff_t channels) { return channels <= 16 ? 16 : dcn_padded(channels) + 16; }

ptrdiff_t dcn_conv_edge(dcn_conv_form form) { return conv_is_winograd(form) ? winograd_parts_of(form).edge : 1; }

winograd_grid winograd_make_grid(dcn_conv_form form, const dcn_conv_shape *s) {
    const winograd_parts parts = winograd_parts_of(form);
    winograd_grid g = {.edge = parts.edge, .side = parts.side, .sets = parts.sets};
    g.phases_high = conv_least(s->dilation.height, s->output.height);
    g.phases_wide = conv_least(s->dilation.width, s->output.width);
    g.tiles_high = conv_pieces(conv_pieces(s->output.height, s->dilation.height), g.edge);
    g.tiles_wide = conv_pieces(conv_pieces(s->output.width, s->dilation.width), g.edge);
    g.tiles = s->batch * g.phases_high * g.phases_wide * g.tiles_high * g.tiles_wide;
    return g;
}

/// Tiles of a block. Weights that stay in the second-level cache leave it half of what they do not take, for inputs and
/// sums. Larger ones are read once per block. Where they are a small part of the third level that is easy, and inputs
/// stay in the second; else tiles are enough that reading costs little beside the products, and few enough that inputs
/// stay in an eighth of the third level, or in half the second.
static ptrdiff_t winograd_block(dcn_conv_form form, const dcn_conv_shape *s, dcn_caches caches) {
    const winograd_grid g = winograd_make_grid(form, s);
    const ptrdiff_t word = sizeof(float), positions = g.side * g.side;
    const ptrdiff_t inputs = word * positions * winograd_stride(s->channels), sums = word * positions * CONV_PANEL;
    const ptrdiff_t weights = word * g.sets * g.sets * s->channels * dcn_padded(s->outputs);
    ptrdiff_t tiles = conv_most(caches.level2 / 2, caches.level3 / 8) / inputs;
    if (weights <= caches.level3 / 16) tiles = caches.level2 / inputs;
    if (weights <= caches.level2 / 2) tiles = (caches.level2 - weights) / 2 / (inputs + sums);
    return conv_least(WINOGRAD_BLOCK_MOST, conv_most(24, tiles / 12 * 12));
}

/// What it costs, in multiply-adds, to bring a weight to the products once more.
static double winograd_reading(double weights, dcn_caches caches) {
    return weights * sizeof(float) > (double)caches.level3 / 2 ? 12 : 2;
}

/// What tiles of work cost, in multiply-adds, of one tile of outputs, and of one panel.
typedef struct {
    double input, foreign, products;   ///< to transform the inputs; more where other threads have made them; to multiply
    double waiting, reading;           ///< that bringing the weights takes at least; on top of the products
} winograd_costs;

static winograd_costs winograd_costs_of(const dcn_conv_plan *plan, const winograd_grid *g, dcn_caches caches) {
    const dcn_conv_shape *s = &plan->shape;
    const ptrdiff_t edges = g->edge * s->stride.height * g->edge * s->stride.width;
    const double positions = (double)(g->side * g->side), channels = (double)s->channels;
    const double all = (double)plan->packed_count, weights = all / (double)conv_pieces(s->outputs, CONV_PANEL);
    return (winograd_costs){.input = 10 * positions * channels, .foreign = CONV_FOREIGN * (double)edges * channels,
                            .products = positions * channels * CONV_PANEL,
                            .waiting = weights * (double)conv_reading(all * sizeof(float), caches),
                            .reading = weights * winograd_reading(all, caches)};
}

/// Cuts the tiles into blocks and the outputs into pieces of whole panels. More blocks read the weights more often, more
/// pieces transform the inputs more often: of all cuts, the one whose workers are done soonest.
static void winograd_cut(dcn_conv_plan *plan, const winograd_grid *g, dcn_caches caches, ptrdiff_t workers) {
    const dcn_conv_shape *s = &plan->shape;
    const winograd_costs costs = winograd_costs_of(plan, g, caches);
    const ptrdiff_t panels = conv_pieces(s->outputs, CONV_PANEL), most = winograd_block(plan->form, s, caches);
    const ptrdiff_t fewest = conv_pieces(g->tiles, most), enough = conv_most(fewest, 4 * workers);
    double least = INFINITY;
    for (ptrdiff_t wide = 1; wide <= conv_least(panels, 8 * workers); wide++)
        for (ptrdiff_t high = fewest; high <= enough; high++) {
            const ptrdiff_t block = conv_equal_block(g->tiles, conv_pieces(g->tiles, high), 6);
            const ptrdiff_t blocks = conv_pieces(g->tiles, block), per_tile = conv_pieces(panels, wide);
            const double input = costs.input + (per_tile < panels ? costs.foreign : 0), width = (double)per_tile;
            const double work = (double)block * (input + width * costs.products);
            const double tile = fmax(work, width * costs.waiting) + width * costs.reading;
            const double cost = conv_turns(blocks * conv_pieces(panels, per_tile), workers) * tile;
            if (cost >= least) continue;
            least = cost;
            plan->block_rows = block;
            plan->row_tiles = blocks;
            plan->panels_per_tile = per_tile;
            plan->panel_tiles = conv_pieces(panels, per_tile);
        }
}

/// Blocks of planes are parts of a row of tiles, whose pixels are laid side by side before (`winograd_planes.inc`).
static void winograd_cut_planes(dcn_conv_plan *plan, const winograd_grid *g, dcn_caches caches) {
    const ptrdiff_t stage = plan->form == DCN_CONV_WINOGRAD_PLANES_OUT ? winograd_stage_floats(g, 1) : 0;
    const ptrdiff_t each = (g->side * g->side + g->side * g->edge) * WINOGRAD_PIXEL + stage;
    const ptrdiff_t step = WINOGRAD_PLANES_ROWS, room = caches.level2 / 2 / (each * (ptrdiff_t)sizeof(float)) / step * step;
    const ptrdiff_t most = conv_most(2 * step, conv_least(WINOGRAD_PLANES_BLOCK, room));
    plan->block_rows = conv_equal_block(g->tiles_wide, most, step);
    plan->row_tiles = g->tiles / g->tiles_wide * conv_pieces(g->tiles_wide, plan->block_rows);
    plan->panels_per_tile = conv_pieces(plan->shape.outputs, CONV_PANEL);
    plan->panel_tiles = 1;
}

void winograd_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted) {
    const dcn_conv_shape *s = &plan->shape;
    const winograd_grid g = winograd_make_grid(plan->form, s);
    const ptrdiff_t positions = g.side * g.side, channels = winograd_channels(plan->form, s);
    if (winograd_reads_planes(plan->form)) winograd_cut_planes(plan, &g, caches);
    else winograd_cut(plan, &g, caches, conv_workers(tiles_wanted));
    plan->tile_count = plan->row_tiles * plan->panel_tiles;
    const ptrdiff_t tiles = plan->block_rows, rows = winograd_rows(plan->form, tiles);
    const int planes = winograd_reads_planes(plan->form);
    const ptrdiff_t pixels = planes ? winograd_strip_floats(&g, tiles) : dcn_padded(channels);
    const ptrdiff_t stage = plan->form == DCN_CONV_WINOGRAD_PLANES_OUT ? winograd_stage_floats(&g, tiles) : 0;
    const ptrdiff_t sums =
        positions * (planes ? WINOGRAD_PLANES_ROWS * WINOGRAD_PLANES_COLUMNS_MOST : tiles * CONV_PANEL);
    plan->scratch_bytes =
        (pixels + stage + dcn_padded(positions * rows * winograd_stride(channels) + sums) + CONV_SPARE_ROWS * CONV_PANEL) *
        (ptrdiff_t)sizeof(float);
}

double winograd_cost(dcn_conv_form form, const dcn_conv_shape *s, dcn_caches caches) {
    const winograd_grid g = winograd_make_grid(form, s);
    const double positions = (double)(g.side * g.side), columns = (double)dcn_padded(s->outputs);
    const double channels = (double)winograd_channels(form, s), products = positions * channels * columns;
    const double weights = (double)(g.sets * g.sets) * channels * columns;
    // Sums of few products are written and read as often as those of many, and planes are laid side by side first.
    const double transforms = positions * (winograd_reads_planes(form) ? 270 + 8 * (double)s->outputs
                                                                       : 10 * (channels + (double)s->outputs));
    const double blocks = (double)conv_pieces(g.tiles, winograd_block(form, s, caches));
    return (double)g.tiles * (products * 1.05 + transforms) + blocks * weights * winograd_reading(weights, caches);
}

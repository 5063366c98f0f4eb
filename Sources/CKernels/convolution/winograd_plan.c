#include "convolution.h"

/// Whether the pixels of one phase are a pair at most, and nothing around it is inside the image.
static int winograd_are_pairs(ptrdiff_t input, ptrdiff_t output, ptrdiff_t dilation, ptrdiff_t pad) {
    return input == output && pad == dilation && input <= 2 * dilation;
}

int winograd_fits(dcn_conv_form form, const dcn_conv_shape *s) {
    const ptrdiff_t stride = form == DCN_CONV_WINOGRAD_4_STRIDED ? 2 : 1;
    if (stride == 2 && (s->dilation.height > 1 || s->dilation.width > 1)) return 0;
    if (form == DCN_CONV_WINOGRAD_PAIRS &&
        !(winograd_are_pairs(s->input.height, s->output.height, s->dilation.height, s->pad.height) &&
          winograd_are_pairs(s->input.width, s->output.width, s->dilation.width, s->pad.width)))
        return 0;
    return !s->transposed && s->groups == 1 && s->input.depth == 1 && s->output.depth == 1 && s->kernel.depth == 1 &&
           s->pad.depth == 0 && s->kernel.height == 3 && s->kernel.width == 3 && s->stride.height == stride &&
           s->stride.width == stride;
}

ptrdiff_t winograd_stride(ptrdiff_t channels) { return dcn_padded(channels) + 16; }

/// Transforms of the three weights of a row for each form, one line per position.
static const double winograd_weights_2[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}};
static const double winograd_weights_pairs[3][3] = {{0, 1, 0}, {0, -1, 1}, {1, -1, 0}};
static const double winograd_weights_3[5][3] = {
    {1. / 2, 0, 0}, {-1. / 2, -1. / 2, -1. / 2}, {-1. / 6, 1. / 6, -1. / 6}, {1. / 6, 1. / 3, 2. / 3}, {0, 0, 1}};
static const double winograd_weights_4[6][3] = {
    {1. / 4, 0, 0},         {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6}, {1. / 24, 1. / 12, 1. / 6},
    {1. / 24, -1. / 12, 1. / 6}, {0, 0, 1}};
/// Of the even pixels, which the first and last weight meet, then of the odd ones.
static const double winograd_weights_4_strided[6][3] = {
    {1. / 2, 0, 0}, {-1. / 2, 0, -1. / 2}, {-1. / 6, 0, 1. / 6}, {1. / 6, 0, 1. / 3}, {0, 0, 1}, {0, 1, 0}};
static const double winograd_weights_6[8][3] = {
    {1, 0, 0},
    {-2. / 9, -2. / 9, -2. / 9},
    {-2. / 9, 2. / 9, -2. / 9},
    {1. / 90, 1. / 45, 2. / 45},
    {1. / 90, -1. / 45, 2. / 45},
    {32. / 45, 16. / 45, 8. / 45},
    {32. / 45, -16. / 45, 8. / 45},
    {0, 0, 1}};

/// What a form is made of: outputs of a tile along an axis, inputs it reads, sets of weights, and their transform.
typedef struct {
    ptrdiff_t edge, side, sets;
    const double (*weights)[3];
} winograd_parts;

static winograd_parts winograd_parts_of(dcn_conv_form form) {
    switch (form) {
    case DCN_CONV_WINOGRAD_2: return (winograd_parts){2, 4, 4, winograd_weights_2};
    case DCN_CONV_WINOGRAD_PAIRS: return (winograd_parts){2, 3, 3, winograd_weights_pairs};
    case DCN_CONV_WINOGRAD_3: return (winograd_parts){3, 5, 5, winograd_weights_3};
    case DCN_CONV_WINOGRAD_4: return (winograd_parts){4, 6, 6, winograd_weights_4};
    case DCN_CONV_WINOGRAD_6: return (winograd_parts){6, 8, 8, winograd_weights_6};
    default: return (winograd_parts){4, 9, 6, winograd_weights_4_strided};
    }
}

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

/// One transformed weight: Σ t[i][a]·w[a][b]·t[j][b].
static float winograd_weight(const double t[][3], ptrdiff_t i, ptrdiff_t j, const float *w) {
    double sum = 0;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) sum += t[i][a] * (double)w[a * 3 + b] * t[j][b];
    return (float)sum;
}

void winograd_pack(dcn_conv_form form, const dcn_conv_shape *s, const float *weights, float *packed) {
    const winograd_parts parts = winograd_parts_of(form);
    const ptrdiff_t sets = parts.sets;
    for (ptrdiff_t column = 0; column < s->outputs; column += CONV_PANEL) {
        const ptrdiff_t width = conv_panel_width(s->outputs, column);
        for (ptrdiff_t p = 0; p < sets * sets; p++)
            for (ptrdiff_t c = 0; c < s->channels; c++, packed += width)
                for (ptrdiff_t o = 0; o < width; o++) {
                    const float *w = weights + ((column + o) * s->channels + c) * 9;
                    packed[o] = column + o < s->outputs ? winograd_weight(parts.weights, p / sets, p % sets, w) : 0;
                }
    }
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

void winograd_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted) {
    const dcn_conv_shape *s = &plan->shape;
    const winograd_grid g = winograd_make_grid(plan->form, s);
    const ptrdiff_t positions = g.side * g.side;
    winograd_cut(plan, &g, caches, conv_workers(tiles_wanted));
    plan->tile_count = plan->row_tiles * plan->panel_tiles;
    const ptrdiff_t per_tile = winograd_stride(s->channels) + CONV_PANEL;
    plan->scratch_bytes =
        (dcn_padded(s->channels) + dcn_padded(positions * plan->block_rows * per_tile) + CONV_SPARE_ROWS * CONV_PANEL) *
        (ptrdiff_t)sizeof(float);
}

double winograd_cost(dcn_conv_form form, const dcn_conv_shape *s, dcn_caches caches) {
    const winograd_grid g = winograd_make_grid(form, s);
    const double positions = (double)(g.side * g.side), columns = (double)dcn_padded(s->outputs);
    const double products = positions * (double)s->channels * columns;
    const double weights = (double)(g.sets * g.sets) * (double)s->channels * columns;
    const double transforms = 10 * positions * (double)(s->channels + s->outputs);
    const double blocks = (double)conv_pieces(g.tiles, winograd_block(form, s, caches));
    return (double)g.tiles * (products * 1.05 + transforms) + blocks * weights * winograd_reading(weights, caches);
}

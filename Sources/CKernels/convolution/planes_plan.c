#include "convolution.h"

int planes_fits(const dcn_conv_shape *s) {
    return !s->transposed && s->groups == 1 && s->channels <= 16 && s->dilation.width == 1 &&
           s->channels * conv_volume(s->kernel) <= 4096;
}

int depthwise_planes_fits(const dcn_conv_shape *s) {
    const ptrdiff_t most = 64;
    return narrow_fits(s) && s->groups == s->channels && s->groups == s->outputs && s->kernel.depth == 1 &&
           s->input.depth == 1 && s->output.depth == 1 && s->pad.depth == 0 && s->kernel.height <= most &&
           s->kernel.width <= most && s->dilation.width <= most;
}

void planes_pack(const dcn_conv_shape *s, const float *weights, float *packed) {
    const ptrdiff_t inner = s->channels * conv_volume(s->kernel);
    for (ptrdiff_t column = 0; column < s->outputs; column += CONV_PANEL) {
        const ptrdiff_t width = conv_panel_width(s->outputs, column);
        for (ptrdiff_t k = 0; k < inner; k++, packed += width)
            for (ptrdiff_t o = 0; o < width; o++)
                packed[o] = column + o < s->outputs ? weights[(column + o) * inner + k] : 0;
    }
}

planes_strip planes_make_strip(const dcn_conv_shape *s, ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t columns) {
    const ptrdiff_t reach = (s->kernel.width - 1) * s->dilation.width, step = s->stride.width;
    planes_strip strip = {.planes = planes, .step = step, .phases = conv_least(step, reach + 1), .dense = rows > 1};
    strip.used = columns + reach / step;
    strip.pitch = dcn_padded(strip.used + 64);       // kernels load several vectors at a time
    strip.row_floats = strip.phases * strip.pitch;
    strip.slots = planes_input_rows(s, &strip, rows);
    return strip;
}

static ptrdiff_t planes_strip_bytes(const dcn_conv_shape *s, ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t columns) {
    const planes_strip strip = planes_make_strip(s, planes, rows, columns);
    return strip.planes * strip.slots * strip.row_floats * (ptrdiff_t)sizeof(float);
}

/// The largest strip of at most `bytes`, of whole rows if it can be. Where it has not all of the rows, it has a multiple
/// of `together`.
static void planes_cut(dcn_conv_plan *plan, ptrdiff_t planes, ptrdiff_t bytes, ptrdiff_t most_rows,
                       ptrdiff_t together) {
    const dcn_conv_shape *s = &plan->shape;
    ptrdiff_t columns = conv_least(s->output.width, 1024), rows = 1;
    while (columns > 48 && planes_strip_bytes(s, planes, 1, columns) > bytes) columns = dcn_padded(columns / 2);
    while (rows < most_rows && planes_strip_bytes(s, planes, rows + 1, columns) <= bytes) rows++;
    plan->block_columns = columns;
    const ptrdiff_t even = conv_pieces(most_rows, conv_pieces(most_rows, rows));
    const ptrdiff_t whole = conv_pieces(even, together) * together;
    plan->block_rows = rows == most_rows || rows < together ? even : whole <= rows ? whole : whole - together;
}

void planes_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted) {
    const dcn_conv_shape *s = &plan->shape;
    const ptrdiff_t planes = s->channels * s->kernel.depth, images = s->batch * s->output.depth;
    const ptrdiff_t strips = conv_least(s->output.height, conv_pieces(conv_most(1, tiles_wanted), images));
    planes_cut(plan, planes, caches.level2 / 4, conv_least(32, conv_pieces(s->output.height, strips)), 1);
    plan->tile_count = images * conv_pieces(s->output.height, plan->block_rows) *
                       conv_pieces(s->output.width, plan->block_columns);
    plan->scratch_bytes = dcn_padded(s->channels * conv_volume(s->kernel)) * (ptrdiff_t)sizeof(ptrdiff_t) +
                          planes_strip_bytes(s, planes, plan->block_rows, plan->block_columns);
}

void depthwise_planes_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted) {
    const dcn_conv_shape *s = &plan->shape;
    const double products = 1 << 17;
    const ptrdiff_t planes = s->batch * s->channels;
    planes_cut(plan, 1, conv_least(4 * caches.level1, caches.level2 / 4), conv_least(256, s->output.height),
               PLANES_SQUARE_ROWS);
    const double work = (double)(plan->block_rows * plan->block_columns) * (double)conv_volume(s->kernel);
    const ptrdiff_t fewest = conv_most(1, planes / conv_most(1, tiles_wanted));
    plan->block_channels = conv_most(1, conv_least(fewest, (ptrdiff_t)(products / work)));
    plan->tile_count = conv_pieces(planes, plan->block_channels) *
                       conv_pieces(s->output.height, plan->block_rows) *
                       conv_pieces(s->output.width, plan->block_columns);
    plan->scratch_bytes = dcn_padded(conv_volume(s->kernel)) * (ptrdiff_t)sizeof(ptrdiff_t) +
                          planes_strip_bytes(s, 1, plan->block_rows, plan->block_columns);
}

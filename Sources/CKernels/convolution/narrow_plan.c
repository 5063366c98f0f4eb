#include "convolution.h"

int narrow_fits(const dcn_conv_shape *s) {
    const ptrdiff_t outputs = s->outputs / s->groups, channels = s->channels / s->groups;
    return !s->transposed && s->groups > 1 && 16 % outputs == 0 && channels <= outputs;
}

ptrdiff_t narrow_packed_count(const dcn_conv_shape *s, ptrdiff_t taps) {
    return dcn_padded(s->outputs) * taps * (s->channels / s->groups);
}

void narrow_pack_tap(const dcn_conv_shape *s, const float *weights, ptrdiff_t taps, ptrdiff_t tap, ptrdiff_t index,
                     float *packed) {
    const ptrdiff_t channels = s->channels / s->groups;
    for (ptrdiff_t o = 0; o < dcn_padded(s->outputs); o++)
        for (ptrdiff_t c = 0; c < channels; c++)
            packed[((o / 16 * taps + tap) * channels + c) * 16 + o % 16] =
                o < s->outputs ? weights[(o * channels + c) * taps + index] : 0;
}

int depthwise_fits(const dcn_conv_shape *s) {
    const ptrdiff_t taps = s->kernel.width;
    return s->groups == s->channels && s->groups == s->outputs && (taps == 3 || taps == 5 || taps == 7) &&
           s->dilation.width == 1 && s->stride.width <= 2 &&
           s->kernel.depth <= DEPTHWISE_MOST_ROWS / s->kernel.height &&
           s->stride.height / s->dilation.height <= DEPTHWISE_MOST_ROWS / s->kernel.depth;
}

/// Pairs of rows, then panels, in tiles that take a few microseconds.
static void depthwise_cut_tiles(dcn_conv_plan *plan) {
    const dcn_conv_shape *s = &plan->shape;
    const double products = 1 << 17;
    const ptrdiff_t pixels = s->batch * conv_volume(s->output), width = s->output.width;
    const ptrdiff_t panels = conv_pieces(s->outputs, CONV_PANEL), most = 2048;
    const double work = (double)conv_volume(s->kernel) * (double)dcn_padded(s->outputs);   // of a pixel
    const ptrdiff_t wanted = conv_most(1, (ptrdiff_t)(products / work));
    ptrdiff_t block = conv_most(1, conv_least(most, wanted));
    if (2 * width <= most) block = conv_pieces(block, 2 * width) * 2 * width;
    plan->block_rows = conv_least(block, pixels);
    plan->row_tiles = conv_pieces(pixels, plan->block_rows);
    const double tile_work = work * (double)plan->block_rows;
    const ptrdiff_t pieces = conv_most(1, conv_least(panels, (ptrdiff_t)(tile_work / products)));
    plan->panels_per_tile = conv_pieces(panels, pieces);
    plan->panel_tiles = conv_pieces(panels, plan->panels_per_tile);
}

void narrow_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted) {
    const dcn_conv_shape *s = &plan->shape;
    const ptrdiff_t taps = conv_volume(s->kernel), rows = s->batch * conv_volume(s->output);
    const ptrdiff_t panels = conv_pieces(s->outputs, CONV_PANEL);
    plan->block_taps = conv_least(taps, 128);
    plan->block_channels = s->channels;
    const conv_product product = {.rows = rows, .panels = panels,
                                  .inner = plan->block_taps * conv_least(s->channels, 64)};
    const conv_cut cut = conv_cut_tiles(&product, caches, tiles_wanted);
    plan->block_rows = cut.block_rows;
    plan->row_tiles = cut.row_tiles;
    plan->panels_per_tile = cut.panels_per_tile;
    plan->panel_tiles = cut.panel_tiles;
    if (depthwise_fits(s)) depthwise_cut_tiles(plan);
    plan->tile_count = plan->row_tiles * plan->panel_tiles;
    plan->scratch_bytes = conv_pointer_bytes(plan->block_taps, plan->block_rows, s->channels);
}

#include "conv_private.h"

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

void narrow_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted) {
    const dcn_conv_shape *s = &plan->shape;
    const ptrdiff_t taps = conv_volume(s->kernel), rows = s->batch * conv_volume(s->output);
    const ptrdiff_t panels = conv_pieces(s->outputs, CONV_PANEL);
    plan->block_taps = conv_least(taps, 128);
    plan->block_channels = s->channels;
    const conv_cut cut = conv_cut_tiles(rows, panels, plan->block_taps * conv_least(s->channels, 64), 0, caches,
                                        tiles_wanted);
    plan->block_rows = cut.block_rows;
    plan->row_tiles = cut.row_tiles;
    plan->panels_per_tile = cut.panels_per_tile;
    plan->panel_tiles = cut.panel_tiles;
    plan->tile_count = plan->row_tiles * plan->panel_tiles;
    plan->scratch_bytes = conv_pointer_bytes(plan->block_taps, plan->block_rows, s->channels);
}

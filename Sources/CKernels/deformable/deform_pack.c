#include "deformable.h"

ptrdiff_t dcn_deform_packed_count(const dcn_deform_shape *s) {
    if (!deform_valid(s) || (s->levels && !deform_strassen_fits(s, s->levels))) return -1;
    if (s->ones) return 0;
    if (deform_is_fused(s)) return deform_taps(s) * dcn_padded(s->conv.channels);
    if (deform_is_narrow(s)) return narrow_packed_count(&s->conv, deform_taps(s));
    const ptrdiff_t inner = s->conv.channels / s->conv.groups * deform_taps(s);
    if (s->levels) return strassen_packed_count(s->levels, inner, s->conv.outputs);
    return s->conv.groups * dcn_padded(s->conv.outputs / s->conv.groups) * inner;
}

ptrdiff_t deform_tap_index(const dcn_deform_shape *s, ptrdiff_t tap) {
    const ptrdiff_t rows = s->conv.kernel.height, columns = s->conv.kernel.width;
    ptrdiff_t y, x;
    deform_tap_position(s, tap, &y, &x);
    const ptrdiff_t index = y * columns + x;
    return s->skip_centre && index > rows / 2 * columns + columns / 2 ? index - 1 : index;
}

/// Channel of its group and tap of product number k.
static void deform_product(const dcn_deform_shape *s, ptrdiff_t k, ptrdiff_t *channel, ptrdiff_t *tap) {
    const ptrdiff_t channels = s->conv.channels / s->conv.groups, width = s->conv.channels / s->offset_groups;
    if (deform_order(s) == DEFORM_TAP_ORDER) {
        *tap = k / channels;
        *channel = k % channels;
        return;
    }
    const ptrdiff_t entry = k / width, taps = deform_taps(s);
    *tap = entry % taps;
    *channel = entry / taps * width + k % width;
}

static void deform_pack_panel(const dcn_deform_shape *s, const float *weights, ptrdiff_t group, ptrdiff_t column,
                              float *packed) {
    const ptrdiff_t channels = s->conv.channels / s->conv.groups, outputs = s->conv.outputs / s->conv.groups;
    const ptrdiff_t taps = deform_taps(s), width = conv_panel_width(outputs, column);
    const ptrdiff_t valid = conv_least(width, outputs - column);
    for (ptrdiff_t k = 0; k < channels * taps; k++, packed += width) {
        ptrdiff_t channel, tap;
        deform_product(s, k, &channel, &tap);
        const ptrdiff_t first = (group * outputs + column) * channels + channel, index = deform_tap_index(s, tap);
        for (ptrdiff_t o = 0; o < width; o++)
            packed[o] = o < valid ? weights[(first + o * channels) * taps + index] : 0;
    }
}

ptrdiff_t dcn_deform_pack(const dcn_deform_shape *s, const float *weights, float *packed) {
    const ptrdiff_t count = dcn_deform_packed_count(s);
    if (count <= 0) return count;
    const ptrdiff_t taps = deform_taps(s), outputs = s->conv.outputs / s->conv.groups;
    const ptrdiff_t channels = s->conv.channels, stride = dcn_padded(channels);
    if (deform_is_fused(s)) {
        for (ptrdiff_t t = 0; t < taps; t++)
            for (ptrdiff_t c = 0; c < stride; c++)
                packed[t * stride + c] = c < channels ? weights[c * taps + deform_tap_index(s, t)] : 0;
        return count;
    }
    if (deform_is_narrow(s)) {
        for (ptrdiff_t t = 0; t < taps; t++)
            narrow_pack_tap(&s->conv, weights, taps, t, deform_tap_index(s, t), packed);
        return count;
    }
    if (s->levels) {
        deform_strassen_pack(s, weights, packed);
        return count;
    }
    const ptrdiff_t inner = channels / s->conv.groups * taps;
    for (ptrdiff_t group = 0; group < s->conv.groups; group++)
        for (ptrdiff_t column = 0; column < outputs; column += CONV_PANEL) {
            deform_pack_panel(s, weights, group, column, packed);
            packed += conv_panel_width(outputs, column) * inner;
        }
    return count;
}

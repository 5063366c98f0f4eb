#include "convolution.h"

/// Where one weight lies among those of the file.
static ptrdiff_t conv_weight_index(const dcn_conv_shape *s, ptrdiff_t group, ptrdiff_t o, ptrdiff_t c, ptrdiff_t tap) {
    const ptrdiff_t channels = s->channels / s->groups, outputs = s->outputs / s->groups;
    const ptrdiff_t taps = conv_volume(s->kernel);
    if (s->transposed) return ((group * channels + c) * outputs + o) * taps + tap;
    return ((group * outputs + o) * channels + c) * taps + tap;
}

/// One panel of one class of taps: products in the order (tap, channel), tap numbers counting through the class.
static float *conv_pack_panel(const dcn_conv_shape *s, const float *weights, ptrdiff_t group, ptrdiff_t column,
                              dcn_extent first, dcn_extent period, float *packed) {
    const ptrdiff_t outputs = s->outputs / s->groups, width = conv_panel_width(outputs, column);
    const ptrdiff_t valid = conv_least(width, outputs - column);
    for (ptrdiff_t d = first.depth; d < s->kernel.depth; d += period.depth)
        for (ptrdiff_t h = first.height; h < s->kernel.height; h += period.height)
            for (ptrdiff_t w = first.width; w < s->kernel.width; w += period.width)
                for (ptrdiff_t c = 0; c < s->channels / s->groups; c++, packed += width) {
                    const ptrdiff_t tap = (d * s->kernel.height + h) * s->kernel.width + w;
                    for (ptrdiff_t o = 0; o < width; o++)
                        packed[o] = o < valid ? weights[conv_weight_index(s, group, column + o, c, tap)] : 0;
                }
    return packed;
}

/// Groups, then classes of taps (one where not transposed), then panels.
static void conv_pack_direct(const dcn_conv_shape *s, const float *weights, float *packed) {
    dcn_extent period = {1, 1, 1}, k;
    if (s->transposed)
        period = (dcn_extent){conv_tap_period(s->stride.depth, s->dilation.depth),
                              conv_tap_period(s->stride.height, s->dilation.height),
                              conv_tap_period(s->stride.width, s->dilation.width)};
    for (ptrdiff_t group = 0; group < s->groups; group++)
        for (k.depth = 0; k.depth < conv_least(period.depth, s->kernel.depth); k.depth++)
            for (k.height = 0; k.height < conv_least(period.height, s->kernel.height); k.height++)
                for (k.width = 0; k.width < conv_least(period.width, s->kernel.width); k.width++)
                    for (ptrdiff_t o = 0; o < s->outputs / s->groups; o += CONV_PANEL)
                        packed = conv_pack_panel(s, weights, group, o, k, period, packed);
}

int conv_is_winograd(dcn_conv_form form) {
    return form == DCN_CONV_WINOGRAD_2 || form == DCN_CONV_WINOGRAD_3 || form == DCN_CONV_WINOGRAD_4 ||
           form == DCN_CONV_WINOGRAD_6 || form == DCN_CONV_WINOGRAD_4_STRIDED || form == DCN_CONV_WINOGRAD_PAIRS ||
           winograd_reads_planes(form);
}

int dcn_conv_fits(dcn_conv_form form, const dcn_conv_shape *shape) {
    if (!conv_shape_valid(shape)) return 0;
    if (form == DCN_CONV_NARROW) return narrow_fits(shape);
    if (form == DCN_CONV_ROWS) return patch_fits(shape);
    if (form == DCN_CONV_PLANES || form == DCN_CONV_PLANES_OUT) return planes_fits(shape);
    if (form == DCN_CONV_DEPTHWISE_PLANES) return depthwise_planes_fits(shape);
    return form == DCN_CONV_DIRECT || (conv_is_winograd(form) && winograd_fits(form, shape));
}

ptrdiff_t dcn_conv_packed_count(dcn_conv_form form, const dcn_conv_shape *shape) {
    if (!dcn_conv_fits(form, shape)) return -1;
    ptrdiff_t positions = conv_volume(shape->kernel), channels = shape->channels / shape->groups;
    if (form == DCN_CONV_NARROW || form == DCN_CONV_DEPTHWISE_PLANES) return narrow_packed_count(shape, positions);
    if (conv_is_winograd(form)) {
        const ptrdiff_t side = winograd_make_grid(form, shape).sets;
        positions = side * side;
        channels = winograd_channels(form, shape);
    }
    return shape->groups * dcn_padded(shape->outputs / shape->groups) * channels * positions;
}

ptrdiff_t dcn_conv_pack(dcn_conv_form form, const dcn_conv_shape *shape, const float *weights, float *packed) {
    const ptrdiff_t count = dcn_conv_packed_count(form, shape);
    if (count <= 0) return count;
    const ptrdiff_t taps = conv_volume(shape->kernel);
    if (form == DCN_CONV_NARROW || form == DCN_CONV_DEPTHWISE_PLANES)
        for (ptrdiff_t t = 0; t < taps; t++) narrow_pack_tap(shape, weights, taps, t, t, packed);
    else if (form == DCN_CONV_PLANES || form == DCN_CONV_PLANES_OUT) planes_pack(shape, weights, packed);
    else if (conv_is_winograd(form)) winograd_pack(form, shape, weights, packed);
    else conv_pack_direct(shape, weights, packed);
    return count;
}

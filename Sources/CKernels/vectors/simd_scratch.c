#include "../simd_private.h"

// Weights of an axis: two ints, a float and a pointer, with room for their alignment.
#define AXIS_BYTES 32

size_t dcn_roi_scratch(const dcn_roi *s) {
    size_t bins = s->pooled_height * s->pooled_width * s->x_stride;
    size_t floats = bins + s->pooled_height * s->height + s->pooled_width * s->width;
    return floats * sizeof(float) + (s->pooled_height + s->pooled_width) * AXIS_BYTES + 64;
}

size_t dcn_ps_roi_scratch(const dcn_roi *s) {
    return (s->height * s->width * 16 + s->height + s->width) * sizeof(float);
}

size_t dcn_ps_roi_units(const dcn_roi *s) { return s->group * s->group * ((s->output_channels + 15) / 16); }

size_t dcn_resize_scratch(const dcn_resize *s) {
    size_t stride = s->x_stride > 0 ? s->x_stride : 1;
    return s->width.source * stride * sizeof(float);
}

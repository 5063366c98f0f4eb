#include "convolution.h"

/// Transforms of the weights of a row for each form, one line per position.
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
/// Four weights at the points of F(4×4): one output less.
static const double winograd_weights_planes[6][4] = {
    {1. / 4, 0, 0, 0},
    {-1. / 6, -1. / 6, -1. / 6, -1. / 6},
    {-1. / 6, 1. / 6, -1. / 6, 1. / 6},
    {1. / 24, 1. / 12, 1. / 6, 1. / 3},
    {1. / 24, -1. / 12, 1. / 6, -1. / 3},
    {0, 0, 0, 1}};

winograd_parts winograd_parts_of(dcn_conv_form form) {
    switch (form) {
    case DCN_CONV_WINOGRAD_2: return (winograd_parts){2, 4, 4, 3, *winograd_weights_2};
    case DCN_CONV_WINOGRAD_PAIRS: return (winograd_parts){2, 3, 3, 3, *winograd_weights_pairs};
    case DCN_CONV_WINOGRAD_3: return (winograd_parts){3, 5, 5, 3, *winograd_weights_3};
    case DCN_CONV_WINOGRAD_4: return (winograd_parts){4, 6, 6, 3, *winograd_weights_4};
    case DCN_CONV_WINOGRAD_6: return (winograd_parts){6, 8, 8, 3, *winograd_weights_6};
    case DCN_CONV_WINOGRAD_PLANES:
    case DCN_CONV_WINOGRAD_PLANES_OUT: return (winograd_parts){3, 6, 6, 4, *winograd_weights_planes};
    default: return (winograd_parts){4, 9, 6, 3, *winograd_weights_4_strided};
    }
}

/// Weights of one output and one channel of what tiles are read from, row by row.
static void winograd_kernel(dcn_conv_form form, const dcn_conv_shape *s, const float *weights, ptrdiff_t output,
                            ptrdiff_t channel, double *kernel) {
    const ptrdiff_t high = s->kernel.height, wide = s->kernel.width, area = high * wide;
    if (!winograd_reads_planes(form)) {
        for (ptrdiff_t k = 0; k < area; k++) kernel[k] = (double)weights[(output * s->channels + channel) * area + k];
        return;
    }
    // Channels of planes: two rows of the images' channels of two columns.
    const ptrdiff_t row = channel / 2 / s->channels, column = channel % 2;
    const float *plane = weights + (output * s->channels + channel / 2 % s->channels) * area;
    for (ptrdiff_t k = 0; k < WINOGRAD_PIXEL; k++) {
        const ptrdiff_t y = k / 4 * 2 + row, x = k % 4 * 2 + column;
        kernel[k] = y < high && x < wide ? (double)plane[y * wide + x] : 0;
    }
}

/// One transformed weight: Σ t[i][a]·w[a][b]·t[j][b].
static float winograd_weight(const winograd_parts *parts, ptrdiff_t i, ptrdiff_t j, const double *w) {
    const double *high = parts->weights + i * parts->taps, *wide = parts->weights + j * parts->taps;
    double sum = 0;
    for (ptrdiff_t a = 0; a < parts->taps; a++)
        for (ptrdiff_t b = 0; b < parts->taps; b++) sum += high[a] * w[a * parts->taps + b] * wide[b];
    return (float)sum;
}

void winograd_pack(dcn_conv_form form, const dcn_conv_shape *s, const float *weights, float *packed) {
    const winograd_parts parts = winograd_parts_of(form);
    const ptrdiff_t sets = parts.sets, channels = winograd_channels(form, s);
    double kernel[WINOGRAD_PIXEL];
    for (ptrdiff_t column = 0; column < s->outputs; column += CONV_PANEL) {
        const ptrdiff_t width = conv_panel_width(s->outputs, column), step = channels * width;
        for (ptrdiff_t c = 0; c < channels; c++)
            for (ptrdiff_t o = 0; o < width; o++) {
                float *to = packed + c * width + o;
                const int there = column + o < s->outputs;
                if (there) winograd_kernel(form, s, weights, column + o, c, kernel);
                for (ptrdiff_t p = 0; p < sets * sets; p++)
                    to[p * step] = there ? winograd_weight(&parts, p / sets, p % sets, kernel) : 0;
            }
        packed += sets * sets * step;
    }
}

#include "convolution.h"

static conv_axis conv_plain_axis(ptrdiff_t input, ptrdiff_t output, ptrdiff_t kernel, ptrdiff_t stride,
                                 ptrdiff_t dilation, ptrdiff_t pad) {
    return (conv_axis){.taps = kernel, .shift = -pad, .tap_step = dilation, .input_step = stride, .input = input,
                       .count = output, .origin = 0, .output_step = 1, .output = output};
}

conv_lattice conv_make_lattice(const dcn_conv_shape *s) {
    return (conv_lattice){
        conv_plain_axis(s->input.depth, s->output.depth, s->kernel.depth, s->stride.depth, s->dilation.depth,
                        s->pad.depth),
        conv_plain_axis(s->input.height, s->output.height, s->kernel.height, s->stride.height, s->dilation.height,
                        s->pad.height),
        conv_plain_axis(s->input.width, s->output.width, s->kernel.width, s->stride.width, s->dilation.width,
                        s->pad.width)};
}

static ptrdiff_t conv_common_divisor(ptrdiff_t a, ptrdiff_t b) {
    while (b) {
        const ptrdiff_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/// A transposed axis scatters input q to outputs q·stride − pad + k·dilation. The outputs ≡ r modulo the stride are
/// reached by the taps k ≡ k₀ modulo `conv_tap_period`, from input q + (r + pad − k·dilation) / stride for output
/// r + q·stride: a convolution of its own, with stride 1.
ptrdiff_t conv_tap_period(ptrdiff_t stride, ptrdiff_t dilation) {
    return stride / conv_common_divisor(stride, dilation);
}

ptrdiff_t conv_class_taps(ptrdiff_t kernel, ptrdiff_t period, ptrdiff_t first) {
    return first < kernel ? conv_pieces(kernel - first, period) : 0;
}

/// The axis of phase r; `*first` is k₀, or the kernel where no tap reaches the phase.
static conv_axis conv_phase_axis(ptrdiff_t input, ptrdiff_t output, ptrdiff_t kernel, ptrdiff_t stride,
                                 ptrdiff_t dilation, ptrdiff_t pad, ptrdiff_t r, ptrdiff_t *first) {
    const ptrdiff_t period = conv_tap_period(stride, dilation), most = conv_least(period, kernel);
    ptrdiff_t k = 0;
    while (k < most && (r + pad - k * dilation) % stride != 0) k++;
    *first = k < most ? k : kernel;
    return (conv_axis){.taps = conv_class_taps(kernel, period, *first), .shift = (r + pad - k * dilation) / stride,
                       .tap_step = -(period * dilation / stride), .input_step = 1, .input = input,
                       .count = conv_pieces(output - r, stride), .origin = r, .output_step = stride,
                       .output = output};
}

/// Taps of the classes before `first`.
static ptrdiff_t conv_taps_before(ptrdiff_t kernel, ptrdiff_t period, ptrdiff_t first) {
    ptrdiff_t taps = 0;
    for (ptrdiff_t k = 0; k < first; k++) taps += conv_class_taps(kernel, period, k);
    return taps;
}

ptrdiff_t conv_phases(const dcn_conv_shape *s) {
    if (!s->transposed) return 1;
    return conv_least(s->stride.depth, s->output.depth) * conv_least(s->stride.height, s->output.height) *
           conv_least(s->stride.width, s->output.width);
}

conv_lattice conv_make_phase(const dcn_conv_shape *s, ptrdiff_t phase, ptrdiff_t *first_tap) {
    *first_tap = 0;
    if (!s->transposed) return conv_make_lattice(s);
    const ptrdiff_t heights = conv_least(s->stride.height, s->output.height);
    const ptrdiff_t widths = conv_least(s->stride.width, s->output.width);
    const ptrdiff_t rd = phase / widths / heights, rh = phase / widths % heights, rw = phase % widths;
    ptrdiff_t kd, kh, kw;
    const conv_lattice l = {
        conv_phase_axis(s->input.depth, s->output.depth, s->kernel.depth, s->stride.depth, s->dilation.depth,
                        s->pad.depth, rd, &kd),
        conv_phase_axis(s->input.height, s->output.height, s->kernel.height, s->stride.height, s->dilation.height,
                        s->pad.height, rh, &kh),
        conv_phase_axis(s->input.width, s->output.width, s->kernel.width, s->stride.width, s->dilation.width,
                        s->pad.width, rw, &kw)};
    *first_tap = conv_class_start(s, kd, kh, kw);
    return l;
}

ptrdiff_t conv_class_start(const dcn_conv_shape *s, ptrdiff_t kd, ptrdiff_t kh, ptrdiff_t kw) {
    const ptrdiff_t pd = conv_tap_period(s->stride.depth, s->dilation.depth);
    const ptrdiff_t ph = conv_tap_period(s->stride.height, s->dilation.height);
    const ptrdiff_t pw = conv_tap_period(s->stride.width, s->dilation.width);
    const ptrdiff_t planes = conv_class_taps(s->kernel.depth, pd, kd), rows = conv_class_taps(s->kernel.height, ph, kh);
    const ptrdiff_t before_width = rows * conv_taps_before(s->kernel.width, pw, kw);
    const ptrdiff_t before_height = s->kernel.width * conv_taps_before(s->kernel.height, ph, kh);
    const ptrdiff_t before_depth =
        s->kernel.width * s->kernel.height * conv_taps_before(s->kernel.depth, pd, kd);
    return before_depth + planes * (before_height + before_width);
}

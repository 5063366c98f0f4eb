#include "convolution.h"

/// Multiply-adds of the direct sum: empty columns of panels count, narrow panels keep the kernel waiting for loads,
/// and so do the row pointers, which are fetched anew for every tap.
static double conv_direct_cost(const dcn_conv_shape *s) {
    const ptrdiff_t outputs = s->outputs / s->groups, channels = s->channels / s->groups;
    const double columns = (double)s->groups * (double)dcn_padded(outputs);
    const double waiting = (outputs <= 16 ? 1.4 : outputs <= 32 ? 1.15 : 1.0) * (1 + 3 / (double)channels);
    const dcn_extent walked = s->transposed ? s->input : s->output;
    return waiting * (double)s->batch * (double)conv_volume(walked) * (double)channels *
           (double)conv_volume(s->kernel) * columns;
}

/// A vector holds 16 outputs whatever their groups; each product takes a permutation or a load beside it.
static double conv_narrow_cost(const dcn_conv_shape *s) {
    return 1.7 * (double)s->batch * (double)conv_volume(s->output) * (double)conv_volume(s->kernel) *
           (double)(s->channels / s->groups) * (double)dcn_padded(s->outputs);
}

/// The direct sum in one piece, after copying the runs of every patch.
static double conv_patch_cost(const dcn_conv_shape *s) {
    const double products = (double)s->channels * (double)conv_volume(s->kernel);
    const double pixels = (double)s->batch * (double)conv_volume(s->output);
    const double waiting = s->outputs <= 16 ? 1.4 : s->outputs <= 32 ? 1.15 : 1.0;
    return pixels * (waiting * products * (double)dcn_padded(s->outputs) + 64 * (double)conv_volume(s->kernel));
}

/// Rows of planes are copied, which costs little beside the sums.
static double conv_planes_cost(const dcn_conv_shape *s) {
    const double products = (double)s->channels * (double)conv_volume(s->kernel);
    return (double)s->batch * (double)conv_volume(s->output) * products * (double)dcn_padded(s->outputs);
}

/// Estimated multiply-adds, everything else (transforms, copies) expressed in them; infinite where the form does not fit,
/// or gathers what the direct sum reads where it lies.
static double conv_cost(dcn_conv_form form, const dcn_conv_shape *shape, dcn_caches caches) {
    if (!dcn_conv_fits(form, shape)) return INFINITY;
    // A single tap is read where it lies: there is nothing to gather.
    if (form == DCN_CONV_ROWS && conv_volume(shape->kernel) == 1) return INFINITY;
    if (form == DCN_CONV_ROWS) return conv_patch_cost(shape);
    if (form == DCN_CONV_PLANES) return conv_planes_cost(shape);
    if (form == DCN_CONV_NARROW) return conv_narrow_cost(shape);
    if (conv_is_winograd(form)) return winograd_cost(form, shape, caches);
    return conv_direct_cost(shape);
}

dcn_conv_form dcn_conv_choose_planes(const dcn_conv_shape *shape, dcn_caches caches, dcn_accuracy accuracy) {
    const dcn_conv_form form = DCN_CONV_WINOGRAD_PLANES;
    const int cheaper = conv_cost(form, shape, caches) < conv_cost(DCN_CONV_PLANES, shape, caches);
    return accuracy != DCN_ACCURACY_EXACT && cheaper ? form : DCN_CONV_PLANES;
}

dcn_conv_form dcn_conv_choose(const dcn_conv_shape *shape, dcn_caches caches, dcn_accuracy accuracy) {
    static const dcn_conv_form forms[] = {DCN_CONV_NARROW, DCN_CONV_ROWS, DCN_CONV_WINOGRAD_2, DCN_CONV_WINOGRAD_PAIRS,
                                          DCN_CONV_WINOGRAD_3, DCN_CONV_WINOGRAD_4, DCN_CONV_WINOGRAD_4_STRIDED,
                                          DCN_CONV_WINOGRAD_6};
    const int allowed = accuracy == DCN_ACCURACY_EXACT ? 4 : accuracy == DCN_ACCURACY_DEFAULT ? 7 : 8;
    dcn_conv_form best = DCN_CONV_DIRECT;
    double least = conv_cost(best, shape, caches);
    for (int i = 0; i < allowed; i++) {
        const double cost = conv_cost(forms[i], shape, caches);
        if (cost < least) {
            least = cost;
            best = forms[i];
        }
    }
    return best;
}

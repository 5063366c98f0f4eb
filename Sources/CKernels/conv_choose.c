#include "conv_private.h"

/// Multiply-adds of the direct sum, panels' and kernels' empty columns counted.
static double conv_direct_cost(const dcn_conv_shape *s) {
    const double columns = (double)s->groups * (double)dcn_padded(s->outputs / s->groups);
    const double products = (double)(s->channels / s->groups) * (double)conv_volume(s->kernel);
    const dcn_extent walked = s->transposed ? s->input : s->output;
    return (double)s->batch * (double)conv_volume(walked) * products * columns;
}

double dcn_conv_cost(dcn_conv_form form, const dcn_conv_shape *shape, dcn_caches caches, dcn_isa isa) {
    (void)isa;
    if (!dcn_conv_fits(form, shape)) return INFINITY;
    if (conv_is_winograd(form)) return winograd_cost(form, shape, caches);
    return conv_direct_cost(shape);
}

dcn_conv_form dcn_conv_choose(const dcn_conv_shape *shape, dcn_caches caches, dcn_isa isa, dcn_accuracy accuracy) {
    static const dcn_conv_form forms[] = {DCN_CONV_WINOGRAD_2, DCN_CONV_WINOGRAD_4, DCN_CONV_WINOGRAD_6};
    const int allowed = accuracy == DCN_ACCURACY_EXACT ? 1 : accuracy == DCN_ACCURACY_DEFAULT ? 2 : 3;
    dcn_conv_form best = DCN_CONV_DIRECT;
    double least = dcn_conv_cost(best, shape, caches, isa);
    for (int i = 0; i < allowed; i++) {
        const double cost = dcn_conv_cost(forms[i], shape, caches, isa);
        if (cost < least) {
            least = cost;
            best = forms[i];
        }
    }
    return best;
}

#include "convolution.h"

ptrdiff_t dcn_relayout_tiles(const dcn_relayout *job) {
    return job->batch * conv_pieces(job->pixels, RELAYOUT_PIXELS);
}

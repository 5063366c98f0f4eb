#include "products.h"

/// Columns and channels whose sums fit a tile, of one level; sets are a multiple of the rows of every micro-kernel.
enum { STRASSEN_EXTENT_MOST = 2048, STRASSEN_STEP = 12 };

static ptrdiff_t strassen_products(ptrdiff_t levels) { return levels == 1 ? 7 : 49; }

int strassen_fits(ptrdiff_t levels, ptrdiff_t channels, ptrdiff_t outputs) {
    if (levels < 1 || levels > STRASSEN_LEVELS_MOST) return 0;
    const ptrdiff_t step = (ptrdiff_t)16 << levels, most = 4 * STRASSEN_EXTENT_MOST >> 2 * levels;
    return channels % step == 0 && outputs % step == 0 && channels <= most && outputs <= most;
}

ptrdiff_t strassen_packed_count(ptrdiff_t levels, ptrdiff_t inner, ptrdiff_t columns) {
    return strassen_products(levels) * (inner >> levels) * (columns >> levels);
}

/// What the seven products read of B, of whose halves `b` has a number each.
static void strassen_weights_1(const double b[2][2], double *sums) {
    sums[0] = b[0][0] + b[1][1];
    sums[1] = b[0][0];
    sums[2] = b[0][1] - b[1][1];
    sums[3] = b[1][0] - b[0][0];
    sums[4] = b[1][1];
    sums[5] = b[0][0] + b[0][1];
    sums[6] = b[1][0] + b[1][1];
}

static void strassen_weights_2(const double b[4][4], double *sums) {
    double outer[2][2][7];
    for (int k = 0; k < 2; k++)
        for (int n = 0; n < 2; n++) {
            const double pieces[2][2] = {{b[k][n], b[k][2 + n]}, {b[2 + k][n], b[2 + k][2 + n]}};
            strassen_weights_1(pieces, outer[k][n]);
        }
    for (int i = 0; i < 7; i++) {
        const double inner[2][2] = {{outer[0][0][i], outer[0][1][i]}, {outer[1][0][i], outer[1][1][i]}};
        strassen_weights_1(inner, sums + 7 * i);
    }
}

void strassen_weights(ptrdiff_t levels, const double b[4][4], double *sums) {
    if (levels == 2) {
        strassen_weights_2(b, sums);
        return;
    }
    const double halves[2][2] = {{b[0][0], b[0][1]}, {b[1][0], b[1][1]}};
    strassen_weights_1(halves, sums);
}

strassen_cut strassen_make_cut(ptrdiff_t levels, ptrdiff_t sets, ptrdiff_t block, ptrdiff_t inner, ptrdiff_t columns) {
    strassen_cut cut = {.levels = levels, .pieces = (ptrdiff_t)1 << levels, .products = strassen_products(levels)};
    cut.sets = sets;
    cut.inner = inner / cut.pieces;
    cut.columns = columns / cut.pieces;
    cut.v_stride = block / cut.pieces + 16;
    // An odd number of lines from product to product: they do not meet in a few sets of a cache.
    const ptrdiff_t floats = sets * cut.v_stride;
    cut.v_step = floats / 16 % 2 ? floats : floats + 16;
    cut.m_step = sets * CONV_PANEL + 16;
    cut.v_floats = cut.products * cut.v_step;
    cut.panels = block < inner ? conv_pieces(cut.columns, CONV_PANEL) : 1;
    cut.m_floats = cut.products * cut.panels * cut.m_step;
    return cut;
}

ptrdiff_t strassen_sets(ptrdiff_t levels, ptrdiff_t rows, ptrdiff_t block, ptrdiff_t inner, ptrdiff_t columns,
                        dcn_caches caches, ptrdiff_t most) {
    const ptrdiff_t weight_bytes = strassen_packed_count(levels, inner, columns) * (ptrdiff_t)sizeof(float);
    const ptrdiff_t reading = conv_reading((double)weight_bytes, caches);
    // Weights that stay in the second-level cache leave V and M half of the rest.
    const ptrdiff_t room = reading ? most : conv_least(most, (caches.level2 - weight_bytes) / 2);
    const ptrdiff_t all = conv_pieces(rows, (ptrdiff_t)1 << levels);
    ptrdiff_t best = STRASSEN_STEP, least = PTRDIFF_MAX;
    for (ptrdiff_t sets = STRASSEN_STEP; sets <= STRASSEN_SETS_MOST; sets += STRASSEN_STEP) {
        const strassen_cut cut = strassen_make_cut(levels, sets, block, inner, columns);
        if (sets > STRASSEN_STEP && (cut.v_floats + cut.m_floats) * (ptrdiff_t)sizeof(float) > room) break;
        const ptrdiff_t cost = conv_span(all, sets, 1, reading);
        if (cost >= least) continue;
        least = cost;
        best = sets;
    }
    return best;
}

/// Multiply-adds that a sum of A costs, for each number of A, and a product, for each number of the result: both are written
/// and read again. What the kernels lose to shorter sums. Narrow panels keep them waiting for loads.
double strassen_cost(ptrdiff_t levels, double rows, ptrdiff_t inner, ptrdiff_t columns) {
    static const double sums[] = {0, 5, 12}, products[] = {0, 8, 40};
    static const double factors[] = {1, 0.875 * 1.04, 0.875 * 0.875 * 1.06};
    const ptrdiff_t piece = columns >> levels;
    const double waiting = piece <= 16 ? 1.4 : piece <= 32 ? 1.15 : 1.0, width = (double)columns;
    const double weights = levels ? (double)strassen_packed_count(levels, inner, columns)
                                  : (double)inner * (double)dcn_padded(columns);
    return rows * ((double)inner * (waiting * factors[levels] * width + sums[levels]) + products[levels] * width) +
           40 * weights;
}

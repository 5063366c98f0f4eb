#include "conv_private.h"

/// Bytes of V and M of a tile, at most; columns whose sums fit into them.
enum { STRASSEN_BYTES_MOST = 13 << 18, STRASSEN_EXTENT_MOST = 2048, STRASSEN_STEP = 12 };

static ptrdiff_t strassen_products(ptrdiff_t levels) { return levels == 1 ? 7 : 49; }

int strassen_fits(ptrdiff_t levels, ptrdiff_t channels, ptrdiff_t outputs) {
    const ptrdiff_t step = (ptrdiff_t)16 << levels;
    return levels >= 1 && levels <= STRASSEN_LEVELS_MOST && channels % step == 0 && outputs % step == 0 &&
           channels <= STRASSEN_EXTENT_MOST && outputs <= STRASSEN_EXTENT_MOST;
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

/// Each tile reads all weights: what that costs beside the products of one set. More where they come from memory.
static double strassen_reading(double weights, dcn_caches caches) {
    return weights * sizeof(float) > (double)caches.level3 / 2 ? 4 : 1;
}

ptrdiff_t strassen_sets(ptrdiff_t levels, ptrdiff_t rows, ptrdiff_t block, ptrdiff_t inner, ptrdiff_t columns,
                        dcn_caches caches, ptrdiff_t wanted) {
    const double reading = strassen_reading((double)strassen_packed_count(levels, inner, columns), caches);
    const ptrdiff_t workers = conv_most(1, wanted / 8), all = conv_pieces(rows, (ptrdiff_t)1 << levels);
    ptrdiff_t best = STRASSEN_STEP;
    double least = INFINITY;
    for (ptrdiff_t sets = STRASSEN_STEP; sets <= STRASSEN_SETS_MOST; sets += STRASSEN_STEP) {
        const strassen_cut cut = strassen_make_cut(levels, sets, block, inner, columns);
        const ptrdiff_t bytes = (cut.v_floats + cut.m_floats) * (ptrdiff_t)sizeof(float);
        if (sets > STRASSEN_STEP && bytes > STRASSEN_BYTES_MOST) break;
        const double turns = (double)conv_pieces(conv_pieces(all, sets), workers);
        const double cost = turns * ((double)conv_least(sets, all) + reading);
        if (cost >= least) continue;
        least = cost;
        best = sets;
    }
    return best;
}

/// Multiply-adds that a sum of A costs, for each number of A: it is written, and read again. What the kernels lose to
/// shorter sums. Narrow panels keep them waiting for loads.
double strassen_cost(ptrdiff_t levels, double rows, ptrdiff_t inner, ptrdiff_t columns) {
    static const double sums[] = {0, 5, 15}, factors[] = {1, 0.875 * 1.04, 0.875 * 0.875 * 1.06};
    const ptrdiff_t piece = columns >> levels;
    const double waiting = piece <= 16 ? 1.4 : piece <= 32 ? 1.15 : 1.0;
    const double weights = levels ? (double)strassen_packed_count(levels, inner, columns)
                                  : (double)inner * (double)dcn_padded(columns);
    return rows * (double)inner * (waiting * factors[levels] * (double)columns + sums[levels]) + 12 * weights;
}

// How products are cut into tiles and blocks, and the schemes that multiply them.
#ifndef PRODUCTS_H
#define PRODUCTS_H

#include "../conv_private.h"

/// `whole` in the fewest blocks of at most `most`, as equal as multiples of `step` (a divisor of `most`) allow.
ptrdiff_t conv_equal_block(ptrdiff_t whole, ptrdiff_t most, ptrdiff_t step);

/// The length of a piece where `whole` is cut into the fewest of at most `most`, as equal as can be; at least 1.
ptrdiff_t conv_equal_piece(ptrdiff_t whole, ptrdiff_t most);

/// Multiply-adds that a number takes which another thread has written: where outputs are cut into pieces, each thread
/// reads what all of them have made of the layer before.
enum { CONV_FOREIGN = 28 };

/// Threads that want `tiles_wanted` tiles.
CONV_INLINE ptrdiff_t conv_workers(ptrdiff_t tiles_wanted) { return tiles_wanted < 16 ? 1 : tiles_wanted / 8; }

/// Tiles after which all are done, for a thread. One may begin late or work slowly, for which others wait the longer the
/// larger a tile is.
CONV_INLINE double conv_turns(ptrdiff_t tiles, ptrdiff_t workers) {
    return (double)conv_pieces(tiles, workers) + (workers > 1 ? 0.25 : 0);
}

/// The piece of columns of the tile after this one, of `tiles` in all; rows are counted first.
CONV_INLINE ptrdiff_t conv_piece_after(ptrdiff_t tile, ptrdiff_t tiles, ptrdiff_t row_tiles) {
    return (tile + 1) % tiles / row_tiles;
}

/// Rows whose products take as long as bringing the weights to a tile, which reads them all; 0 from the nearer caches.
ptrdiff_t conv_reading(double weight_bytes, dcn_caches caches);

/// Products that take as long as all tiles of `size` rows, in rows, where a tile takes `reading` at least.
ptrdiff_t conv_span(ptrdiff_t rows, ptrdiff_t size, ptrdiff_t workers, ptrdiff_t reading);

/// Blocks of taps and of channels, near `target` products each, as equal as can be.
void conv_cut_inner(ptrdiff_t taps, ptrdiff_t channels, ptrdiff_t target, ptrdiff_t *block_taps,
                    ptrdiff_t *block_channels);

/// How the rows and the panels of a product are cut into tiles.
typedef struct {
    ptrdiff_t block_rows, row_tiles, panels_per_tile, panel_tiles;
} conv_cut;

/// A product of `rows` rows and `panels` panels of packed weights.
typedef struct {
    ptrdiff_t rows, panels;
    ptrdiff_t inner;                 ///< products per output between two visits
    double weight_bytes;
    int thirds;                      ///< 1: numbers are split (`thirds.inc`), which larger blocks repay
} conv_product;

conv_cut conv_cut_tiles(const conv_product *product, dcn_caches caches, ptrdiff_t tiles_wanted);

/// Bytes of the pointers to `rows` pixels through `taps` taps, and of a pixel of zeros.
ptrdiff_t conv_pointer_bytes(ptrdiff_t taps, ptrdiff_t rows, ptrdiff_t channels);

/// Products per output between two visits that suit the second-level cache.
ptrdiff_t conv_inner_target(dcn_caches caches, int thirds);

/// Numbers split into thirds (`thirds.inc`): products of a step, bytes of a tile and of a step of 16 rows or columns,
/// bytes of one number, rows that are multiplied at once, and the most rows of a block.
enum { THIRDS_STEP = 32, THIRDS_TILE = 1024, THIRDS_BYTES = 3 * THIRDS_TILE, THIRDS_NUMBER = 6, THIRDS_ROWS = 32,
       THIRDS_BLOCK = 256 };

/// Whether `rows` rows of `taps` runs of `channels` products are multiplied by `columns` columns sooner in thirds.
int conv_uses_thirds(dcn_isa isa, ptrdiff_t rows, ptrdiff_t taps, ptrdiff_t channels, ptrdiff_t columns,
                     dcn_caches caches);

/// Where thirds lie in the scratch: null where there are none.
CONV_INLINE void *conv_thirds_place(void *scratch, ptrdiff_t scratch_bytes, ptrdiff_t thirds_bytes) {
    return thirds_bytes ? (char *)scratch + scratch_bytes - thirds_bytes : 0;
}

/// Bytes of the thirds of a block of rows and of a panel, a multiple of 64.
ptrdiff_t conv_thirds_bytes(ptrdiff_t rows, ptrdiff_t taps, ptrdiff_t channels);

/// Levels of Strassen's scheme (`strassen.inc`), products of as many, and sets of rows of the largest tile.
enum { STRASSEN_LEVELS_MOST = 2, STRASSEN_PRODUCTS_MOST = 49, STRASSEN_SETS_MOST = 48 };

/// A product cut into pieces: 2^levels of its rows, of its inner extent and of its columns.
typedef struct {
    ptrdiff_t levels, pieces, products;
    ptrdiff_t sets;                  ///< of `pieces` rows each; a multiple of the rows of every micro-kernel
    ptrdiff_t inner, columns;        ///< of one piece
    ptrdiff_t v_stride, v_step;      ///< floats of V from set to set, from product to product
    ptrdiff_t m_step;                ///< floats of M from product to product
    ptrdiff_t panels;                ///< of M; one where each is summed in one go
    ptrdiff_t v_floats, m_floats;
} strassen_cut;

/// Whether vectors of 16 fit the pieces of a product, and its sums a tile.
int strassen_fits(ptrdiff_t levels, ptrdiff_t channels, ptrdiff_t outputs);
/// Floats of the sums of B that the products read.
ptrdiff_t strassen_packed_count(ptrdiff_t levels, ptrdiff_t inner, ptrdiff_t columns);
/// What the products read of B, from one number of each of its pieces [of the inner extent][of columns].
void strassen_weights(ptrdiff_t levels, const double b[4][4], double *sums);
/// The cut of `sets` sets by `columns` columns with `inner` numbers to a sum, `block` of them at a time.
strassen_cut strassen_make_cut(ptrdiff_t levels, ptrdiff_t sets, ptrdiff_t block, ptrdiff_t inner, ptrdiff_t columns);
/// How many sets a tile takes: of the `rows` rows of a thread, by `columns` columns, those that are done soonest, with V and
/// M in `most` bytes where that is possible.
ptrdiff_t strassen_sets(ptrdiff_t levels, ptrdiff_t rows, ptrdiff_t block, ptrdiff_t inner, ptrdiff_t columns,
                        dcn_caches caches, ptrdiff_t most);
/// Estimated multiply-adds of `rows` rows; of the plain sum where `levels` is 0.
double strassen_cost(ptrdiff_t levels, double rows, ptrdiff_t inner, ptrdiff_t columns);

/// How a strided product reads B.
enum {
    MATMUL_PACKED,                   ///< from panels packed before
    MATMUL_COPIED,                   ///< each tile packs the panels it needs
    MATMUL_DIRECT,                   ///< as it lies, row major: few rows
    MATMUL_DOTS,                     ///< as it lies, column major: few rows or few columns
};
/// The most rows for which packing B costs more than it saves, and of a product of dots.
enum { MATMUL_FEW_ROWS = 12, MATMUL_FEW_DOTS = 4 };

/// Floats of the pieces of scratch that a strided product copies into.
CONV_INLINE ptrdiff_t matmul_panel_floats(const dcn_matmul_plan *p) {
    return p->form == MATMUL_PACKED || p->form == MATMUL_DOTS ? 0 : CONV_PANEL * p->block_inner;
}
CONV_INLINE ptrdiff_t matmul_rows_floats(const dcn_matmul_plan *p) {
    return p->shape.a_inner == 1 ? 0 : dcn_padded(p->block_rows * p->block_inner);
}
CONV_INLINE ptrdiff_t matmul_addend_floats(const dcn_matmul_plan *p) {
    return p->shape.has_addend ? p->block_rows * CONV_PANEL : 0;
}

#endif

// What the files of the convolution family share and callers never see.
#ifndef CONV_PRIVATE_H
#define CONV_PRIVATE_H

#include "include/dcn_conv.h"
#include <math.h>
#include <string.h>

#define CONV_INLINE static inline __attribute__((always_inline, unused))
#define CONV_FUNCTION static __attribute__((unused))

/// Columns of a panel of packed weights, but for the last, which is as wide as what is left, rounded up to 16.
enum { CONV_PANEL = 64 };
/// Row pointers readable past the last: the most rows of a micro-kernel.
enum { CONV_SPARE_ROWS = 16 };
/// Pixels of one tile of a layout change.
enum { RELAYOUT_PIXELS = 256 };

/// A bias that is not there.
extern const float conv_zeros[CONV_PANEL];

CONV_INLINE ptrdiff_t conv_least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
CONV_INLINE ptrdiff_t conv_most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
CONV_INLINE ptrdiff_t conv_pieces(ptrdiff_t whole, ptrdiff_t piece) { return (whole + piece - 1) / piece; }
CONV_INLINE ptrdiff_t conv_volume(dcn_extent e) { return e.depth * e.height * e.width; }

/// Columns stored for the panel that starts at column `first` of `columns`.
CONV_INLINE ptrdiff_t conv_panel_width(ptrdiff_t columns, ptrdiff_t first) {
    return conv_least(CONV_PANEL, dcn_padded(columns - first));
}

/// One axis of a convolution: the input coordinate of output number q and tap number k is
/// q·input_step + shift + k·tap_step; the output coordinate is origin + q·output_step.
typedef struct {
    ptrdiff_t taps, shift, tap_step, input_step, input;
    ptrdiff_t count, origin, output_step, output;
} conv_axis;

/// A convolution, or one phase of a transposed one, as three axes.
typedef struct {
    conv_axis depth, height, width;
} conv_lattice;

/// The lattice of a convolution that is not transposed.
conv_lattice conv_make_lattice(const dcn_conv_shape *shape);

/// Phases of the output of a transposed convolution: those positions that the same taps reach. 1 where not transposed.
ptrdiff_t conv_phases(const dcn_conv_shape *shape);

/// The lattice of one phase, and where its weights begin among those of a panel group, in taps.
conv_lattice conv_make_phase(const dcn_conv_shape *shape, ptrdiff_t phase, ptrdiff_t *first_tap);

/// Taps of one axis of a transposed convolution that reach the same outputs are `conv_tap_period` apart.
ptrdiff_t conv_tap_period(ptrdiff_t stride, ptrdiff_t dilation);
/// How many taps are in the class that begins with tap `first`.
ptrdiff_t conv_class_taps(ptrdiff_t kernel, ptrdiff_t period, ptrdiff_t first);
/// Taps packed before the class that begins with taps kd, kh, kw.
ptrdiff_t conv_class_start(const dcn_conv_shape *shape, ptrdiff_t kd, ptrdiff_t kh, ptrdiff_t kw);

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

/// Whether every extent is positive, groups divide channels, and no size a kernel computes overflows.
int conv_shape_valid(const dcn_conv_shape *shape);

/// Tiles of edge × edge outputs: those of one interleaved grid, the grids (one per phase of the dilation), and all. A tile
/// reads side × side pixels, which become as many positions; these are multiplied by sets × sets matrices of weights.
typedef struct {
    ptrdiff_t edge, side, sets, tiles_high, tiles_wide, phases_high, phases_wide, tiles;
} winograd_grid;

int conv_is_winograd(dcn_conv_form form);
int winograd_fits(dcn_conv_form form, const dcn_conv_shape *shape);
winograd_grid winograd_make_grid(dcn_conv_form form, const dcn_conv_shape *shape);
/// Output tiles of the largest block.
enum { WINOGRAD_BLOCK_MOST = 96 };
/// Floats from one transformed tile to the next.
ptrdiff_t winograd_stride(ptrdiff_t channels);
/// Weights in the order panel, position, channel, column.
void winograd_pack(dcn_conv_form form, const dcn_conv_shape *shape, const float *weights, float *packed);
void winograd_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted);
double winograd_cost(dcn_conv_form form, const dcn_conv_shape *shape, dcn_caches caches);

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
/// How many sets a tile takes: of `rows` rows by `columns` columns those that are done soonest, with V and M in `most`
/// bytes where that is possible, when `wanted` tiles are as many as the threads want.
ptrdiff_t strassen_sets(ptrdiff_t levels, ptrdiff_t rows, ptrdiff_t block, ptrdiff_t inner, ptrdiff_t columns,
                        dcn_caches caches, ptrdiff_t most, ptrdiff_t wanted);
/// Estimated multiply-adds of `rows` rows; of the plain sum where `levels` is 0.
double strassen_cost(ptrdiff_t levels, double rows, ptrdiff_t inner, ptrdiff_t columns);

int narrow_fits(const dcn_conv_shape *shape);
ptrdiff_t narrow_packed_count(const dcn_conv_shape *shape, ptrdiff_t taps);
/// Packs tap number `tap` of `taps`, which the file has at `index`.
void narrow_pack_tap(const dcn_conv_shape *shape, const float *weights, ptrdiff_t taps, ptrdiff_t tap,
                     ptrdiff_t index, float *packed);
void narrow_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted);

/// Rows of a kernel that the depthwise kernels have room for.
enum { DEPTHWISE_MOST_ROWS = 64 };
/// Whether the kernels made for one input channel to an output fit, channels last.
int depthwise_fits(const dcn_conv_shape *shape);

/// Rows of inputs copied for a tile of a row-major image.
typedef struct {
    ptrdiff_t planes;                ///< (channel, plane of the kernel)
    ptrdiff_t slots;                 ///< rows kept of each plane
    ptrdiff_t step, phases, pitch;   ///< every `step`-th column together: `phases` runs of `pitch` floats to a row
    ptrdiff_t used;                  ///< floats of a run that outputs depend on
    ptrdiff_t row_floats;
    int dense;                       ///< 1: all rows between the first and the last; 0: those of one row of outputs
} planes_strip;

/// Rows of outputs that are summed together where the kernel is 3 × 3.
enum { PLANES_SQUARE_ROWS = 4 };

/// Rows kept for `rows` rows of outputs.
CONV_INLINE ptrdiff_t planes_input_rows(const dcn_conv_shape *s, const planes_strip *strip, ptrdiff_t rows) {
    if (!strip->dense) return s->kernel.height;
    return (rows - 1) * s->stride.height + (s->kernel.height - 1) * s->dilation.height + 1;
}

planes_strip planes_make_strip(const dcn_conv_shape *shape, ptrdiff_t planes, ptrdiff_t rows, ptrdiff_t columns);
/// Whether the form reads row-major input.
int planes_reads(dcn_conv_form form);
int planes_fits(const dcn_conv_shape *shape);
int depthwise_planes_fits(const dcn_conv_shape *shape);
void planes_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted);
void depthwise_planes_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted);

int patch_fits(const dcn_conv_shape *shape);
/// Floats from one patch to the next: products, and what copies may write behind them.
ptrdiff_t patch_stride(ptrdiff_t inner);
/// Weights with the products in the order of the file.
void planes_pack(const dcn_conv_shape *shape, const float *weights, float *packed);
void patch_make_plan(dcn_conv_plan *plan, dcn_caches caches, dcn_isa isa, ptrdiff_t tiles_wanted);

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

/// Order of the products of a sampled row.
enum {
    DEFORM_TAP_ORDER,                ///< (tap, channel)
    DEFORM_GROUP_ORDER,              ///< (offset group, tap, channel of the group)
};

/// Taps that exist.
CONV_INLINE ptrdiff_t deform_taps(const dcn_deform_shape *s) {
    return s->conv.kernel.height * s->conv.kernel.width - (s->skip_centre ? 1 : 0);
}

/// Row and column of the kernel of tap number `tap`.
CONV_INLINE void deform_tap_position(const dcn_deform_shape *s, ptrdiff_t tap, ptrdiff_t *y, ptrdiff_t *x) {
    const ptrdiff_t rows = s->conv.kernel.height, columns = s->conv.kernel.width;
    const ptrdiff_t fast = s->column_major ? rows : columns;
    const ptrdiff_t centre = s->column_major ? columns / 2 * rows + rows / 2 : rows / 2 * columns + columns / 2;
    if (s->skip_centre && tap >= centre) tap++;
    *y = s->column_major ? tap % fast : tap / fast;
    *x = s->column_major ? tap / fast : tap % fast;
}

/// Whether the kernels can compute the layer; whether every channel has its own output, whether groups have few
/// channels; the order of the products of a sampled row.
int deform_valid(const dcn_deform_shape *shape);
int deform_is_fused(const dcn_deform_shape *shape);
int deform_is_narrow(const dcn_deform_shape *shape);
int deform_order(const dcn_deform_shape *shape);
/// Where the weight of tap number `tap` lies in a kernel as the file has it.
ptrdiff_t deform_tap_index(const dcn_deform_shape *shape, ptrdiff_t tap);

/// Strassen's products of a deformable layer (`deform_strassen.inc`).
int deform_strassen_fits(const dcn_deform_shape *shape, ptrdiff_t levels);
void deform_strassen_pack(const dcn_deform_shape *shape, const float *weights, float *packed);
void deform_strassen_plan(dcn_deform_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted);

extern const dcn_conv_table conv_table_baseline, conv_table_avx2, conv_table_avx512,
    conv_table_amx, conv_table_neon;

#endif

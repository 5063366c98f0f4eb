// What the forms of a convolution know of each other.
#ifndef CONVOLUTION_H
#define CONVOLUTION_H

#include "../products/products.h"

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

/// Whether every extent is positive, groups divide channels, and no size a kernel computes overflows.
int conv_shape_valid(const dcn_conv_shape *shape);

/// Tiles of edge × edge outputs: those of one interleaved grid, the grids (one per phase of the dilation), and all. A tile
/// reads side × side pixels, which become as many positions; these are multiplied by sets × sets matrices of weights.
typedef struct {
    ptrdiff_t edge, side, sets, tiles_high, tiles_wide, phases_high, phases_wide, tiles;
} winograd_grid;

/// What a form is made of: outputs of a tile along an axis, inputs it reads, sets of weights, how many a row has, and
/// their transform.
typedef struct {
    ptrdiff_t edge, side, sets, taps;
    const double *weights;
} winograd_parts;

winograd_parts winograd_parts_of(dcn_conv_form form);
int conv_is_winograd(dcn_conv_form form);
int winograd_fits(dcn_conv_form form, const dcn_conv_shape *shape);
winograd_grid winograd_make_grid(dcn_conv_form form, const dcn_conv_shape *shape);
/// Output tiles of the largest block.
enum { WINOGRAD_BLOCK_MOST = 96 };
/// Whether the form reads a row-major image.
CONV_INLINE int winograd_reads_planes(dcn_conv_form form) {
    return form == DCN_CONV_WINOGRAD_PLANES || form == DCN_CONV_WINOGRAD_PLANES_OUT;
}
/// Channels of the image that tiles are read from: of planes, those of four pixels.
ptrdiff_t winograd_channels(dcn_conv_form form, const dcn_conv_shape *shape);
/// Floats from one transformed tile to the next.
ptrdiff_t winograd_stride(ptrdiff_t channels);
/// Numbers of a pixel that is laid together from planes, as many as there may be, and of its 4 × 4 kernel.
enum { WINOGRAD_PIXEL = 16 };
/// Outputs of a tile of planes along an axis, inputs it reads; tiles and, at most, columns that are summed at once; tiles of
/// the largest block.
enum { WINOGRAD_PLANES_EDGE = 3, WINOGRAD_PLANES_SIDE = 6, WINOGRAD_PLANES_ROWS = 6, WINOGRAD_PLANES_COLUMNS_MOST = 32,
       WINOGRAD_PLANES_BLOCK = 48 };
/// Rows of V of a block of `tiles` tiles: planes are summed by whole kernels of rows, whatever those past the last one hold.
CONV_INLINE ptrdiff_t winograd_rows(dcn_conv_form form, ptrdiff_t tiles) {
    return winograd_reads_planes(form) ? conv_pieces(tiles, WINOGRAD_PLANES_ROWS) * WINOGRAD_PLANES_ROWS : tiles;
}
/// Pixels that a row of `tiles` tiles of planes reads.
CONV_INLINE ptrdiff_t winograd_strip_pixels(const winograd_grid *g, ptrdiff_t tiles) {
    return (tiles - 1) * g->edge + g->side;
}
CONV_INLINE ptrdiff_t winograd_strip_floats(const winograd_grid *g, ptrdiff_t tiles) {
    return g->side * winograd_strip_pixels(g, tiles) * WINOGRAD_PIXEL;
}
/// Outputs of a panel of so many tiles, which wait to be stored row major.
CONV_INLINE ptrdiff_t winograd_stage_floats(const winograd_grid *g, ptrdiff_t tiles) {
    return g->edge * g->edge * tiles * CONV_PANEL;
}
/// Weights in the order panel, position, channel, column.
void winograd_pack(dcn_conv_form form, const dcn_conv_shape *shape, const float *weights, float *packed);
void winograd_make_plan(dcn_conv_plan *plan, dcn_caches caches, ptrdiff_t tiles_wanted);
double winograd_cost(dcn_conv_form form, const dcn_conv_shape *shape, dcn_caches caches);

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

#endif

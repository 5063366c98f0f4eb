// Convolutions, matrix products and layout changes: the compute-heavy kernels, cut into tiles.
//
// How every family is used
//   1. describe the layer (`dcn_conv_shape`, `dcn_deform_shape`, `dcn_matmul_shape`);
//   2. at conversion: choose a form, ask for its packed count, pack the weights (plain C, no instruction set);
//   3. at planning: `dcn_…_make_plan` fills a plan with `tile_count` and `scratch_bytes`;
//   4. at run time, for every tile in 0 ..< tile_count, in any order, on any thread:
//      `table->…(&plan, &arguments, tile, scratch)`, where `scratch` is private to the thread and 64-byte aligned.
// A tile allocates nothing and writes only its own outputs. The order in which a sum is added up follows from the
// shape alone, so tiles, their number and threads never change a bit of the answer.
// Packed weights depend on the form and on `dcn_conv_shape`'s channels, groups, kernel (and, transposed, stride and
// dilation): not on the machine, so they may be stored.
//
// Layouts
//   channels last: element (n, c, d, h, w) at data[(((n·D + d)·H + h)·W + w)·stride + c]; `stride` ≥ C is the number
//     of floats from one pixel to the next. A slice of the channels of a wider tensor is the same with `data`
//     advanced to its first channel: no kernel reads or writes outside the C channels it was given, except to clear
//     lanes where `dcn_output.clear` asks for it.
//   row major: element (n, c, d, h, w) at data[((n·C + c)·D·H·W) + (d·H + h)·W + w].
// `data` of any layout needs float alignment only; 64-byte aligned pixels are faster.
//
// Two-dimensional layers have depth 1 everywhere, one-dimensional ones height 1 as well.
#ifndef DCN_CONV_H
#define DCN_CONV_H

#include "dcn_isa.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---------------------------------------------------------------------------------------------- the machine

/// Sizes in bytes of the data caches of one core; the third level may be shared. All positive.
typedef struct {
    ptrdiff_t level1, level2, level3;
} dcn_caches;

/// Asks the operating system once, and falls back to 32 KiB, 512 KiB and 8 MiB where it does not say.
dcn_caches dcn_read_caches(void);

// ---------------------------------------------------------------------------------------------- the epilogue

/// The function applied to each output: y = f(Σ + bias + residual). NaN stays NaN.
typedef enum {
    DCN_ACTIVATION_NONE,
    DCN_ACTIVATION_RELU,         ///< max(0, v)
    DCN_ACTIVATION_CLIP,         ///< min(beta, max(alpha, v))
    DCN_ACTIVATION_LEAKY_RELU,   ///< v < 0 ? alpha·v : v
    DCN_ACTIVATION_SIGMOID,      ///< 1 / (1 + e⁻ᵛ)
    DCN_ACTIVATION_SILU,         ///< v / (1 + e⁻ᵛ)
    DCN_ACTIVATION_HARD_SIGMOID, ///< min(1, max(0, alpha·v + beta))
    DCN_ACTIVATION_HARD_SWISH,   ///< v · min(1, max(0, v/6 + 1/2))
    DCN_ACTIVATION_TANH,
    DCN_ACTIVATION_GELU,         ///< v · ½ · (1 + erf(v / √2))
    DCN_ACTIVATION_GELU_TANH,    ///< v · ½ · (1 + tanh(√(2/π) · (v + 0.044715·v³)))
    DCN_ACTIVATION_MISH,         ///< v · tanh(ln(1 + eᵛ))
    DCN_ACTIVATION_ELU,          ///< v < 0 ? alpha·(eᵛ − 1) : v
} dcn_activation;

/// What happens to a sum before it is stored. All zero: nothing.
typedef struct {
    const float *bias;           ///< `dcn_padded(O)` floats, those past O zero; or null
    const float *residual;       ///< same pixels as the output, channels last; or null
    ptrdiff_t residual_stride;   ///< floats from one pixel of `residual` to the next
    dcn_activation activation;
    float alpha, beta;
    int32_t residual_last;       ///< 1: y = f(Σ + bias) + residual
} dcn_epilogue;

/// Where the outputs go: channels last.
typedef struct {
    float *data;                 ///< first output channel of the first pixel
    ptrdiff_t stride;            ///< floats from one pixel to the next, ≥ O
    ptrdiff_t clear;             ///< channels O ..< clear of each pixel are set to zero; ≤ stride. 0 or O: none
    int32_t streaming;           ///< 1: bypass the caches (an output that would not stay in them)
} dcn_output;

/// `count` rounded up to a multiple of 16: the channel stride of a tensor of its own, the length of a bias.
static inline ptrdiff_t dcn_padded(ptrdiff_t count) { return (count + 15) & ~(ptrdiff_t)15; }

// ---------------------------------------------------------------------------------------------- convolution

typedef struct {
    ptrdiff_t depth, height, width;
} dcn_extent;

/// A convolution, or (with `transposed`) its transpose.
///
///     y[o, p] = Σ w[o, c, t] · x[g(o)·C/G + c, p·stride − pad + t·dilation]
///     transposed: y[o, p] = Σ w[c, o, t] · x[c, q] over all q·stride − pad + t·dilation = p
///
/// Weights: O × C/G × kernel, transposed C × O/G × kernel, row major. `input` outside its extent is zero.
/// `output` may be any size ≥ 1: it is not derived here.
typedef struct {
    ptrdiff_t batch;
    ptrdiff_t channels;          ///< C, of all groups
    ptrdiff_t outputs;           ///< O, of all groups
    ptrdiff_t groups;            ///< G; divides C and O
    dcn_extent input, output, kernel, stride, dilation;
    dcn_extent pad;              ///< at the beginning of each axis; may be negative
    int32_t transposed;
} dcn_conv_shape;

/// How a convolution is computed, and so how its weights are packed.
typedef enum {
    DCN_CONV_DIRECT,             ///< any convolution, any group count; transposed ones too. Input channels last
    DCN_CONV_NARROW,             ///< groups of few channels (ResNeXt, depthwise with or without multiplier)
    DCN_CONV_ROWS,               ///< few input channels, channels last: patches are copied, then multiplied
    DCN_CONV_PLANES,             ///< few input channels, **row-major input**: the first layer of a network
    DCN_CONV_WINOGRAD_2,         ///< 3 × 3, stride 1: F(2×2), as exact as the direct sum
    DCN_CONV_WINOGRAD_4,         ///< F(4×4), about 3.5 × the rounding error of the direct sum
    DCN_CONV_WINOGRAD_6,         ///< F(6×6), about 7 × the rounding error of the direct sum
    DCN_CONV_PLANES_OUT,         ///< as `DCN_CONV_PLANES`, weights too, with row-major output and residual
    DCN_CONV_DEPTHWISE_PLANES,   ///< one channel to an output, weights as in `DCN_CONV_NARROW`: everything row major
    DCN_CONV_WINOGRAD_4_STRIDED, ///< 3 × 3, stride 2: F(4×4) of even and odd pixels, about 2 × the error
    DCN_CONV_WINOGRAD_3,         ///< F(3×3), 2 to 3 × the rounding error: what wide dilation leaves of small images
    DCN_CONV_WINOGRAD_PAIRS,     ///< 3 × 3 dilated so far that pixels see at most one other each way; as exact as the sum
    DCN_CONV_WINOGRAD_PLANES,    ///< 7 × 7 or 8 × 8, stride 2, up to 4 channels, **row-major input**: 3 × the error
    DCN_CONV_WINOGRAD_PLANES_OUT, ///< as `DCN_CONV_WINOGRAD_PLANES`, weights too, with row-major output and residual
} dcn_conv_form;

/// Which forms may be chosen.
typedef enum {
    DCN_ACCURACY_EXACT,          ///< rounding error no larger than that of the direct sum
    DCN_ACCURACY_DEFAULT,        ///< up to F(4×4), F(3×3) with it
    DCN_ACCURACY_FAST,           ///< up to F(6×6)
} dcn_accuracy;

/// A planned convolution. Fields past `packed_count` belong to the kernels.
typedef struct {
    dcn_conv_form form;
    dcn_conv_shape shape;
    ptrdiff_t tile_count;
    ptrdiff_t scratch_bytes;     ///< per thread, a multiple of 64
    ptrdiff_t packed_count;      ///< floats of packed weights
    ptrdiff_t block_rows;        ///< pixels (Winograd: tiles, planes: rows) of one tile
    ptrdiff_t block_columns;     ///< planes: columns of one tile
    ptrdiff_t block_taps;        ///< taps summed between two visits of an output
    ptrdiff_t block_channels;    ///< channels summed between two visits of an output
    ptrdiff_t row_tiles;
    ptrdiff_t panel_tiles;       ///< pieces the output channels are cut into
    ptrdiff_t panels_per_tile;
    ptrdiff_t thirds_bytes;      ///< the end of the scratch, where numbers are split for tiles; 0: they are not
} dcn_conv_plan;

/// Operands of one run. `x` is channels last with `x_stride`, but row major for the forms of planes, which ignore it;
/// strides of a row-major output and its residual are ignored likewise.
typedef struct {
    const float *x;
    ptrdiff_t x_stride;
    const float *packed;         ///< from `dcn_conv_pack`, 64-byte aligned
    dcn_output y;
    dcn_epilogue epilogue;
} dcn_conv_arguments;

/// Whether the form can compute the layer.
int dcn_conv_fits(dcn_conv_form form, const dcn_conv_shape *shape);

/// The form for channels-last input that is done soonest by an estimate, within the accuracy.
dcn_conv_form dcn_conv_choose(const dcn_conv_shape *shape, dcn_caches caches, dcn_accuracy accuracy);

/// The same for row-major input of few channels, where `DCN_CONV_PLANES` fits.
dcn_conv_form dcn_conv_choose_planes(const dcn_conv_shape *shape, dcn_caches caches, dcn_accuracy accuracy);

/// Outputs of an axis that are computed together: parts of a layer that begin at multiples of it give the bits of the whole.
ptrdiff_t dcn_conv_edge(dcn_conv_form form);

/// Floats `dcn_conv_pack` writes; −1 where the form does not fit, an extent is not positive, or a size overflows.
ptrdiff_t dcn_conv_packed_count(dcn_conv_form form, const dcn_conv_shape *shape);

/// Packs row-major weights; `packed` has `dcn_conv_packed_count` floats, all of which are written. Returns that count.
ptrdiff_t dcn_conv_pack(dcn_conv_form form, const dcn_conv_shape *shape, const float *weights, float *packed);

/// Fills the plan; 0 where the form does not fit or a size overflows, else 1.
/// `tiles_wanted`: eight for each thread that shares the tiles; fewer than 16: cut as is best for one thread.
int dcn_conv_make_plan(dcn_conv_form form, const dcn_conv_shape *shape, dcn_caches caches, dcn_isa isa,
                       ptrdiff_t tiles_wanted, dcn_conv_plan *plan);

/// Whether every output is stored once, by the tile that has read its residual: `y` may then be the residual.
int dcn_conv_stores_once(const dcn_conv_plan *plan);

// ---------------------------------------------------------------------------------------------- deformable

/// How a sample outside the image is read.
typedef enum {
    DCN_BORDER_ZERO,             ///< each corner outside counts as zero: fades out over one pixel (ONNX, torchvision)
    DCN_BORDER_CLAMP,            ///< zero unless 0 ≤ y < H and 0 ≤ x < W; inside, corners are clamped (MXNet, OpenVINO)
} dcn_border;

/// A deformable convolution.
///
///     y[o, p] = Σ w[o, c, t] · mask[g, t, p] · sample(x[c], p·stride − pad + t·dilation + offset[g, t, p])
///
/// with g = c / (C / offset_groups). Depth is 1; not transposed. Non-finite and far positions sample zero.
/// H·W·`x_stride` must be below 2³¹.
typedef struct {
    dcn_conv_shape conv;
    ptrdiff_t offset_groups;     ///< divides C
    dcn_border border;
    int32_t ones;                ///< 1: no weights, y[c] = Σ over taps; then groups = C = O, and `packed` is ignored
    int32_t x_first;             ///< 1: offset pairs are (x, y) instead of (y, x)
    int32_t column_major;        ///< 1: taps of offsets, masks are numbered down the columns of the kernel
    int32_t skip_centre;         ///< 1: the centre tap has neither offset, mask nor weight: it does not exist
    float offset_scale;          ///< a: position = centre + a · (tap − centre + offset); 1 where unsure
    int32_t row_major;           ///< 1: y is stored row major, N × O × OH × OW; its stride and `clear` are ignored
    int32_t levels;              ///< of Strassen's scheme, from `dcn_deform_choose`; weights are packed for it
} dcn_deform_shape;

/// Numbers per output pixel: element (n, channel, pixel) at
/// data[n·batch_stride + pixel·pixel_stride + channel·channel_stride].
/// Row major: pixel_stride 1, channel_stride OH·OW. Channels last: pixel_stride the tensor's, channel_stride 1.
/// One of the two strides is 1.
typedef struct {
    const float *data;
    ptrdiff_t batch_stride, pixel_stride, channel_stride;
} dcn_field;

/// Operands of one run. `x` is channels last.
/// Offset channel of group g, tap t: (g·T + t)·2, then its partner; mask channel: g·T + t.
typedef struct {
    const float *x;
    ptrdiff_t x_stride;
    dcn_field offset;
    dcn_field mask;              ///< data null: all ones
    int32_t mask_sigmoid;        ///< 1: the mask holds logits; the sigmoid is applied while reading
    const float *packed;         ///< from `dcn_deform_pack`, 64-byte aligned
    dcn_output y;
    dcn_epilogue epilogue;
} dcn_deform_arguments;

/// A planned deformable convolution. Fields past `packed_count` belong to the kernels.
typedef struct {
    dcn_deform_shape shape;
    ptrdiff_t tile_count;
    ptrdiff_t scratch_bytes;     ///< per thread, a multiple of 64; under 4 MiB up to 2¹⁸ channels
    ptrdiff_t packed_count;
    ptrdiff_t block_rows, block_taps, block_channels, row_tiles;
    int32_t order;               ///< how the sampled row is ordered
    int32_t fused;               ///< 1: every channel has its own output
    int32_t narrow;              ///< 1: groups of few channels, weights as in `DCN_CONV_NARROW`
    int32_t pixel_by_pixel;      ///< 1: corners are tabled for a pixel and the next one, not for all
    ptrdiff_t sets;              ///< Strassen's: sets of rows of a tile
    ptrdiff_t share_rows, share_tiles;   ///< of an image, for one thread: dealt in equal parts, each cut into tiles
    ptrdiff_t table_entries, panel_stride;
    ptrdiff_t table_bytes, panel_bytes, field_bytes;
    ptrdiff_t stage_bytes;       ///< of finished rows that wait to be stored row major
    ptrdiff_t thirds_bytes;      ///< as in `dcn_conv_plan`
} dcn_deform_plan;

/// Levels of Strassen's scheme that are worth it by an estimate, within the accuracy: each takes seven products of halves
/// for eight, at √2 times the rounding error, and 7/4 of the bytes of weights. 0: the plain sum.
int32_t dcn_deform_choose(const dcn_deform_shape *shape, dcn_caches caches, dcn_accuracy accuracy);

/// Floats `dcn_deform_pack` writes; −1 where the shape is refused or a size overflows. 0 with `ones`.
ptrdiff_t dcn_deform_packed_count(const dcn_deform_shape *shape);

/// Packs row-major weights O × C/G × KH × KW (without the centre tap where it is skipped). Returns the count.
ptrdiff_t dcn_deform_pack(const dcn_deform_shape *shape, const float *weights, float *packed);

/// Fills the plan; 0 where the shape is refused or a size overflows, else 1. `tiles_wanted` as above.
int dcn_deform_make_plan(const dcn_deform_shape *shape, dcn_caches caches, dcn_isa isa, ptrdiff_t tiles_wanted,
                         dcn_deform_plan *plan);

// ---------------------------------------------------------------------------------------------- matrix product

/// y[m, n] = f(scale · Σ a[m, k] · b[k, n] + bias[n] + addend_scale · addend[m, n] + residual[m, n])
///
/// Element (m, k) of A is a[m·a_row + k·a_inner], likewise B and the addend, whose steps may be 0. With `packed`, B is
/// from `dcn_matmul_pack`, which has applied the scale; else it is read as it lies, or copied in pieces by the tiles.
typedef struct {
    ptrdiff_t rows, inner, columns;
    ptrdiff_t a_row, a_inner;
    ptrdiff_t b_inner, b_column;
    ptrdiff_t addend_row, addend_column;
    float scale, addend_scale;
    int32_t packed, has_addend;
} dcn_matmul_shape;

/// A planned product. Fields past `scratch_bytes` belong to the kernels.
typedef struct {
    dcn_matmul_shape shape;
    ptrdiff_t tile_count;
    ptrdiff_t scratch_bytes;     ///< per thread, a multiple of 64
    ptrdiff_t block_rows, block_inner, tile_rows, row_tiles, panel_tiles, panels_per_tile;
    int32_t form;
} dcn_matmul_plan;

/// Operands of one product. `epilogue.residual_last` must be 0.
typedef struct {
    const float *a, *b, *addend;
    float *y;                    ///< y[m·y_stride + n]
    ptrdiff_t y_stride;
    dcn_epilogue epilogue;
} dcn_matmul_arguments;

/// Floats `dcn_matmul_pack` writes: K · padded(N); −1 on a negative extent or overflow.
ptrdiff_t dcn_matmul_packed_count(const dcn_matmul_shape *shape);

/// Pieces `dcn_matmul_pack` can be cut into: one per 64 columns.
ptrdiff_t dcn_matmul_pack_tiles(const dcn_matmul_shape *shape);

/// Packs 64 columns of B, read by the steps of the shape and multiplied by its scale.
void dcn_matmul_pack(const dcn_matmul_shape *shape, const float *b, ptrdiff_t tile, float *packed);

/// Fills the plan; 0 on a negative extent or overflow, else 1. `tiles_wanted` as above.
int dcn_matmul_make_plan(const dcn_matmul_shape *shape, dcn_caches caches, ptrdiff_t tiles_wanted,
                         dcn_matmul_plan *plan);

// ---------------------------------------------------------------------------------------------- layout change

/// Between row major (rows of `pixels` floats per channel, planes of one image adjacent) and channels last.
typedef struct {
    const float *x;
    float *y;
    ptrdiff_t batch, channels, pixels;
    ptrdiff_t stride;            ///< of the channels-last side, floats per pixel
    ptrdiff_t clear;             ///< to channels last: channels C ..< clear are set to zero; 0 or C: none
    ptrdiff_t row_major_stride;  ///< floats from one image of the row-major side to the next; C·pixels where adjacent
    int32_t streaming;           ///< 1: bypass the caches where lines are whole and aligned
} dcn_relayout;

/// Tiles of a layout change.
ptrdiff_t dcn_relayout_tiles(const dcn_relayout *job);

// ---------------------------------------------------------------------------------------------- the table

/// The kernels of one instruction set.
typedef struct {
    void (*conv)(const dcn_conv_plan *plan, const dcn_conv_arguments *arguments, ptrdiff_t tile, void *scratch);
    void (*deform)(const dcn_deform_plan *plan, const dcn_deform_arguments *arguments, ptrdiff_t tile, void *scratch);
    void (*matmul)(const dcn_matmul_plan *plan, const dcn_matmul_arguments *arguments, ptrdiff_t tile, void *scratch);
    void (*to_channels_last)(const dcn_relayout *job, ptrdiff_t tile);
    void (*to_row_major)(const dcn_relayout *job, ptrdiff_t tile);
    /// Runs `rounds` rounds of independent multiply-adds in registers and returns the floating-point operations
    /// done (two per multiply-add and lane): over the time it took, the peak of this instruction set.
    double (*peak)(ptrdiff_t rounds);
} dcn_conv_table;

/// The kernels of an instruction set; null where the machine cannot run it or the library was not built for it.
const dcn_conv_table *dcn_conv_kernels(dcn_isa isa);

#ifdef __cplusplus
}
#endif

#endif

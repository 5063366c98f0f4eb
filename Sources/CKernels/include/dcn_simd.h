// Kernels around the convolutions: maps, reductions, normalisations, pooling, sampling, regions, movement.
//
// Every function works on a tile with buffers of the caller, allocates nothing and keeps no state. Results of
// an element do not depend on how work is cut into tiles. Pointers need the alignment of their element only,
// `scratch` wants 64 bytes. Counts may be zero. Errors are bounded in units in the last place (ulp) of the
// result; denormals are kept, infinities and NaN follow IEEE 754 and C's <math.h>.
#ifndef DCN_SIMD_H
#define DCN_SIMD_H

#include "dcn_isa.h"
#include "dcn_simd_types.h"

typedef struct {
    // Maps

    /// y = op(x) over rows. Correctly rounded where the formula has one operation, within 4 ulp otherwise (mish 8);
    /// gelu and hard-swish within 2^-22 |x|; silu and mish |x| times the least denormal more.
    void (*unary_f32)(dcn_unary op, float alpha, float beta, const dcn_rows *shape, const float *x, float *y);
    /// y = op(a, b). Pow within 2 ulp, the others correctly rounded.
    void (*binary_f32)(dcn_binary op, const dcn_broadcast *shape, const float *a, const float *b, float *y);
    void (*binary_f64)(dcn_binary op, const dcn_broadcast *shape, const double *a, const double *b, double *y);
    void (*binary_i32)(dcn_binary op, const dcn_broadcast *shape, const int32_t *a, const int32_t *b, int32_t *y);
    void (*binary_i64)(dcn_binary op, const dcn_broadcast *shape, const int64_t *a, const int64_t *b, int64_t *y);
    /// y = act(a + b): a residual sum and its activation.
    void (*add_activate_f32)(dcn_unary act, float alpha, float beta, const dcn_broadcast *shape, const float *a,
                             const float *b, float *y);
    /// y = a op b as a byte.
    void (*compare_f32)(dcn_compare op, const dcn_broadcast *shape, const float *a, const float *b, uint8_t *y);
    void (*compare_f64)(dcn_compare op, const dcn_broadcast *shape, const double *a, const double *b, uint8_t *y);
    void (*compare_i32)(dcn_compare op, const dcn_broadcast *shape, const int32_t *a, const int32_t *b, uint8_t *y);
    void (*compare_i64)(dcn_compare op, const dcn_broadcast *shape, const int64_t *a, const int64_t *b, uint8_t *y);
    /// y = c ? a : b for elements of `width` bytes (1, 2, 4, 8 or 16).
    void (*where)(size_t width, const dcn_broadcast *shape, const uint8_t *c, const void *a, const void *b, void *y);

    // Normalisation

    /// Softmax (or its logarithm) of each row.
    void (*softmax_rows_f32)(int logarithm, const dcn_rows *shape, const float *x, float *y);
    /// Softmax over the rows of each column: x[r * x_row + j] over r; cut columns to make tiles. Padding is
    /// after the columns of each row.
    void (*softmax_columns_f32)(int logarithm, const dcn_rows *shape, const float *x, float *y);
    /// y = (x - mean) / sqrt(variance + epsilon) * scale + bias by row, scale and bias having `columns` entries or null.
    /// `mean` and `deviation` (1 / sqrt(…)) get one value for each row unless null.
    void (*layer_norm_rows_f32)(const dcn_rows *shape, float epsilon, const float *x, const float *scale,
                                const float *bias, float *y, float *mean, float *deviation);
    /// y = x / sqrt(mean of x x + epsilon) * scale by row; scale may be null.
    void (*rms_norm_rows_f32)(const dcn_rows *shape, float epsilon, const float *x, const float *scale, float *y);
    /// Mean and variance (of the population) of each row of `columns` elements x_row apart.
    void (*moments_rows_f32)(const dcn_rows *shape, const float *x, float *mean, float *variance);
    /// Mean and variance of each column over the rows: one image channels last.
    void (*moments_columns_f32)(const dcn_rows *shape, const float *x, float *mean, float *variance);
    /// y = act(x * scale[r] + shift[r]): batch normalisation row-major, one row for each channel.
    void (*scale_shift_rows_f32)(dcn_unary act, float alpha, float beta, const dcn_rows *shape, const float *x,
                                 const float *scale, const float *shift, float *y);
    /// y = (x - mean) * scale[r] + shift[r], with one mean for all rows; y may be x.
    void (*centre_rows_f32)(const dcn_rows *shape, float mean, const float *x, const float *scale, const float *shift,
                            float *y);
    /// y = act(x * scale[j] + shift[j]): batch normalisation channels last, one row for each pixel.
    void (*scale_shift_columns_f32)(dcn_unary act, float alpha, float beta, const dcn_rows *shape, const float *x,
                                    const float *scale, const float *shift, float *y);
    /// y = x / (bias + alpha / size * sum of squares over the channels c - (size - 1) / 2 … c + size / 2)^beta; rows are
    /// pixels channels last.
    void (*lrn_last_f32)(const dcn_rows *shape, size_t size, float alpha, float beta, float bias, const float *x, float *y);
    /// The same with rows as channels (of one image, row-major), all of them given; cut columns to make tiles.
    void (*lrn_rows_f32)(const dcn_rows *shape, size_t size, float alpha, float beta, float bias, const float *x, float *y);

    // Reduction

    /// y[r] = the reduction of row r. `y_row` and `padding` are not read.
    void (*reduce_rows_f32)(dcn_reduce op, const dcn_rows *shape, const float *x, float *y);
    /// y[j] = the reduction over the rows of column j; then `padding` zeros. `y_row` is not read.
    void (*reduce_columns_f32)(dcn_reduce op, const dcn_rows *shape, const float *x, float *y);
    /// y[r] = index of the greatest (least) of row r, the first or last of equals; NaN beats everything.
    void (*arg_rows_f32)(int least, int last, const dcn_rows *shape, const float *x, int64_t *y);
    /// y[j] = index of the row with the greatest (least) of column j.
    void (*arg_columns_f32)(int least, int last, const dcn_rows *shape, const float *x, int64_t *y);

    // Pooling, for one image. A tile is output rows [begin, end), counted over depth and height.

    /// Channels last. `index` (may be null; maxima only) is row-major [C, output…]: position within a channel plane plus
    /// c * plane + index_base. A maximum ignores NaN and is -infinity over no cell; an average over no cell is 0.
    void (*pool_last_f32)(dcn_pool_kind kind, const dcn_pool *shape, const float *x, float *y, int64_t *index,
                          size_t begin, size_t end);
    /// Row-major: C planes of x, C planes of y, `index` as y.
    void (*pool_rows_f32)(dcn_pool_kind kind, const dcn_pool *shape, const float *x, float *y, int64_t *index,
                          size_t begin, size_t end);

    // Resizing and sampling, for one image

    /// Separable resizing of output rows [begin, end); scratch: dcn_resize_scratch bytes.
    void (*resize_last_f32)(const dcn_resize *shape, const float *x, float *y, void *scratch, size_t begin, size_t end);
    /// The same for C row-major planes; a tile is a range of c * output height + row.
    void (*resize_rows_f32)(const dcn_resize *shape, const float *x, float *y, void *scratch, size_t begin, size_t end);
    /// y[p] = x sampled at grid[2 p], grid[2 p + 1] for points [begin, end); channels last in and out.
    void (*grid_sample_last_f32)(const dcn_grid_sample *shape, const float *x, const float *grid, float *y,
                                 size_t begin, size_t end);
    /// The same row-major: C planes of x, C rows of `points` in y.
    void (*grid_sample_rows_f32)(const dcn_grid_sample *shape, const float *x, const float *grid, float *y,
                                 size_t begin, size_t end);

    // Regions [begin, end) of interest; x channels last; scratch: dcn_roi_scratch bytes

    /// RoiAlign in all its modes.
    void (*roi_align_f32)(const dcn_roi *shape, const float *x, const dcn_regions *regions, float *y, void *scratch,
                          size_t begin, size_t end);
    /// RoiAlign of rotated regions.
    void (*roi_align_rotated_f32)(const dcn_roi *shape, const float *x, const dcn_regions *regions, float *y,
                                  void *scratch, size_t begin, size_t end);
    /// Maxima over bins of whole pixels: edges are rounded after scaling, ends inclusive, empty bins 0.
    void (*roi_max_pool_f32)(const dcn_roi *shape, const float *x, const dcn_regions *regions, float *y, void *scratch,
                             size_t begin, size_t end);
    /// mmcv's deformable RoI pooling: RoiAlign whose bins are moved by trans_scale * size * trans[r, {x, y}, ph, pw].
    void (*roi_deform_pool_f32)(const dcn_roi *shape, const float *x, const dcn_regions *regions, float *y,
                                void *scratch, size_t begin, size_t end);

    // Position sensitive pooling; x row-major [N, OD * G * G, H, W], y row-major [R, OD, PH, PW].
    // A tile is a range of dcn_ps_roi_units; scratch: dcn_ps_roi_scratch bytes; `rois` is the number of regions.

    /// Averages over bins of whole pixels; `region` chooses the rounding.
    void (*ps_roi_pool_f32)(const dcn_roi *shape, const float *x, const dcn_regions *regions, size_t rois, float *y,
                            void *scratch, size_t begin, size_t end);
    /// Averages over RoiAlign's samples.
    void (*ps_roi_align_f32)(const dcn_roi *shape, const float *x, const dcn_regions *regions, size_t rois, float *y,
                             void *scratch, size_t begin, size_t end);
    /// Deformable position sensitive pooling: samples_y * samples_x samples from the edge of each bin, moved by
    /// trans_scale * size * trans; samples farther than half a pixel outside are not counted.
    void (*ps_roi_deform_pool_f32)(const dcn_roi *shape, const float *x, const dcn_regions *regions, size_t rois,
                                   float *y, void *scratch, size_t begin, size_t end);

    // Movement, for elements of `width` bytes (1, 2, 4, 8 or 16); x and y do not overlap

    /// y[strides · i] = x[strides · i] for all indices i: transposition, slicing, concatenation, expansion.
    void (*copy)(size_t width, const dcn_copy *shape, const void *x, void *y);
    /// count elements of y become *value.
    void (*fill)(size_t width, const void *value, void *y, size_t count);
    /// Row r of y is row index[r] of x, `row_bytes` each; the indices are checked by the caller.
    void (*gather_rows)(size_t row_bytes, size_t rows, const int64_t *index, const void *x, void *y);

    // Conversion

    /// Elements of any type to float32, correctly rounded.
    void (*to_f32)(dcn_element from, const void *x, float *y, size_t count);
    /// float32 to any type: floats to nearest even (float8: `saturate` chooses between the greatest finite value and
    /// infinity or NaN), integers toward zero, beyond their range the nearest bound, NaN 0.
    void (*from_f32)(dcn_element to, int saturate, const float *x, void *y, size_t count);
    /// Between types of whole bytes that are not narrower floats; integers wrap, floats to integers as `from_f32`.
    void (*cast)(dcn_element from, dcn_element to, const void *x, void *y, size_t count);
    /// One byte for each packed 4- or 2-bit integer, and back (low bits kept).
    void (*unpack)(dcn_element from, const uint8_t *x, uint8_t *y, size_t count);
    void (*pack)(dcn_element to, const uint8_t *x, uint8_t *y, size_t count);
    /// y = saturate(round half even(x / scale) + zero). Scale of (r, j) is scale[r * a_row + j * a_column] (a's
    /// strides), zero likewise; `zero` may be null. `to` is I8, U8, I16, U16, or I4 … U2 as one byte each.
    void (*quantize)(dcn_element to, const dcn_broadcast *shape, const float *x, const float *scale, const int32_t *zero,
                     void *y);
    /// y = (x - zero) * scale, strides as above; `from` as above or I32. x is x[r * b_row + j].
    void (*dequantize)(dcn_element from, const dcn_broadcast *shape, const void *x, const float *scale,
                       const int32_t *zero, float *y);
} dcn_simd_table;

/// The kernels for an instruction set; null when this machine cannot run it.
const dcn_simd_table *dcn_simd_kernels(dcn_isa isa);

/// Bytes of scratch that resizing wants.
size_t dcn_resize_scratch(const dcn_resize *shape);
/// Bytes of scratch that the kernels of regions want, the position sensitive ones excepted.
size_t dcn_roi_scratch(const dcn_roi *shape);
/// Bytes of scratch, and units of work, of position sensitive pooling.
size_t dcn_ps_roi_scratch(const dcn_roi *shape);
size_t dcn_ps_roi_units(const dcn_roi *shape);

/// A checksum of 8 lanes of 64 bits, each turned by 13 and added to word by word, multiplied once in 1,024 bytes, and
/// folded; the same on every machine.
uint64_t dcn_checksum(const void *bytes, size_t count);

#endif

// What the element-wise, reducing, pooling, sampling and moving kernels are asked to do.
//
// Lengths, strides and offsets count elements unless a name says bytes. "Channels last" means that element
// (n, c, h, w) lies at ((n * H + h) * W + w) * cs + c, cs being C rounded up to a multiple of 16 and the
// lanes from C to cs zero.
#ifndef DCN_SIMD_TYPES_H
#define DCN_SIMD_TYPES_H

#include <stddef.h>
#include <stdint.h>

/// Maps of one operand; `alpha` and `beta` are the parameters named in the formula.
typedef enum {
    DCN_UNARY_IDENTITY,          ///< x
    DCN_UNARY_RELU,              ///< max(x, 0), NaN kept
    DCN_UNARY_LEAKY_RELU,        ///< x < 0 ? alpha x : x
    DCN_UNARY_CLIP,              ///< min(max(x, alpha), beta), NaN kept
    DCN_UNARY_SIGMOID,           ///< 1 / (1 + exp(-x))
    DCN_UNARY_SILU,              ///< x / (1 + exp(-alpha x)); alpha is 1 for SiLU
    DCN_UNARY_TANH,              ///< tanh x
    DCN_UNARY_GELU,              ///< x (1 + erf(x / sqrt 2)) / 2
    DCN_UNARY_GELU_TANH,         ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
    DCN_UNARY_EXP,               ///< e^x
    DCN_UNARY_LOG,               ///< ln x
    DCN_UNARY_SQRT,              ///< square root, correctly rounded
    DCN_UNARY_RSQRT,             ///< 1 / sqrt x
    DCN_UNARY_RECIPROCAL,        ///< 1 / x
    DCN_UNARY_NEG,               ///< -x
    DCN_UNARY_ABS,               ///< |x|
    DCN_UNARY_FLOOR,             ///< floor x
    DCN_UNARY_CEIL,              ///< ceiling of x
    DCN_UNARY_ROUND,             ///< nearest integer, halves to even
    DCN_UNARY_ERF,               ///< error function
    DCN_UNARY_SOFTPLUS,          ///< ln(1 + e^x)
    DCN_UNARY_SOFTSIGN,          ///< x / (1 + |x|)
    DCN_UNARY_ELU,               ///< x < 0 ? alpha (e^x - 1) : x
    DCN_UNARY_SELU,              ///< beta (x > 0 ? x : alpha (e^x - 1))
    DCN_UNARY_CELU,              ///< max(0, x) + min(0, alpha (e^(x / alpha) - 1))
    DCN_UNARY_HARD_SIGMOID,      ///< min(max(alpha x + beta, 0), 1)
    DCN_UNARY_HARD_SWISH,        ///< x min(max(x / 6 + 1/2, 0), 1)
    DCN_UNARY_MISH,              ///< x tanh(ln(1 + e^x))
    DCN_UNARY_THRESHOLDED_RELU,  ///< x > alpha ? x : 0
    DCN_UNARY_SIN,               ///< sin x
    DCN_UNARY_COS,               ///< cos x
    DCN_UNARY_SIGN,              ///< -1, 0 or 1; NaN kept
    DCN_UNARY_SQUARE,            ///< x x
    DCN_UNARY_AFFINE,            ///< alpha x + beta
    DCN_UNARY_SHRINK,            ///< x < -alpha ? x + beta : x > alpha ? x - beta : 0
    DCN_UNARY_COUNT              ///< how many there are
} dcn_unary;

/// Maps of two operands. Of floats, max and min give NaN where an operand is NaN; integers wrap, and dividing
/// by zero gives 0.
typedef enum {
    DCN_BINARY_ADD,
    DCN_BINARY_SUB,
    DCN_BINARY_MUL,
    DCN_BINARY_DIV,
    DCN_BINARY_MAX,
    DCN_BINARY_MIN,
    DCN_BINARY_POW,    ///< a to the b as C's pow; floats only
    DCN_BINARY_PRELU,  ///< a < 0 ? a b : a; floats only
    DCN_BINARY_COUNT
} dcn_binary;

/// Comparisons, answered with bytes 0 and 1; anything compared with NaN is 0.
typedef enum {
    DCN_COMPARE_EQUAL,
    DCN_COMPARE_LESS,
    DCN_COMPARE_LESS_OR_EQUAL,
    DCN_COMPARE_GREATER,
    DCN_COMPARE_GREATER_OR_EQUAL,
    DCN_COMPARE_COUNT
} dcn_compare;

/// What a reduction gives; see the formula of each. Sums of float32 are made in blocks fixed by the shape.
typedef enum {
    DCN_REDUCE_SUM,
    DCN_REDUCE_MEAN,
    DCN_REDUCE_MAX,          ///< NaN if there is one; -infinity of nothing
    DCN_REDUCE_MIN,          ///< NaN if there is one; infinity of nothing
    DCN_REDUCE_PROD,
    DCN_REDUCE_SUM_SQUARE,   ///< sum of x x
    DCN_REDUCE_L1,           ///< sum of |x|
    DCN_REDUCE_L2,           ///< sqrt of the sum of x x
    DCN_REDUCE_LOG_SUM,      ///< ln of the sum
    DCN_REDUCE_LOG_SUM_EXP,  ///< ln of the sum of e^x, the greatest x taken out first
    DCN_REDUCE_COUNT
} dcn_reduce;

/// Types of stored elements that kernels convert. Packed ones hold the first element in the lowest bits.
typedef enum {
    DCN_ELEMENT_F32,
    DCN_ELEMENT_F64,
    DCN_ELEMENT_F16,
    DCN_ELEMENT_BF16,
    DCN_ELEMENT_F8E4M3FN,
    DCN_ELEMENT_F8E4M3FNUZ,
    DCN_ELEMENT_F8E5M2,
    DCN_ELEMENT_F8E5M2FNUZ,
    DCN_ELEMENT_F8E8M0,
    DCN_ELEMENT_F4E2M1,  ///< two in a byte
    DCN_ELEMENT_I8,
    DCN_ELEMENT_U8,
    DCN_ELEMENT_I16,
    DCN_ELEMENT_U16,
    DCN_ELEMENT_I32,
    DCN_ELEMENT_U32,
    DCN_ELEMENT_I64,
    DCN_ELEMENT_U64,
    DCN_ELEMENT_BOOL,  ///< a byte, 0 or 1
    DCN_ELEMENT_I4,    ///< two in a byte
    DCN_ELEMENT_U4,    ///< two in a byte
    DCN_ELEMENT_I2,    ///< four in a byte
    DCN_ELEMENT_U2,    ///< four in a byte
    DCN_ELEMENT_COUNT
} dcn_element;

/// Flags beside `saturate` of conversions to F8E8M0: toward the greater or the lesser power instead of the nearest.
enum { DCN_ROUND_UP = 2, DCN_ROUND_DOWN = 4 };

/// Rows of one operand: row r of x begins at x + r * x_row, of y at y + r * y_row; after the `columns` results of
/// each row of y, `padding` elements are set to zero. x and y may be the same.
typedef struct {
    size_t rows, columns;
    size_t x_row, y_row;
    size_t padding;
} dcn_rows;

/// Rows of several operands: element (r, j) of a is a[r * a_row + j * a_column], and so for b and the condition c
/// of `where`. A column stride is 0 (one value for the row) or 1; a row stride of 0 repeats the row. y is
/// y[r * y_row + j], then `padding` zeros. y may be a or b itself where that operand has the shape of y.
typedef struct {
    size_t rows, columns;
    size_t a_row, b_row, c_row, y_row;
    size_t a_column, b_column, c_column;
    size_t padding;
} dcn_broadcast;

/// Pooling over up to three spatial axes (depth, height, width; unused ones have extent, kernel, stride and
/// dilation 1 and no padding).
typedef struct {
    size_t channels;                ///< C
    size_t x_stride, y_stride;      ///< channels last: distance of pixels of x and of y, multiples of 16
    size_t extent[3];               ///< of x
    size_t output[3];               ///< of y; the caller decides by floor or ceiling
    size_t kernel[3], stride[3], dilation[3];
    ptrdiff_t pad_begin[3], pad_end[3];
    int count_include_pad;          ///< averages divide by the cells within the padded extent, not only the real
    int order;                      ///< p of Lp pooling, at least 1
    int column_major;               ///< indices count the last axis slowest
    int64_t index_base;             ///< added to the indices of the maxima
} dcn_pool;

typedef enum { DCN_POOL_MAX, DCN_POOL_AVERAGE, DCN_POOL_LP } dcn_pool_kind;

/// One resized axis: output coordinate o is the sum over t < taps of weights[o * taps + t] times the source at
/// index[o * taps + t], which is below `source`. An index[o * taps] below 0 gives the fill value.
typedef struct {
    size_t source, output, taps;
    const int32_t *index;
    const float *weights;
} dcn_axis;

/// A resized image of C channels.
typedef struct {
    dcn_axis height, width;
    size_t channels;
    size_t x_stride, y_stride;  ///< channels last: distance of pixels
    float fill;                 ///< for output coordinates outside
} dcn_resize;

typedef enum { DCN_SAMPLE_BILINEAR, DCN_SAMPLE_NEAREST, DCN_SAMPLE_BICUBIC } dcn_sample_mode;
typedef enum { DCN_OUTSIDE_ZEROS, DCN_OUTSIDE_BORDER, DCN_OUTSIDE_REFLECTION } dcn_outside;

/// Sampling of an image at the points of a grid, given as pairs (x, y) where -1 and 1 are the edges.
typedef struct {
    size_t channels, height, width;
    size_t x_stride, y_stride;  ///< channels last: distance of pixels
    size_t points;              ///< output pixels of one image
    dcn_sample_mode mode;       ///< bicubic has A = -0.75, nearest rounds halves to even
    dcn_outside outside;
    int align_corners;          ///< -1 and 1 are centres of the outermost pixels, not their outer edges
} dcn_grid_sample;

/// How samples of a bin become one value.
typedef enum {
    DCN_ROI_AVERAGE,     ///< sum / count; samples outside count as 0
    DCN_ROI_MAX,         ///< greatest interpolated value, beginning with `initial`
    DCN_ROI_MAX_CORNER,  ///< greatest weight * corner of all samples (ONNX's `max`); 0 without samples
} dcn_roi_mode;

/// Where the edges of a region lie, s being `scale`.
typedef enum {
    DCN_REGION_EXACT,         ///< x1 s - offset to x2 s - offset
    DCN_REGION_ROUND_BEFORE,  ///< round(x1) s - offset to (round(x2) + 1) s - offset
    DCN_REGION_ROUND_AFTER,   ///< round(x1 s) to round(x2 s); bins cut at H - 1 and W - 1 (torchvision's pooling)
} dcn_region;

/// Regions of interest, their bins and how they are pooled. A region is a row of `roi_stride` floats:
/// (batch, x1, y1, x2, y2), or (x1, y1, x2, y2) when `batches` is given apart; rotated ones have
/// (cx, cy, w, h, theta) instead of corners. A batch index outside [0, batch) gives zeros. Regions that are
/// inverted, outside or not finite are legal.
typedef struct {
    size_t batch, channels, height, width;  ///< of x
    size_t x_stride;                        ///< channels last: distance of pixels
    size_t roi_stride;
    size_t pooled_height, pooled_width;
    size_t y_stride;       ///< 0: y is row-major [R, C, PH, PW]; otherwise channels last with this stride
    float scale;
    float offset;          ///< subtracted from scaled coordinates: 0.5 when aligned
    float minimum;         ///< least width and height of a region; -infinity for none
    int sampling_ratio;    ///< samples of a bin along each axis, bounded by the caller; 0 or less: ceil(size / bins)
    int empty_is_nan;      ///< an empty grid gives NaN instead of 0
    dcn_roi_mode mode;
    float initial;         ///< of DCN_ROI_MAX: -FLT_MAX, -10000, or 0
    float angle_scale;     ///< rotated: theta times this is the angle in radians, y = yy cos - xx sin + cy
    dcn_region region;     ///< position sensitive pooling
    size_t output_channels, group;  ///< position sensitive: x has output_channels * group * group channels
    size_t part, classes;  ///< deformable: trans is [R, 2 * classes, part, part]
    float trans_scale;     ///< deformable: factor of trans (trans_std, gamma)
    int samples_y, samples_x;  ///< deformable position sensitive: samples of a bin
} dcn_roi;

/// Regions as they lie in memory. `trans` may be null: no displacement.
typedef struct {
    const float *rois;
    const int64_t *batches;  ///< null: first column of `rois`
    const float *trans;
} dcn_regions;

/// A copy between strided arrays, up to 8 axes, slowest first; strides count elements.
typedef struct {
    size_t rank;
    size_t extent[8];
    ptrdiff_t x_stride[8], y_stride[8];
} dcn_copy;

#endif

// Vectors of one instruction set. A translation unit defines DCN_LANES (floats in a register) and what the
// instruction set can do, opens the target region, then includes this and the families.

// Vectors wider than a register are passed between static functions of one translation unit only.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float vf __attribute__((ext_vector_type(DCN_LANES)));
typedef int32_t vi __attribute__((ext_vector_type(DCN_LANES)));
typedef uint32_t vu __attribute__((ext_vector_type(DCN_LANES)));
typedef double vd __attribute__((ext_vector_type(DCN_LANES)));
typedef int64_t vl __attribute__((ext_vector_type(DCN_LANES)));
typedef float vf_loose __attribute__((ext_vector_type(DCN_LANES), aligned(4), may_alias));
typedef int32_t vi_loose __attribute__((ext_vector_type(DCN_LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *x) { return *(const vf_loose *)x; }
INLINE void store(float *y, vf v) { *(vf_loose *)y = v; }
INLINE vf splat(float x) { return (vf)x; }
INLINE vi bits(vf v) { return (vi)v; }
INLINE vf floats(vi v) { return (vf)v; }
INLINE vf choose(vi mask, vf yes, vf no) { return floats((mask & bits(yes)) | (~mask & bits(no))); }

// The first `count` lanes, the others `fill`; nothing behind them is read or written.
#if defined(__x86_64__) && DCN_LANES == 16
INLINE vf load_part(const float *x, size_t count, float fill) {
    return (vf)_mm512_mask_loadu_ps((__m512)splat(fill), (__mmask16)((1u << count) - 1), x);
}
INLINE void store_part(float *y, vf v, size_t count) {
    _mm512_mask_storeu_ps(y, (__mmask16)((1u << count) - 1), (__m512)v);
}
#else
INLINE vf load_part(const float *x, size_t count, float fill) {
    float lanes[DCN_LANES] __attribute__((aligned(64)));
    for (size_t i = 0; i < DCN_LANES; i++) lanes[i] = fill;
    memcpy(lanes, x, count * sizeof(float));
    return *(const vf *)lanes;
}

INLINE void store_part(float *y, vf v, size_t count) {
    float lanes[DCN_LANES] __attribute__((aligned(64)));
    *(vf *)lanes = v;
    memcpy(y, lanes, count * sizeof(float));
}
#endif

// Either operand's NaN is the first's to lose: x > y ? x : y.
INLINE vf greater_of(vf x, vf y) { return x > y ? x : y; }
INLINE vf less_of(vf x, vf y) { return x < y ? x : y; }

// NaN if there is one.
INLINE vf max_nan(vf x, vf y) {
    vf m = x > y ? x : y;
    return choose(x != x, x, m);
}
INLINE vf min_nan(vf x, vf y) {
    vf m = x < y ? x : y;
    return choose(x != x, x, m);
}

INLINE vf magnitude(vf x) { return floats(bits(x) & 0x7fffffff); }
INLINE vf with_sign(vf x, vf sign) { return floats((bits(x) & 0x7fffffff) | (bits(sign) & (int32_t)0x80000000)); }

#if DCN_HAS_ROUND
INLINE vf round_even(vf x) { return __builtin_elementwise_roundeven(x); }
INLINE vf round_down(vf x) { return __builtin_elementwise_floor(x); }
INLINE vf round_up(vf x) { return __builtin_elementwise_ceil(x); }
#else
// Adding 2^23 leaves no room for a fraction; greater magnitudes have none.
INLINE vf round_even(vf x) {
    vf big = splat(8388608.0f), a = magnitude(x);
    vf r = (a + big) - big;
    return with_sign(choose(a < big, r, a), x);
}
INLINE vf round_down(vf x) {
    vf r = round_even(x);
    return with_sign(r - floats((r > x) & bits(splat(1.0f))), x);
}
INLINE vf round_up(vf x) {
    vf r = round_even(x);
    return with_sign(r + floats((r < x) & bits(splat(1.0f))), x);
}
#endif

INLINE vf square_root(vf x) { return __builtin_elementwise_sqrt(x); }

// Truncation of values known to be within the range of int32.
INLINE vi whole(vf x) { return __builtin_convertvector(x, vi); }
INLINE vf real(vi x) { return __builtin_convertvector(x, vf); }

// Lanes folded by halves, so that the order is the same for every use.
INLINE float sum_lanes(vf v) {
    float lanes[DCN_LANES] __attribute__((aligned(64)));
    *(vf *)lanes = v;
    for (size_t half = DCN_LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) lanes[i] += lanes[i + half];
    return lanes[0];
}

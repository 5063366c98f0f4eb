#include "../simd_private.h"

// Floats to integers go toward zero, to the nearest bound beyond the range; the bounds are exact or rounded away from it.
#define BOUNDED(T, LOW, HIGH, v) ((v) != (v) ? (T)0 : (v) <= (LOW) ? (T)(LOW) : (v) >= (HIGH) ? (T)(HIGH) : (T)(v))
#define I64_BOUNDED(v) ((v) != (v) ? 0 : (v) < -0x1p63 ? INT64_MIN : (v) >= 0x1p63 ? INT64_MAX : (int64_t)(v))
#define U64_BOUNDED(v) ((v) != (v) || (v) <= 0 ? 0 : (v) >= 0x1p64 ? UINT64_MAX : (uint64_t)(v))

#define EACH(T, EXPRESSION)                                                                                           \
    {                                                                                                                 \
        T *out = y;                                                                                                   \
        for (size_t i = 0; i < count; i++) out[i] = EXPRESSION;                                                       \
        break;                                                                                                        \
    }

#define FROM_FLOAT(NAME, F)                                                                                           \
    static void NAME(dcn_element to, const F *x, void *y, size_t count) {                                             \
        switch (to) {                                                                                                 \
        case DCN_ELEMENT_F32: EACH(float, (float)x[i])                                                                \
        case DCN_ELEMENT_F64: EACH(double, (double)x[i])                                                              \
        case DCN_ELEMENT_I8: EACH(int8_t, BOUNDED(int8_t, -128, 127, x[i]))                                           \
        case DCN_ELEMENT_U8: EACH(uint8_t, BOUNDED(uint8_t, 0, 255, x[i]))                                            \
        case DCN_ELEMENT_I16: EACH(int16_t, BOUNDED(int16_t, -32768, 32767, x[i]))                                    \
        case DCN_ELEMENT_U16: EACH(uint16_t, BOUNDED(uint16_t, 0, 65535, x[i]))                                       \
        case DCN_ELEMENT_I32: EACH(int32_t, BOUNDED(int32_t, -2147483648.0, 2147483647.0, (double)x[i]))              \
        case DCN_ELEMENT_U32: EACH(uint32_t, BOUNDED(uint32_t, 0.0, 4294967295.0, (double)x[i]))                      \
        case DCN_ELEMENT_I64: EACH(int64_t, I64_BOUNDED(x[i]))                                                        \
        case DCN_ELEMENT_U64: EACH(uint64_t, U64_BOUNDED(x[i]))                                                       \
        case DCN_ELEMENT_BOOL: EACH(uint8_t, x[i] != 0)                                                               \
        default: break;                                                                                               \
        }                                                                                                             \
    }
FROM_FLOAT(from_float, float)
FROM_FLOAT(from_double, double)

#define FROM_INTEGER(NAME, F)                                                                                         \
    static void NAME(dcn_element to, const F *x, void *y, size_t count) {                                             \
        switch (to) {                                                                                                 \
        case DCN_ELEMENT_F32: EACH(float, (float)x[i])                                                                \
        case DCN_ELEMENT_F64: EACH(double, (double)x[i])                                                              \
        case DCN_ELEMENT_I8:                                                                                          \
        case DCN_ELEMENT_U8: EACH(uint8_t, (uint8_t)x[i])                                                             \
        case DCN_ELEMENT_I16:                                                                                         \
        case DCN_ELEMENT_U16: EACH(uint16_t, (uint16_t)x[i])                                                          \
        case DCN_ELEMENT_I32:                                                                                         \
        case DCN_ELEMENT_U32: EACH(uint32_t, (uint32_t)x[i])                                                          \
        case DCN_ELEMENT_I64:                                                                                         \
        case DCN_ELEMENT_U64: EACH(uint64_t, (uint64_t)x[i])                                                          \
        case DCN_ELEMENT_BOOL: EACH(uint8_t, x[i] != 0)                                                               \
        default: break;                                                                                               \
        }                                                                                                             \
    }
FROM_INTEGER(from_i8, int8_t)
FROM_INTEGER(from_u8, uint8_t)
FROM_INTEGER(from_i16, int16_t)
FROM_INTEGER(from_u16, uint16_t)
FROM_INTEGER(from_i32, int32_t)
FROM_INTEGER(from_u32, uint32_t)
FROM_INTEGER(from_i64, int64_t)
FROM_INTEGER(from_u64, uint64_t)

void dcn_cast(dcn_element from, dcn_element to, const void *x, void *y, size_t count) {
    switch (from) {
    case DCN_ELEMENT_F32: from_float(to, x, y, count); break;
    case DCN_ELEMENT_F64: from_double(to, x, y, count); break;
    case DCN_ELEMENT_I8: from_i8(to, x, y, count); break;
    case DCN_ELEMENT_BOOL:
    case DCN_ELEMENT_U8: from_u8(to, x, y, count); break;
    case DCN_ELEMENT_I16: from_i16(to, x, y, count); break;
    case DCN_ELEMENT_U16: from_u16(to, x, y, count); break;
    case DCN_ELEMENT_I32: from_i32(to, x, y, count); break;
    case DCN_ELEMENT_U32: from_u32(to, x, y, count); break;
    case DCN_ELEMENT_I64: from_i64(to, x, y, count); break;
    case DCN_ELEMENT_U64: from_u64(to, x, y, count); break;
    default: break;
    }
}

static int bits_of(dcn_element type) { return type == DCN_ELEMENT_I2 || type == DCN_ELEMENT_U2 ? 2 : 4; }
static int is_signed(dcn_element type) { return type == DCN_ELEMENT_I4 || type == DCN_ELEMENT_I2; }

int dcn_packed_value(dcn_element from, const uint8_t *x, size_t i) {
    size_t width = (size_t)bits_of(from), each = 8 / width;
    int value = x[i / each] >> i % each * width & ((1 << width) - 1);
    return is_signed(from) && value >> (width - 1) ? value - (1 << width) : value;
}

void dcn_put_packed(dcn_element to, uint8_t *y, size_t i, int value) {
    size_t width = (size_t)bits_of(to), each = 8 / width, shift = i % each * width;
    unsigned kept = shift == 0 ? 0 : y[i / each] & ((1u << shift) - 1);
    y[i / each] = (uint8_t)(kept | ((unsigned)value & ((1u << width) - 1)) << shift);
}

int dcn_packed_bound(dcn_element to, float x) {
    int width = bits_of(to), low = is_signed(to) ? -(1 << (width - 1)) : 0, high = low + (1 << width) - 1;
    return BOUNDED(int, low, high, x);
}

void dcn_unpack(dcn_element from, const uint8_t *x, uint8_t *y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = (uint8_t)dcn_packed_value(from, x, i);
}

void dcn_pack(dcn_element to, const uint8_t *x, uint8_t *y, size_t count) {
    for (size_t i = 0; i < count; i++) dcn_put_packed(to, y, i, x[i]);
}

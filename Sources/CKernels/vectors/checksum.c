#include "dcn_simd.h"
#include <string.h>

#define ODD UINT64_C(0x9e3779b97f4a7c15)
// Bytes between what is summed and what is called for; lines of 64 bytes between two multiplications.
enum { AHEAD = 4096, BLOCK_LINES = 16 };

// Words are little-endian wherever they are read; every machine we run on stores them so.
static inline uint64_t word(const unsigned char *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

// The high half returns to the low one, or the top bits of words would reach few bits of the answer.
static inline uint64_t mix(uint64_t x, uint64_t w) {
    x = (x ^ w) * ODD;
    return x ^ (x >> 29);
}

// A few shifts and one addition for a word: any machine does that faster than memory brings the next.
static inline void add_line(uint64_t lanes[8], const unsigned char *p) {
    for (size_t i = 0; i < 8; i++) lanes[i] = (lanes[i] << 13 | lanes[i] >> 51) + word(p + 8 * i);
}

uint64_t dcn_checksum(const void *bytes, size_t count) {
    const unsigned char *p = bytes;
    uint64_t lanes[8], length = count;
    for (size_t i = 0; i < 8; i++) lanes[i] = ODD * (i + 1);
    while (count >= 64) {
        // Turned 64 times a lane is as it was; multiplied before that, it tells blocks apart that trade places.
        const size_t lines = count / 64 < BLOCK_LINES ? count / 64 : BLOCK_LINES;
        for (size_t line = 0; line < lines; line++, p += 64) {
            // Files are larger than caches, and some machines look ahead a few lines only.
            __builtin_prefetch((const void *)((uintptr_t)p + AHEAD), 0, 3);
            add_line(lanes, p);
        }
        for (size_t i = 0; i < 8; i++) lanes[i] = mix(lanes[i], 0);
        count -= lines * 64;
    }
    unsigned char last[64] = {0};
    if (count > 0) {
        memcpy(last, p, count);
        add_line(lanes, last);
    }
    uint64_t sum = length;
    for (size_t i = 0; i < 8; i++) sum = mix(mix(sum, lanes[i]), lanes[i] >> 32);
    return sum;
}

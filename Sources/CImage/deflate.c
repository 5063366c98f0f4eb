#include "dcn_image.h"

#include <string.h>
#include <zlib.h>

/* zlib counts in 32 bits: longer runs are handed over in pieces. */
static uInt piece(size_t left) { return left > 0x40000000u ? 0x40000000u : (uInt)left; }

typedef int (*step)(z_stream *, int);

/* Runs `step` until the stream ends, input and output being refilled in pieces. */
static dcn_image_status pump(z_stream *stream, step step, const uint8_t *bytes, size_t count, uint8_t *output,
                             size_t capacity, size_t *written) {
    size_t taken = 0, made = 0;
    for (;;) {
        uInt in = piece(count - taken), out = piece(capacity - made);
        stream->next_in = (Bytef *)(bytes + taken);
        stream->avail_in = in;
        stream->next_out = output + made;
        stream->avail_out = out;
        int result = step(stream, taken + in == count ? Z_FINISH : Z_NO_FLUSH);
        size_t took = in - stream->avail_in, gave = out - stream->avail_out;
        taken += took;
        made += gave;
        if (result == Z_STREAM_END) {
            *written = made;
            return DCN_IMAGE_OK;
        }
        if (result == Z_MEM_ERROR) return DCN_IMAGE_NO_MEMORY;
        if (result != Z_OK && result != Z_BUF_ERROR) return DCN_IMAGE_DAMAGED;
        if (took == 0 && gave == 0) return made == capacity ? DCN_IMAGE_NO_ROOM : DCN_IMAGE_DAMAGED;
    }
}

dcn_image_status dcn_inflate(const uint8_t *bytes, size_t count, uint8_t *output, size_t capacity,
                             size_t *written) {
    uint8_t nothing;
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return DCN_IMAGE_NO_MEMORY;
    dcn_image_status status =
        pump(&stream, inflate, bytes, count, capacity == 0 ? &nothing : output, capacity, written);
    inflateEnd(&stream);
    return status;
}

size_t dcn_inflate_bound(size_t count) {
    return count > SIZE_MAX / 1040 - 64 ? SIZE_MAX : count * 1040 + 64;
}

size_t dcn_deflate_bound(size_t count) {
    if (count > SIZE_MAX / 2) return 0;
    return count + (count >> 3) + (count >> 6) + 64;
}

dcn_image_status dcn_deflate(const uint8_t *bytes, size_t count, uint8_t *output, size_t capacity,
                             size_t *written) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return DCN_IMAGE_NO_MEMORY;
    dcn_image_status status = pump(&stream, deflate, bytes, count, output, capacity, written);
    deflateEnd(&stream);
    return status;
}

uint32_t dcn_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
    uLong value = crc;
    for (size_t done = 0; done < count;) {
        uInt next = piece(count - done);
        value = crc32(value, bytes + done, next);
        done += next;
    }
    return (uint32_t)value;
}

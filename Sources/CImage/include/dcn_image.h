/*
 * Pictures and deflated bytes, behind functions that write only where the caller said and only as much.
 *
 * Reading is done in two steps: the `_size` function looks at the header, the caller decides whether that
 * many pixels are welcome and makes room, the `_read` function fills it. Nothing here exits the process,
 * and no memory is asked for that does not follow from a size the caller has accepted.
 */
#ifndef DCN_IMAGE_H
#define DCN_IMAGE_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    DCN_IMAGE_OK = 0,
    DCN_IMAGE_DAMAGED = 1,   /* the bytes are not what they should be */
    DCN_IMAGE_NO_ROOM = 2,   /* the caller's buffer is smaller than what would be written */
    DCN_IMAGE_NO_MEMORY = 3, /* the system has no memory left */
} dcn_image_status;

/* What went wrong, as the library in question says it; empty when it says nothing. */
typedef struct {
    char text[120];
} dcn_image_message;

/* Extents of the PNG in `bytes`. */
dcn_image_status dcn_png_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height,
                              dcn_image_message *message);

/*
 * The PNG in `bytes` as rows of 8-bit RGB, top row first: `capacity` must be at least width * height * 3.
 * Grey becomes RGB, 16 bits become 8, transparency is dropped.
 */
dcn_image_status dcn_png_read(const uint8_t *bytes, size_t count, uint8_t *rgb, size_t capacity,
                              dcn_image_message *message);

/* An upper bound of the bytes that `dcn_png_write` gives for these extents; 0 when they are too large. */
size_t dcn_png_bound(uint32_t width, uint32_t height);

/* Rows of 8-bit RGB as a PNG; `written` is set to its length. */
dcn_image_status dcn_png_write(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *bytes,
                               size_t capacity, size_t *written, dcn_image_message *message);

/* Extents of the JPEG in `bytes`. */
dcn_image_status dcn_jpeg_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height,
                               dcn_image_message *message);

/*
 * The JPEG in `bytes` as rows of 8-bit RGB: `capacity` must be at least width * height * 3.
 * Grey, YCbCr and CMYK are read; orientation tags are not looked at.
 */
dcn_image_status dcn_jpeg_read(const uint8_t *bytes, size_t count, uint8_t *rgb, size_t capacity,
                               dcn_image_message *message);

/*
 * Raw deflated bytes (as zip files hold them), inflated. Fails unless the stream ends within `count` bytes
 * and what it holds fits into `capacity`; `written` is set to its length.
 */
dcn_image_status dcn_inflate(const uint8_t *bytes, size_t count, uint8_t *output, size_t capacity,
                             size_t *written);

/* The most bytes that `count` deflated ones can stand for, or SIZE_MAX. */
size_t dcn_inflate_bound(size_t count);

/* The most bytes that `dcn_deflate` makes of `count`, or 0 when there are too many. */
size_t dcn_deflate_bound(size_t count);

/* Raw deflated bytes of `bytes`. */
dcn_image_status dcn_deflate(const uint8_t *bytes, size_t count, uint8_t *output, size_t capacity,
                             size_t *written);

/* CRC-32 as zip files have it, continued from `crc` (0 to begin with). */
uint32_t dcn_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

#endif

#include "dcn_image.h"

#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

/* Bounds the time that a small file of very many scans can take. */
#ifdef TJFLAG_LIMITSCANS
#define DCN_JPEG_FLAGS TJFLAG_LIMITSCANS
#else
#define DCN_JPEG_FLAGS 0
#endif

static void tell(dcn_image_message *message, tjhandle handle) {
    if (message != NULL) {
        strncpy(message->text, tjGetErrorStr2(handle), sizeof message->text - 1);
        message->text[sizeof message->text - 1] = 0;
    }
}

static int header(tjhandle handle, const uint8_t *bytes, size_t count, int *width, int *height, int *space) {
    int sampling;
    /* A file that ends within its tables counts as read, and leaves the extents as they were. */
    *width = *height = *space = 0;
    return tjDecompressHeader3(handle, bytes, (unsigned long)count, width, height, &sampling, space) == 0 &&
           *width > 0 && *height > 0;
}

dcn_image_status dcn_jpeg_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height,
                               dcn_image_message *message) {
    tjhandle handle = tjInitDecompress();
    if (handle == NULL) return DCN_IMAGE_NO_MEMORY;
    int w, h, space;
    dcn_image_status status = DCN_IMAGE_OK;
    if (header(handle, bytes, count, &w, &h, &space)) {
        *width = (uint32_t)w;
        *height = (uint32_t)h;
    } else {
        tell(message, handle);
        status = DCN_IMAGE_DAMAGED;
    }
    tjDestroy(handle);
    return status;
}

/* Decodes into `pixels`; stray bytes between markers are let pass, everything else counts as damage. */
static dcn_image_status decode(tjhandle handle, const uint8_t *bytes, size_t count, uint8_t *pixels, int width,
                               int height, int format, dcn_image_message *message) {
    if (tjDecompress2(handle, bytes, (unsigned long)count, pixels, width, 0, height, format, DCN_JPEG_FLAGS) == 0)
        return DCN_IMAGE_OK;
    if (tjGetErrorCode(handle) == TJERR_WARNING && strstr(tjGetErrorStr2(handle), "extraneous bytes") != NULL)
        return DCN_IMAGE_OK;
    tell(message, handle);
    return DCN_IMAGE_DAMAGED;
}

/* rgb = cmy * k / 255: such files hold inverted inks. */
static dcn_image_status decode_inks(tjhandle handle, const uint8_t *bytes, size_t count, uint8_t *rgb, int width,
                                    int height, dcn_image_message *message) {
    size_t pixels = (size_t)width * (size_t)height;
    uint8_t *inks = malloc(pixels * 4);
    if (inks == NULL) return DCN_IMAGE_NO_MEMORY;
    dcn_image_status status = decode(handle, bytes, count, inks, width, height, TJPF_CMYK, message);
    for (size_t i = 0; status == DCN_IMAGE_OK && i < pixels; i++)
        for (size_t c = 0; c < 3; c++) rgb[3 * i + c] = (uint8_t)((inks[4 * i + c] * inks[4 * i + 3] + 127) / 255);
    free(inks);
    return status;
}

dcn_image_status dcn_jpeg_read(const uint8_t *bytes, size_t count, uint8_t *rgb, size_t capacity,
                               dcn_image_message *message) {
    tjhandle handle = tjInitDecompress();
    if (handle == NULL) return DCN_IMAGE_NO_MEMORY;
    int width, height, space;
    dcn_image_status status;
    if (!header(handle, bytes, count, &width, &height, &space)) {
        tell(message, handle);
        status = DCN_IMAGE_DAMAGED;
    } else if (capacity / 3 < (size_t)width * (size_t)height) {
        status = DCN_IMAGE_NO_ROOM;
    } else if (space == TJCS_CMYK || space == TJCS_YCCK) {
        status = decode_inks(handle, bytes, count, rgb, width, height, message);
    } else {
        status = decode(handle, bytes, count, rgb, width, height, TJPF_RGB, message);
    }
    tjDestroy(handle);
    return status;
}

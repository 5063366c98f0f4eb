#include "dcn_image.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

static void tell(dcn_image_message *message, const png_image *image) {
    if (message != NULL) {
        strncpy(message->text, image->message, sizeof message->text - 1);
        message->text[sizeof message->text - 1] = 0;
    }
}

static int begin(png_image *image, const uint8_t *bytes, size_t count) {
    memset(image, 0, sizeof *image);
    image->version = PNG_IMAGE_VERSION;
    return png_image_begin_read_from_memory(image, bytes, count);
}

/* Bytes of width * height pixels of `depth` bytes, or 0 when that is more than libpng can address. */
static size_t pixel_bytes(uint32_t width, uint32_t height, size_t depth) {
    if (width == 0 || height == 0) return 0;
    if (width > 0x7fffffffu / depth || height > 0x7fffffffu / (width * depth)) return 0;
    return (size_t)width * height * depth;
}

dcn_image_status dcn_png_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height,
                              dcn_image_message *message) {
    png_image image;
    if (!begin(&image, bytes, count)) {
        tell(message, &image);
        return DCN_IMAGE_DAMAGED;
    }
    *width = image.width;
    *height = image.height;
    png_image_free(&image);
    return DCN_IMAGE_OK;
}

static dcn_image_status finish(png_image *image, uint8_t *pixels, dcn_image_message *message) {
    if (!png_image_finish_read(image, NULL, pixels, 0, NULL)) {
        tell(message, image);
        png_image_free(image);
        return DCN_IMAGE_DAMAGED;
    }
    return DCN_IMAGE_OK;
}

dcn_image_status dcn_png_read(const uint8_t *bytes, size_t count, uint8_t *rgb, size_t capacity,
                              dcn_image_message *message) {
    png_image image;
    if (!begin(&image, bytes, count)) {
        tell(message, &image);
        return DCN_IMAGE_DAMAGED;
    }
    size_t pixels = (size_t)image.width * image.height;
    if (pixel_bytes(image.width, image.height, 4) == 0 || capacity / 3 < pixels) {
        png_image_free(&image);
        return DCN_IMAGE_NO_ROOM;
    }
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    if ((image.format & PNG_FORMAT_FLAG_ALPHA) == 0) {
        image.format = PNG_FORMAT_RGB;
        return finish(&image, rgb, message);
    }
    /* Without room for the alpha channel libpng would blend with a background. */
    image.format = PNG_FORMAT_RGBA;
    uint8_t *rgba = malloc(pixels * 4);
    if (rgba == NULL) {
        png_image_free(&image);
        return DCN_IMAGE_NO_MEMORY;
    }
    dcn_image_status status = finish(&image, rgba, message);
    for (size_t i = 0; status == DCN_IMAGE_OK && i < pixels; i++) memcpy(rgb + 3 * i, rgba + 4 * i, 3);
    free(rgba);
    return status;
}

static png_image described(uint32_t width, uint32_t height) {
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = width;
    image.height = height;
    image.format = PNG_FORMAT_RGB;
    return image;
}

size_t dcn_png_bound(uint32_t width, uint32_t height) {
    if (pixel_bytes(width, height, 4) == 0) return 0;
    png_image image = described(width, height);
    return PNG_IMAGE_PNG_SIZE_MAX(image);
}

dcn_image_status dcn_png_write(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *bytes,
                               size_t capacity, size_t *written, dcn_image_message *message) {
    if (capacity == 0 || capacity < dcn_png_bound(width, height)) return DCN_IMAGE_NO_ROOM;
    png_image image = described(width, height);
    png_alloc_size_t length = capacity;
    if (!png_image_write_to_memory(&image, bytes, &length, 0, rgb, 0, NULL)) {
        tell(message, &image);
        return DCN_IMAGE_NO_MEMORY;
    }
    *written = length;
    return DCN_IMAGE_OK;
}

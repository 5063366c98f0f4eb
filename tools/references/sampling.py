"""The bilinear sampling rules. They differ in what is inside and in what happens at the border only.

`features` is an array [..., H, W]; a sample is an array [...]. Coordinates that are not finite are outside.
"""

import math

import numpy


def terms(features, y0, y1, x0, x1, ly, lx):
    """The four weighted corners, stacked in front; corners outside the plane are zero."""
    height, width = features.shape[-2:]

    def corner(y, x):
        inside = 0 <= y < height and 0 <= x < width
        return features[..., y, x] if inside else numpy.zeros(features.shape[:-2])

    return numpy.stack([
        (1 - ly) * (1 - lx) * corner(y0, x0),
        (1 - ly) * lx * corner(y0, x1),
        ly * (1 - lx) * corner(y1, x0),
        ly * lx * corner(y1, x1),
    ])


def zero_corner(features, y, x):
    """Rule Z: inside is −1 < y < H; the value fades to zero over the pixel beyond the border."""
    height, width = features.shape[-2:]
    if not (-1 < y < height and -1 < x < width):
        return numpy.zeros(features.shape[:-2])
    y0, x0 = math.floor(y), math.floor(x)
    return terms(features, y0, y0 + 1, x0, x0 + 1, y - y0, x - x0).sum(0)


def clamp_inside(features, y, x):
    """Rule C: inside is 0 ≤ y < H; beyond the last row its value is repeated."""
    height, width = features.shape[-2:]
    if not (0 <= y < height and 0 <= x < width):
        return numpy.zeros(features.shape[:-2])
    y0, y1, ly = _last_repeated(y, height)
    x0, x1, lx = _last_repeated(x, width)
    return terms(features, y0, y1, x0, x1, ly, lx).sum(0)


def align_terms(features, y, x):
    """Rule A as four weighted corners: inside is −1 ≤ y ≤ H; the border's value is repeated."""
    height, width = features.shape[-2:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return numpy.zeros((4, *features.shape[:-2]))
    y0, y1, ly = _last_repeated(max(y, 0), height)
    x0, x1, lx = _last_repeated(max(x, 0), width)
    return terms(features, y0, y1, x0, x1, ly, lx)


def align(features, y, x):
    """Rule A, summed."""
    return align_terms(features, y, x).sum(0)


def half_pixel_window(features, y, x):
    """Rule D: inside is −0.5 ≤ y ≤ H − 0.5; None outside, where a sample is not counted."""
    height, width = features.shape[-2:]
    if not (-0.5 <= y <= height - 0.5 and -0.5 <= x <= width - 0.5):
        return None
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    y0, x0 = math.floor(y), math.floor(x)
    return terms(features, y0, math.ceil(y), x0, math.ceil(x), y - y0, x - x0).sum(0)


def _last_repeated(position, size):
    low = math.floor(position)
    if low >= size - 1:
        return size - 1, size - 1, 0.0
    return low, low + 1, position - low

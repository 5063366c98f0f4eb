"""Pooling of regions: maximum, aligned, rotated and from several levels."""

import math

import numpy

from .sampling import align, align_terms


def round_away(value):
    """Rounding with halves away from zero, as C's `round`."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def clamp(value, low, high):
    return min(max(value, low), high)


def bin_range(index, size, start, limit):
    """The pixels [first, last) of one bin. Bins are float32, as in every implementation."""
    size, start = numpy.float32(size), numpy.float32(start)
    first = math.floor(numpy.float32(index) * size + start)
    last = math.ceil(numpy.float32(index + 1) * size + start)
    return clamp(first, 0, limit), clamp(last, 0, limit)


def max_roi_pool(x, rois, pooled, scale):
    """The maximum over the pixels of each bin. x [N, C, H, W], rois [R, 5] = (batch, x1, y1, x2, y2)."""
    _, channels, height, width = x.shape
    answer = numpy.zeros((len(rois), channels, *pooled))
    for r, (batch, *corners) in enumerate(rois):
        xs, ys, xe, ye = (round_away(numpy.float32(value) * numpy.float32(scale)) for value in corners)
        bin_h = numpy.float32(max(ye - ys + 1, 1)) / numpy.float32(pooled[0])
        bin_w = numpy.float32(max(xe - xs + 1, 1)) / numpy.float32(pooled[1])
        for ph, pw in numpy.ndindex(*pooled):
            h0, h1 = (clamp(v + ys, 0, height) for v in
                      (math.floor(ph * bin_h), math.ceil(numpy.float32(ph + 1) * bin_h)))
            w0, w1 = (clamp(v + xs, 0, width) for v in
                      (math.floor(pw * bin_w), math.ceil(numpy.float32(pw + 1) * bin_w)))
            if h1 > h0 and w1 > w0:
                answer[r, :, ph, pw] = x[int(batch), :, h0:h1, w0:w1].max((-1, -2))
    return answer


def grid_points(start, size, pooled, ratio):
    """Sample positions [pooled][grid] along one axis; `ratio` ≤ 0 lets the size of the region decide."""
    step = size / pooled
    grid = ratio if ratio > 0 else math.ceil(step)
    return [[start + p * step + (i + 0.5) * step / grid for i in range(grid)] for p in range(pooled)]


def roi_align(x, rois, batches, pooled, scale, ratio=0, aligned=True, mode="avg", minimum=None, shift=None):
    """Samples on a regular grid in each bin, by rule A. x [N, C, H, W], rois [R, 4] = (x1, y1, x2, y2).

    `mode`: "avg"; "max" of the samples; "max_corner", the largest single weighted corner (what ONNX's reference
    does); "max_zero", the largest of the samples and zero (what OpenVINO does). `minimum` is the least size of a
    region: 1 unless aligned.
    """
    offset = (0.5 if aligned else 0.0) if shift is None else shift
    minimum = (0 if aligned else 1) if minimum is None else minimum
    answer = numpy.zeros((len(rois), x.shape[1], *pooled))
    for r, (corners, batch) in enumerate(zip(rois, batches, strict=True)):
        xs, ys, xe, ye = (float(value) * scale - offset for value in corners)
        width, height = xe - xs, ye - ys
        if minimum:
            width, height = max(width, minimum), max(height, minimum)
        rows, columns = grid_points(ys, height, pooled[0], ratio), grid_points(xs, width, pooled[1], ratio)
        for ph, pw in numpy.ndindex(*pooled):
            points = [(y, u) for y in rows[ph] for u in columns[pw]]
            answer[r, :, ph, pw] = reduce_samples(x[int(batch)], points, mode)
    return answer


def reduce_samples(features, points, mode):
    """One bin of one region from its sample points (y, x)."""
    if mode == "avg":
        total = sum((align(features, y, u) for y, u in points), numpy.zeros(features.shape[0]))
        return total / max(len(points), 1)
    if mode == "max_corner":
        values = [align_terms(features, y, u).max(0) for y, u in points]
    else:
        values = [align(features, y, u) for y, u in points]
    if mode == "max_zero":
        values.append(numpy.zeros(features.shape[0]))
    return numpy.max(values, 0) if values else numpy.zeros(features.shape[0])


def roi_align_rotated(x, rois, pooled, scale, ratio=0, aligned=True, clockwise=False):
    """Regions turned about their centre. rois [R, 6] = (batch, cx, cy, w, h, theta in radians)."""
    offset = 0.5 if aligned else 0.0
    answer = numpy.zeros((len(rois), x.shape[1], *pooled))
    for r, (batch, cx, cy, width, height, theta) in enumerate(numpy.asarray(rois, numpy.float64)):
        cx, cy, width, height = cx * scale - offset, cy * scale - offset, width * scale, height * scale
        if not aligned:
            width, height = max(width, 1), max(height, 1)
        turn = -theta if clockwise else theta
        rows = grid_points(-height / 2, height, pooled[0], ratio)
        columns = grid_points(-width / 2, width, pooled[1], ratio)
        for ph, pw in numpy.ndindex(*pooled):
            points = [(v * math.cos(turn) - u * math.sin(turn) + cy, v * math.sin(turn) + u * math.cos(turn) + cx)
                      for v in rows[ph] for u in columns[pw]]
            answer[r, :, ph, pw] = reduce_samples(x[int(batch)], points, "avg")
    return answer


def level_of(size, finest, levels):
    """The level of a pyramid that serves a region of this size (the root of its area)."""
    return clamp(math.floor(math.log2(size / finest + 1e-6)), 0, levels - 1)


def rescaled(corners, factor):
    """A region grown about its centre; the size is counted with both ends."""
    x1, y1, x2, y2 = map(float, corners)
    half_w, half_h = (x2 - x1 + 1) * factor / 2 - 0.5, (y2 - y1 + 1) * factor / 2 - 0.5
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    return [cx - half_w, cy - half_h, cx + half_w, cy + half_h]


def multi_level_roi_align(rois, features, strides, pooled, finest=56, ratio=0, aligned=True, mode="avg",
                          factor=0.0, minimum=None):
    """Each region [batch, x1, y1, x2, y2] is aligned on the level of its size."""
    rows = []
    for batch, *corners in numpy.asarray(rois, numpy.float64):
        size = math.sqrt((corners[2] - corners[0]) * (corners[3] - corners[1]))
        level = level_of(size, finest, len(features))
        region = rescaled(corners, factor) if factor > 0 else corners
        rows.append(roi_align(features[level], [region], [batch], pooled, 1 / strides[level], ratio, aligned,
                              mode, minimum)[0])
    return numpy.stack(rows)


def multi_level_roi_align_rotated(rois, features, strides, pooled, finest=56, ratio=0, aligned=True,
                                  clockwise=False, factor=0.0):
    """As above with regions [batch, cx, cy, w, h, theta]."""
    rows = []
    for row in numpy.array(rois, numpy.float64):
        level = level_of(math.sqrt(row[3] * row[4]), finest, len(features))
        if factor > 0:
            row[3:5] *= factor
        rows.append(roi_align_rotated(features[level], [row], pooled, 1 / strides[level], ratio, aligned,
                                      clockwise)[0])
    return numpy.stack(rows)


def detectron_roi_features(rois, features, scales, size, ratio=2, aligned=False):
    """ExperimentalDetectronROIFeatureExtractor: rois [R, 4], batch 0, never smaller than 1 pixel."""
    rows = []
    for corners in numpy.asarray(rois, numpy.float64):
        area = (corners[2] - corners[0]) * (corners[3] - corners[1])
        if area <= 0:
            rows.append(numpy.zeros((features[0].shape[1], size, size)))
            continue
        level = clamp(math.floor(math.log2(math.sqrt(area) / 224 + 1e-6) + 2), 0, len(features) - 1)
        rows.append(roi_align(features[level], [corners], [0], (size, size), 1 / scales[level], ratio, aligned,
                              minimum=1)[0])
    return numpy.stack(rows)

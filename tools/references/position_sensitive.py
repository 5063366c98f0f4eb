"""Position-sensitive and deformable pooling of regions."""

import math

import numpy

from .roi import bin_range, clamp, grid_points, reduce_samples, round_away
from .sampling import half_pixel_window


def group_cell(index, group, pooled):
    """The row (or column) of the score maps that serves a bin."""
    return clamp(math.floor(index * group / pooled), 0, group - 1)


def ps_roi_pool(x, rois, output_dim, pooled, scale, group=0):
    """R-FCN: each bin averages its own map. x [N, output_dim·group², H, W] → [R, output_dim, pooled, pooled]."""
    group = group or pooled
    height, width = x.shape[2:]
    scale = numpy.float32(scale)
    answer = numpy.zeros((len(rois), output_dim, pooled, pooled))
    for r, (batch, x1, y1, x2, y2) in enumerate(rois):
        xs, ys = round_away(x1) * scale, round_away(y1) * scale
        xe, ye = (round_away(x2) + 1) * scale, (round_away(y2) + 1) * scale
        bin_w = max(xe - xs, numpy.float32(0.1)) / numpy.float32(pooled)
        bin_h = max(ye - ys, numpy.float32(0.1)) / numpy.float32(pooled)
        for od, ph, pw in numpy.ndindex(output_dim, pooled, pooled):
            h0, h1 = bin_range(ph, bin_h, ys, height)
            w0, w1 = bin_range(pw, bin_w, xs, width)
            channel = (od * group + group_cell(ph, group, pooled)) * group + group_cell(pw, group, pooled)
            if h1 > h0 and w1 > w0:
                answer[r, od, ph, pw] = x[int(batch), channel, h0:h1, w0:w1].mean(dtype=numpy.float64)
    return answer


def ps_roi_pool_torchvision(x, rois, pooled, scale):
    """torchvision's form: rounded after scaling, ends excluded, the last row and column never pooled."""
    height, width = x.shape[2:]
    ph_count, pw_count = pooled
    output_dim = x.shape[1] // (ph_count * pw_count)
    answer = numpy.zeros((len(rois), output_dim, ph_count, pw_count))
    for r, (batch, *corners) in enumerate(rois):
        xs, ys, xe, ye = (round_away(numpy.float32(value) * numpy.float32(scale)) for value in corners)
        bin_h = numpy.float32(max(ye - ys, 1)) / numpy.float32(ph_count)
        bin_w = numpy.float32(max(xe - xs, 1)) / numpy.float32(pw_count)
        for od, ph, pw in numpy.ndindex(output_dim, ph_count, pw_count):
            h0, h1 = bin_range(ph, bin_h, ys, height - 1)
            w0, w1 = bin_range(pw, bin_w, xs, width - 1)
            if h1 > h0 and w1 > w0:
                plane = x[int(batch), (od * ph_count + ph) * pw_count + pw]
                answer[r, od, ph, pw] = plane[h0:h1, w0:w1].mean(dtype=numpy.float64)
    return answer


def ps_roi_align(x, rois, pooled, scale, ratio=0, aligned=True, minimum=0, empty=numpy.nan):
    """Position-sensitive RoIAlign; an empty grid gives `empty` (torchvision: NaN)."""
    rows, columns = pooled
    output_dim = x.shape[1] // (rows * columns)
    offset = 0.5 if aligned else 0.0
    answer = numpy.full((len(rois), output_dim, rows, columns), empty)
    for r, (batch, *corners) in enumerate(rois):
        xs, ys, xe, ye = (float(value) * scale - offset for value in corners)
        ygrid = grid_points(ys, max(ye - ys, minimum), rows, ratio)
        xgrid = grid_points(xs, max(xe - xs, minimum), columns, ratio)
        for od, ph, pw in numpy.ndindex(output_dim, rows, columns):
            points = [(y, u) for y in ygrid[ph] for u in xgrid[pw]]
            if points:
                channel = (od * rows + ph) * columns + pw
                plane = x[int(batch), channel : channel + 1]
                answer[r, od, ph, pw] = reduce_samples(plane, points, "avg")[0]
    return answer


def ps_roi_bilinear(x, rois, output_dim, pooled, scale, bins_x, bins_y):
    """OpenVINO's bilinear modes: regions in 0…1, one sample per bin and part, the parts' maps averaged; samples outside
    the pixels' centres are 0."""
    height, width = x.shape[2:]
    rows, columns = (pooled, pooled) if isinstance(pooled, int) else pooled
    answer = numpy.zeros((len(rois), output_dim, rows, columns))
    for r, (batch, *corners) in enumerate(rois):
        xs, ys, xe, ye = (float(value) * scale for value in corners)
        bin_w, bin_h = (xe - xs) / bins_x, (ye - ys) / bins_y
        for od, ph, pw, by, bx in numpy.ndindex(output_dim, rows, columns, bins_y, bins_x):
            y = _bilinear_position(ph, rows, ys + by * bin_h, bin_h, height)
            u = _bilinear_position(pw, columns, xs + bx * bin_w, bin_w, width)
            if 0 <= y <= height - 1 and 0 <= u <= width - 1:
                plane = x[int(batch), (by * bins_x + bx) * output_dim + od]
                y0, x0 = math.floor(y), math.floor(u)
                y1, x1 = min(math.ceil(y), height - 1), min(math.ceil(u), width - 1)
                upper = plane[y0, x0] * (1 - (u - x0)) + plane[y0, x1] * (u - x0)
                lower = plane[y1, x0] * (1 - (u - x0)) + plane[y1, x1] * (u - x0)
                answer[r, od, ph, pw] += upper * (1 - (y - y0)) + lower * (y - y0)
    return answer / (bins_x * bins_y)


def _bilinear_position(index, pooled, start, size, limit):
    if pooled > 1:
        return index * size * (limit - 1) / (pooled - 1) + start * (limit - 1)
    return (2 * start + size) * (limit - 1) / 2


def deform_ps_roi_pool(x, rois, trans, *, scale, output_dim, group, pooled, part=0, samples=1, trans_std=0.0):
    """The paper's operator: bins moved by `trans` [R, 2·classes, part, part] (x first), rule D, left-edge samples."""
    part = part or pooled
    classes = 1 if trans is None else trans.shape[1] // 2
    answer = numpy.zeros((len(rois), output_dim, pooled, pooled))
    for r, (batch, x1, y1, x2, y2) in enumerate(rois):
        xs, ys = round_away(x1) * scale - 0.5, round_away(y1) * scale - 0.5
        width = max((round_away(x2) + 1) * scale - 0.5 - xs, 0.1)
        height = max((round_away(y2) + 1) * scale - 0.5 - ys, 0.1)
        bin_w, bin_h = width / pooled, height / pooled
        for od, ph, pw in numpy.ndindex(output_dim, pooled, pooled):
            move_x = move_y = 0.0
            if trans is not None:
                kind = 2 * (od // (output_dim // classes))
                cell = (math.floor(ph * part / pooled), math.floor(pw * part / pooled))
                move_x, move_y = (float(trans[r, kind + k, *cell]) * trans_std for k in (0, 1))
            w0 = pw * bin_w + xs + move_x * width
            h0 = ph * bin_h + ys + move_y * height
            channel = (od * group + group_cell(ph, group, pooled)) * group + group_cell(pw, group, pooled)
            plane = x[int(batch), channel]
            values = [half_pixel_window(plane, h0 + i * bin_h / samples, w0 + j * bin_w / samples)
                      for i in range(samples) for j in range(samples)]
            counted = [float(value) for value in values if value is not None]
            answer[r, od, ph, pw] = sum(counted) / len(counted) if counted else 0.0
    return answer


def deform_roi_pool(x, rois, offset, pooled, scale, ratio=0, gamma=0.1):
    """mmcv's operator: RoIAlign whose bins move by gamma · size · offset [R, 2, pooled…] (x first)."""
    answer = numpy.zeros((len(rois), x.shape[1], *pooled))
    for r, (batch, *corners) in enumerate(rois):
        xs, ys, xe, ye = (float(value) * scale - 0.5 for value in corners)
        width, height = xe - xs, ye - ys
        rows, columns = grid_points(ys, height, pooled[0], ratio), grid_points(xs, width, pooled[1], ratio)
        for ph, pw in numpy.ndindex(*pooled):
            move_x, move_y = (0.0, 0.0) if offset is None else offset[r, :, ph, pw]
            points = [(y + gamma * height * move_y, u + gamma * width * move_x)
                      for y in rows[ph] for u in columns[pw]]
            answer[r, :, ph, pw] = reduce_samples(x[int(batch)], points, "avg")
    return answer

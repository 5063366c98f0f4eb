"""Region proposals: anchors, decoding, clipping, filtering, suppression, padding."""

import math

import numpy

from .roi import round_away
from .suppression import descending, greedy_corners, overlap


def floor_half(value):
    return math.floor(value + 0.5)


def base_anchors(size, ratios, scales, floor_area=True, rounding=floor_half):
    """Boxes around the first cell, ratios outer and scales inner, ends included."""
    centre = (size - 1) / 2
    anchors = []
    for ratio in ratios:
        area = size * size / ratio
        width = rounding(math.sqrt(math.floor(area) if floor_area else area))
        height = rounding(width * ratio)
        for scale in scales:
            half_w, half_h = (width * scale - 1) / 2, (height * scale - 1) / 2
            anchors.append([centre - half_w, centre - half_h, centre + half_w, centre + half_h])
    return numpy.array(anchors)


def shifted(anchors, stride, rows, columns):
    """Anchors at every cell: [rows, columns, A, 4]."""
    x, y = numpy.meshgrid(numpy.arange(columns) * stride, numpy.arange(rows) * stride)
    return anchors + numpy.stack([x, y, x, y], -1)[:, :, None, :]


def decode(anchors, deltas, less=1.0):
    """Boxes from (dx, dy, dw, dh); with `less` 0, as in the Caffe layer, the far corner lies one further out."""
    width = anchors[..., 2] - anchors[..., 0] + 1
    height = anchors[..., 3] - anchors[..., 1] + 1
    x = anchors[..., 0] + 0.5 * (width - less) + deltas[..., 0] * width
    y = anchors[..., 1] + 0.5 * (height - less) + deltas[..., 1] * height
    half_w = 0.5 * (width * numpy.exp(deltas[..., 2]) - less)
    half_h = 0.5 * (height * numpy.exp(deltas[..., 3]) - less)
    return numpy.stack([x - half_w, y - half_h, x + half_w, y + half_h], -1)


def mxnet_proposal(scores, deltas, info, *, stride=16, scales=(4, 8, 16, 32), ratios=(0.5, 1, 2), before=6000,
                   after=300, threshold=0.7, minimum=16, iou_loss=False):
    """MXNet's Proposal for one image. scores [1, 2A, H, W] (foreground in the second half), deltas [1, 4A, H, W],
    info [1, 3] = (height, width, scale). Returns rois [after, 5] and their scores [after, 1]."""
    anchors = base_anchors(stride, ratios, scales)
    count, (rows, columns) = len(anchors), scores.shape[2:]
    height, width, scale = map(float, info[0])
    value = numpy.array(scores[0, count:], numpy.float64).transpose(1, 2, 0)
    delta = numpy.array(deltas[0], numpy.float64).reshape(count, 4, rows, columns).transpose(2, 3, 0, 1)
    places = shifted(anchors, stride, rows, columns)
    boxes = places + delta if iou_loss else decode(places, delta)
    boxes[..., 0::2] = boxes[..., 0::2].clip(0, width - 1)
    boxes[..., 1::2] = boxes[..., 1::2].clip(0, height - 1)
    # Cells beyond the image keep their boxes and lose their scores.
    value[int(height / stride) :], value[:, int(width / stride) :] = -1, -1
    boxes, value = boxes.reshape(-1, 4), value.reshape(-1)
    least = minimum * scale
    small = ((boxes[:, 2] - boxes[:, 0] + 1) < least) | ((boxes[:, 3] - boxes[:, 1] + 1) < least)
    boxes[small] += numpy.array([-1, -1, 1, 1]) * least / 2
    value[small] = -1
    order = descending(value)[: before if before > 0 else None]
    kept = greedy_corners(boxes[order], threshold, 1, after)
    picked = [order[kept[i % len(kept)]] for i in range(after)]
    rois = numpy.concatenate([numpy.zeros((after, 1)), boxes[picked]], 1)
    return rois, value[picked][:, None]


def openvino_proposal(scores, deltas, shape, *, base=16, stride=16, ratios=(0.5, 1, 2), scales=(8, 16, 32), before=6000,
                      after=300, threshold=0.7, minimum=16, clip_before=True, clip_after=False, normalize=False,
                      coordinate_scale=1.0, size_scale=1.0):
    """OpenVINO's Proposal of the framework "". shape = (height, width, scale[, scale across]). Returns rois [N·after, 5]
    and their scores [N·after]; rows that are missing are zero, the first of them in image −1."""
    anchors = base_anchors(base, ratios, scales, False, round_away)
    count, (rows, columns) = len(anchors), scores.shape[2:]
    height, width = map(float, shape[:2])
    least = minimum * numpy.array([shape[3] if len(shape) > 3 else shape[2], shape[2]], numpy.float64)
    rois, marks = numpy.zeros((len(scores) * after, 5)), numpy.zeros(len(scores) * after)
    for image in range(len(scores)):
        delta = numpy.array(deltas[image], numpy.float64).reshape(count, 4, rows, columns).transpose(2, 3, 0, 1)
        delta = delta / [coordinate_scale, coordinate_scale, size_scale, size_scale]
        boxes = decode(shifted(anchors, stride, rows, columns), delta, 0).reshape(-1, 4)
        if clip_before:
            boxes = boxes.clip(0, [width - 1, height - 1] * 2)
        value = numpy.array(scores[image, count:], numpy.float64).transpose(1, 2, 0).reshape(-1)
        value = numpy.where(((boxes[:, 2:] - boxes[:, :2] + 1) >= least).all(1), value, 0)
        order, kept = descending(value)[:before], []
        for index in order:
            if len(kept) < after and all(not overlaps_more(boxes[k], boxes[index], threshold) for k in kept):
                kept.append(index)
        final = boxes[kept].clip(0, [width, height] * 2) if clip_after else boxes[kept]
        start = image * after
        rois[start : start + len(kept), 0] = image
        rois[start : start + len(kept), 1:] = final / ([width, height] * 2 if normalize else 1)
        marks[start : start + len(kept)] = value[kept]
        if len(kept) < after:
            rois[start + len(kept), 0] = -1
    return rois, marks


def overlaps_more(a, b, threshold):
    """Whether boxes with inclusive edges overlap by more; those that share no edge do not overlap at all."""
    apart = a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
    return not apart and overlap(a, b, 1) > threshold

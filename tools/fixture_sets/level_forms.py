"""Regions that are pooled from the level of a pyramid that fits their size, written out with one RoiAlign per level."""

import math

import numpy
from references.roi import multi_level_roi_align

from .build import scattered
from .chain import Chain

FINEST, POOLED, STRIDES, CHANNELS, IMAGES = 8, (2, 3), (2, 4, 8), 2, 2


def regions():
    """(batch, x1, y1, x2, y2): some of each level, one past the border, one without area."""
    boxes = [[0, 2, 3, 9, 10], [1, 1, 2, 13.5, 12], [0, 0.5, 1, 30, 23], [1, -4, 2, 19, 22], [0, 5, 5, 36, 40],
             [1, 8, 8, 8, 8], [0, 3, 1, 34, 25], [1, 12, 11, 15, 15]]
    return numpy.array(boxes, numpy.float32)


def maps():
    return {f"level{k}": scattered(1700 + k, IMAGES, CHANNELS, 40 // s, 40 // s) for k, s in enumerate(STRIDES)}


def expected(rois, batches=None, aligned=True, minimum=None):
    arrays = list(maps().values())
    if batches is not None:
        rois = numpy.concatenate([batches, rois], 1)
    rows = [multi_level_roi_align([row], arrays, STRIDES, POOLED, FINEST, 2, aligned, minimum=minimum)[0]
            for row in rois]
    return numpy.stack(rows)


def levels_of(g, rois, first=1, longer_side=False):
    """The level of each region as mmdet writes it: ⌊log₂(√(w · h) / finest + 10⁻⁶)⌋, within the pyramid."""
    x1, y1, x2, y2 = (g.Gather(rois, k, axis=1) for k in range(first, first + 4))
    wide, high = g.Sub(x2, x1), g.Sub(y2, y1)
    size = g.Max(wide, high) if longer_side else g.Sqrt(g.Mul(wide, high))
    share = g.Add(g.Div(size, float(FINEST)), 1e-6)
    level = g.Floor(g.Div(g.Log(share), math.log(2)))
    return g.Cast(g.Clip(level, 0.0, float(len(STRIDES) - 1)), to=7)


def pooled(g, level, rois, ratio=2):
    """One RoiAlign as exporters write it: before version 16 aligned regions are moved by half a cell beforehand."""
    batch = g.Cast(g.Squeeze(g.slice(rois, 0, 1, 1), [1]), to=7)
    corners, scale = g.slice(rois, 1, 5, 1), 1 / STRIDES[level]
    common = {"output_height": POOLED[0], "output_width": POOLED[1], "sampling_ratio": ratio, "spatial_scale": scale}
    if g.opset >= 16:
        return g.RoiAlign(f"level{level}", corners, batch, coordinate_transformation_mode="half_pixel", **common)
    return g.RoiAlign(f"level{level}", g.Sub(corners, 0.5 / scale), batch, **common)


def of_level(g, levels, level):
    """Which regions are of a level: their places."""
    return g.Squeeze(g.Transpose(g.NonZero(g.Equal(levels, level)), perm=[1, 0]), [1])


def scattered_rows(opset=16, longer_side=False, ratios=(2, 2, 2)):
    """mmdeploy's form: two regions of zeros for each level go before the others, so that no level is empty."""
    g = Chain({"rois": regions()} | maps(), opset)
    dummies, count = 2 * len(STRIDES), len(regions())
    levels = levels_of(g, "rois", longer_side=longer_side)
    levels = g.Concat(list(range(len(STRIDES))) * 2, levels, axis=0)
    rois = g.Concat(g.constant(numpy.zeros((dummies, 5)), numpy.float32), "rois", axis=0)
    joined = g.constant(numpy.zeros((dummies + count, CHANNELS, *POOLED)), numpy.float32)
    for level, ratio in enumerate(ratios):
        places = of_level(g, levels, level)
        found = pooled(g, level, g.Gather(rois, places, axis=0), ratio)
        joined = g.ScatterND(joined, g.Unsqueeze(places, [1]), found)
    return g, g.slice(joined, dummies, dummies + count, 0)


def masked_sum():
    """mmdet's form: regions of other levels are made zero before and after their pooling."""
    g, count = Chain({"rois": regions()} | maps(), 16), len(regions())
    wide = [count, CHANNELS * POOLED[0] * POOLED[1]]
    shape = [count, CHANNELS, *POOLED]
    levels = levels_of(g, "rois")
    total = g.Mul(g.Reshape(g.Expand(g.slice("rois", 0, 1, 1), wide), shape), 0.0)
    for level in range(len(STRIDES)):
        mask = g.Unsqueeze(g.Cast(g.Equal(levels, level), to=1), [1])
        found = pooled(g, level, g.Mul("rois", mask))
        total = g.Add(total, g.Mul(found, g.Reshape(g.Expand(mask, wide), shape)))
    return g, total


def scattered_elements():
    """torchvision's form for one image, for any number of regions: regions have no batch index of their own."""
    boxes = regions()[:, 1:].copy()
    g = Chain({"boxes": boxes} | maps(), 16)
    count = g.slice(g.Shape("boxes"), 0, 1, 0)
    levels = levels_of(g, "boxes", first=0)
    rois = g.Concat(g.Expand(0.0, g.Concat(count, [1], axis=0)), "boxes", axis=1)
    joined = g.Expand(0.0, g.Concat(count, [CHANNELS, *POOLED], axis=0))
    for level in range(len(STRIDES)):
        places = of_level(g, levels, level)
        found = pooled(g, level, g.Gather(rois, places, axis=0))
        index = g.Expand(g.Reshape(places, [-1, 1, 1, 1]), g.Shape(found))
        joined = g.ScatterElements(joined, index, found, axis=0)
    return g, joined, boxes


def fixtures():
    rois = regions()
    g, result = scattered_rows()
    yield g.fixture("levels-scattered", result, expected(rois))
    g, result = scattered_rows(opset=13)
    yield g.fixture("levels-scattered-and-moved", result, expected(rois, minimum=1))
    g, result = masked_sum()
    yield g.fixture("levels-masked", result, expected(rois))
    g, result, boxes = scattered_elements()
    symbols = {"boxes": ("regions", 4)}
    yield g.fixture("levels-by-elements", result, expected(boxes, numpy.zeros((len(boxes), 1))), symbols)
    g, result = scattered_rows(longer_side=True)
    yield g.fixture("refuse-levels-by-longer-side", result, None)
    g, result = scattered_rows(ratios=(2, 2, 1))
    yield g.fixture("refuse-levels-sampled-apart", result, None)

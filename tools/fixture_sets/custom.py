"""The other custom operators of the mmcv and mmdeploy libraries."""

import math

import numpy
from references import custom

from .build import eighths, helper, scattered, single


def grids():
    x, grid = scattered(700, 1, 2, 4, 5), scattered(701, 1, 3, 4, 2, low=-1.3, high=1.3)
    modes, paddings = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
    for domain, mode, padding, align in (("mmcv", 0, 0, 0), ("mmdeploy", 0, 1, 1), ("mmcv", 1, 2, 0),
                                         ("mmdeploy", 2, 0, 1), ("mmcv", 2, 2, 0)):
        answer = custom.grid_sample(x, grid, modes[mode], paddings[padding], bool(align))
        yield single(f"{domain}-grid-sampler-{modes[mode]}-{paddings[padding]}", f"{domain}::grid_sampler",
                     {"x": x, "grid": grid}, {"y": answer},
                     {"interpolation_mode": mode, "padding_mode": padding, "align_corners": align},
                     fed=["x", "grid"])
    shapes, starts = numpy.array([[3, 4], [2, 2]], numpy.int64), numpy.array([0, 12], numpy.int64)
    operands = {"value": scattered(710, 1, 16, 2, 3), "shapes": shapes, "starts": starts,
                "locations": scattered(711, 1, 3, 2, 2, 2, 2, low=-0.1, high=1.1),
                "weights": scattered(712, 1, 3, 2, 2, 2, low=0, high=1)}
    yield single("mmdeploy-deformable-attention", "mmdeploy::MMCVMultiScaleDeformableAttention", operands,
                 {"y": custom.deformable_attention(*operands.values())}, {"im2col_step": 64},
                 fed=["value", "locations", "weights"])
    shapes, weights = shapes.astype(numpy.int32), scattered(713, 1, 3, 2, 8, low=-1, high=1)
    operands = {"value": operands["value"], "shapes": shapes, "references": scattered(714, 1, 3, 1, 4, low=0, high=1),
                "offsets": scattered(715, 1, 3, 2, 16, low=-2, high=2), "weights": weights}
    yield single("bevformer-attention", "MultiScaleDeformableAttnTRT", operands,
                 {"y": custom.referenced_attention(*operands.values())},
                 fed=["value", "references", "offsets", "weights"])
    places = scattered(716, 1, 3, 2, 16, low=-1.2, high=1.2)
    answer = custom.located_attention(operands["value"], shapes, (places.reshape(1, 3, 2, 2, 4, 2) + 1) / 2,
                                      weights.reshape(1, 3, 2, 2, 4))
    yield single("bevformer-attention-located", "MultiScaleDeformableAttnTRT2",
                 {"value": operands["value"], "shapes": shapes, "locations": places, "weights": weights},
                 {"y": answer.reshape(1, 3, 2, 3)}, fed=["value", "locations", "weights"])


def pooling():
    x = eighths(720, 1, 2, 4, 5)
    for mode, name in enumerate(("top", "bottom", "left", "right")):
        yield single(f"mmcv-corner-pool-{name}", "mmcv::MMCVCornerPool", {"x": x},
                     {"y": custom.corner_pool(x, mode)}, {"mode": mode})
    for kind, axis, better in (("cummax", 2, numpy.greater_equal), ("cummin", -1, numpy.less_equal)):
        values, indices = custom.cumulative(x, axis, better)
        yield single(f"mmcv-{kind}", f"mmcv::{kind}", {"x": x}, {"y": values, "indices": indices}, {"dim": axis})
    wide, boxes = scattered(730, 1, 8, 6, 7), numpy.array([[[1, 1, 5, 4], [-2, 0.5, 3, 8]]], numpy.float32)
    yield single("mmcv-border-align", "mmcv::MMCVBorderAlign", {"x": wide, "boxes": boxes},
                 {"y": custom.border_align(wide, boxes, 4)}, {"pool_size": 4}, fed=["x", "boxes"])
    rois = numpy.array([[0, 2, 3, 17, 13], [0, -6, -5, 9.5, 30], [0, 4, 4, 4, 9]], numpy.float32)
    yield single("mmcv-precise-roi-pool", "mmcv::PrRoIPool", {"x": wide, "rois": rois},
                 {"y": custom.precise_roi_pool(wide, rois, (2, 3), 0.25)},
                 {"pooled_height": 2, "pooled_width": 3, "spatial_scale": 0.25}, fed=["x", "rois"])


def alignment():
    x = scattered(740, 1, 2, 4, 5)
    boxes = numpy.concatenate([scattered(741, 1, 4, 5, 2, low=0, high=10), scattered(742, 1, 4, 5, 2, low=1, high=6),
                               scattered(743, 1, 4, 5, 1, low=-2, high=2)], -1)
    for points in (1, 5):
        yield single(f"mmcv-rotated-feature-align-{points}", "mmcv::MMCVRotatedFeatureAlign",
                     {"x": x, "boxes": boxes}, {"y": custom.rotated_feature_align(x, boxes, 0.5, points)},
                     {"spatial_scale": 0.5, "points": points}, fed=["x", "boxes"])


def reassembly():
    x, masks = scattered(750, 1, 4, 3, 4), scattered(751, 1, 18, 6, 8, low=0, high=0.3)
    for kind in ("MMCVCARAFE", "MMCVCARAFENaive"):
        yield single(f"mmcv-{kind[4:].lower()}", f"mmcv::{kind}", {"x": x, "masks": masks},
                     {"y": custom.carafe(x, masks, 3, 2, 2)},
                     {"kernel_size": 3, "group_size": 2, "scale_factor": 2.0}, fed=["x", "masks"])
    x, mask = eighths(760, 1, 3, 5, 4), numpy.random.default_rng(761).integers(0, 2, (1, 5, 4)).astype(numpy.float32)
    weight, bias = eighths(762, 2, 3, 3, 3, low=-1, high=1), eighths(763, 2)
    yield single("mmcv-masked-conv", "mmcv::MMCVMaskedConv2d",
                 {"x": x, "mask": mask, "weight": weight, "bias": bias},
                 {"y": custom.masked_conv(x, mask, weight, bias, 1)}, {"padding": 1, "stride": 1},
                 fed=["x", "mask"])
    spread = eighths(764, 1, 15, 3, 4)
    for kind, name in enumerate(("collect", "distribute")):
        yield single(f"mmcv-psa-mask-{name}", "mmcv::MMCVPSAMask", {"x": spread},
                     {"y": custom.psa_mask(spread, kind, (3, 5))}, {"psa_type": kind, "mask_size": [3, 5]})


def selection():
    base = eighths(770, 3, 4, low=-8, high=8)
    yield single("mmdeploy-grid-priors", "mmdeploy::GridPriorsTRT",
                 {"base": base, "rows": numpy.zeros(2, numpy.float32), "columns": numpy.zeros(3, numpy.float32)},
                 {"y": custom.grid_priors(base, 2, 3, 8, 16)}, {"stride_h": 8, "stride_w": 16},
                 fed=["base", "rows", "columns"])
    x = eighths(771, 2, 5, 3)
    indices = numpy.array([[4, 0], [2, 2]], numpy.int64)
    yield single("mmdeploy-gather-topk", "mmdeploy::GatherTopk", {"x": x, "indices": indices},
                 {"y": custom.gather_topk(x, indices)}, fed=["x", "indices"])


def plain():
    """Spellings of operators that the standard has."""
    x = scattered(780, 2, 3, 4, 5)
    scale, bias = scattered(781, 3), scattered(782, 3)
    mean, variance = scattered(783, 3, low=-2, high=0), scattered(784, 3)
    column = lambda v: v.astype(numpy.float64)[:, None, None]  # noqa: E731
    answer = (x - column(mean)) / numpy.sqrt(column(variance) + 1e-5) * column(scale) + column(bias)
    yield single("mmcv-sync-batch-norm", "mmcv::MMCVSyncBatchNorm",
                 {"x": x, "mean": mean, "variance": variance, "scale": scale, "bias": bias}, {"y": answer},
                 {"eps": 1e-5, "momentum": 0.1})
    wide = x.astype(numpy.float64)
    normal = (wide - wide.mean((2, 3), keepdims=True)) / numpy.sqrt(wide.var((2, 3), keepdims=True) + 1e-5)
    for spelling in ("mmcv::MMCVInstanceNormalization", "mmdeploy::TRTInstanceNormalization"):
        yield single(spelling.split("::")[0] + "-instance-norm", spelling, {"x": x, "scale": scale, "bias": bias},
                     {"y": normal * column(scale) + column(bias)}, {"epsilon": 1e-5})
    rows, weight, shift = scattered(785, 2, 3, 4), scattered(786, 4), scattered(787, 4)
    wide = rows.astype(numpy.float64)
    normal = (wide - wide.mean(-1, keepdims=True)) / numpy.sqrt(wide.var(-1, keepdims=True) + 1e-5)
    for kind in ("LayerNorm", "layer_norm"):
        yield single(f"mmdeploy-{kind.replace('_', '-').lower()}", f"mmdeploy::{kind}",
                     {"x": rows, "weight": weight, "bias": shift}, {"y": normal * weight + shift},
                     {"affine": 1, "epsilon": 1e-5})
    gelu = numpy.vectorize(lambda v: 0.5 * v * (1 + math.erf(v / math.sqrt(2))))(wide)
    yield single("mmdeploy-gelu", "mmdeploy::Gelu", {"x": rows}, {"y": gelu})
    query, key, value = (scattered(788 + k, 1, 3, 4) for k in range(3))
    logits = numpy.exp(query.astype(numpy.float64) @ key.transpose(0, 2, 1))
    weights = logits / logits.sum(-1, keepdims=True)
    yield single("mmdeploy-attention", "mmdeploy::ScaledDotProductAttentionTRT",
                 {"query": query, "key": key, "value": value}, {"y": weights @ value, "weights": weights},
                 fed=["query", "key", "value"])
    marked = single("mmdeploy-mark", "mmdeploy::Mark", {"x": rows}, {"marked": rows},
                    {"dtype": 1, "shape": [2, 3, 4], "func": "head", "func_id": 0, "type": "input", "name": "x",
                     "id": 0})
    marked.nodes.append(helper.make_node("Relu", ["marked"], ["y"]))
    marked.outputs = {"y": rows}
    yield marked


def fixtures():
    for family in (grids, pooling, alignment, reassembly, selection, plain):
        yield from family()

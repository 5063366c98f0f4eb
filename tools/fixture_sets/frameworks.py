"""Operators of other frameworks under their own names: torchvision, detectron2, MXNet, OpenVINO, Caffe2, Paddle."""

import math

import numpy
from references.position_sensitive import ps_roi_align, ps_roi_bilinear
from references.proposal import openvino_proposal
from references.roi import max_roi_pool, roi_align, roi_align_rotated
from references.suppression import box_nms, plain_nms

from .build import eighths, scattered, single
from .deform import Case
from .roi import BOTH, ROIS, TURNED, features
from .suppression import clusters, scores

# The same in degrees, and without the batch index.
DEGREES = TURNED.copy()
DEGREES[:, 5] = numpy.degrees(TURNED[:, 5])
# Shares of the image: ordinary, whole, inverted, past the borders.
SHARES = numpy.array([[0, 0.1, 0.2, 0.7, 0.9], [1, 0, 0, 1, 1], [0, 0.5, 0.5, 0.3, 0.2], [1, -0.2, 0.3, 1.3, 0.6]],
                     numpy.float32)


def torch():
    """torchvision's and detectron2's operators, their numbers as constant operands."""
    x = features(800)
    numbers = {"scale": numpy.array(0.25), "rows": numpy.array(3), "columns": numpy.array(2)}
    yield single("torchvision-roi-pool", "torchvision::roi_pool", {"x": x, "rois": ROIS} | numbers,
                 {"y": max_roi_pool(x, ROIS, (3, 2), 0.25)}, fed=BOTH)
    for flag in (False, True):
        operands = {"x": x, "rois": ROIS} | numbers | {"ratio": numpy.array(2), "aligned": numpy.array(flag)}
        yield single(f"torchvision-roi-align-{'aligned' if flag else 'legacy'}", "torchvision::roi_align", operands,
                     {"y": roi_align(x, ROIS[:, 1:], ROIS[:, 0], (3, 2), 0.25, 2, flag)}, fed=BOTH)
    numbers |= {"scale": numpy.array(0.5), "ratio": numpy.array(2)}
    yield single("detectron2-roi-align-rotated", "detectron2::roi_align_rotated_forward",
                 {"x": x, "rois": DEGREES} | numbers, {"y": roi_align_rotated(x, TURNED, (3, 2), 0.5, 2, True)},
                 fed=BOTH)
    boxes, score = clusters(801, 12)[0], scores(802, 12)
    yield single("torchvision-nms", "torchvision::nms",
                 {"boxes": boxes, "scores": score, "iou_threshold": numpy.array(0.3)},
                 {"kept": plain_nms(boxes, score, 0.3)}, fed=["boxes", "scores"])


def mxnet():
    """MXNet's operators, attributes as text where its own files have text."""
    x, maps = features(810), features(811, 2 * 6)
    for name, kind in (("mxnet-roi-pooling", "ROIPooling"), ("mxnet-roi-pooling-npx", "_npx_roi_pooling")):
        yield single(name, f"org.apache.mxnet::{kind}", {"x": x, "rois": ROIS},
                     {"y": max_roi_pool(x, ROIS, (3, 2), 0.25)}, {"pooled_size": "(3, 2)", "spatial_scale": "0.25"},
                     fed=BOTH)
    common = {"pooled_size": (3, 2), "spatial_scale": 0.25, "sample_ratio": 2}
    for flag in (0, 1):
        yield single(f"mxnet-roi-align-{'aligned' if flag else 'legacy'}", "org.apache.mxnet::_contrib_ROIAlign",
                     {"x": x, "rois": ROIS}, {"y": roi_align(x, ROIS[:, 1:], ROIS[:, 0], (3, 2), 0.25, 2, bool(flag))},
                     common | {"aligned": flag}, fed=BOTH)
    square = features(812, 2 * 9)
    yield single("mxnet-roi-align-position-sensitive", "org.apache.mxnet::_contrib_ROIAlign",
                 {"x": square, "rois": ROIS}, {"y": ps_roi_align(square, ROIS, (3, 3), 0.25, 2, False, 1)},
                 common | {"pooled_size": "(3, 3)", "position_sensitive": "True"}, fed=BOTH)
    yield single("mxnet-rroi-align", "org.apache.mxnet::_contrib_RROIAlign", {"x": x, "rois": DEGREES},
                 {"y": roi_align_rotated(x, TURNED, (2, 3), 0.5, 2, False)},
                 {"pooled_size": (2, 3), "spatial_scale": 0.5, "sampling_ratio": 2}, fed=BOTH)
    classes = numpy.random.default_rng(813).integers(0, 3, (2, 9, 1))
    rows = numpy.concatenate([classes, scores(814, 2, 9, 1) - 0.3, clusters(815, 9, 2)], -1).astype(numpy.float32)
    middle = rows.copy()
    middle[..., 2:4], middle[..., 4:] = (rows[..., 2:4] + rows[..., 4:]) / 2, rows[..., 4:] - rows[..., 2:4]
    for name, data, more in (
        ("", rows, {"id_index": 0}),
        ("-across-classes", rows, {"id_index": 0, "force_suppress": 1, "topk": 5}),
        ("-background", rows, {"id_index": 0, "background_id": 1, "overlap_thresh": 0.2, "valid_thresh": 0.1}),
        ("-centred", middle, {"in_format": "center", "out_format": "center"}),
        ("-to-corners", middle, {"in_format": "center"}),
    ):
        yield single(f"mxnet-box-nms{name}", "org.apache.mxnet::_contrib_box_nms", {"data": data},
                     {"kept": box_nms(data, **more)}, more)


def deformable():
    """Frameworks' own names of deformable convolution; MXNet's and OpenVINO's first ones clamp at the border."""
    clamped = Case(820, strides=(2, 1), pads=(1, 2, 1, 2), offset_group=2, mask=False)
    texts = {"kernel": "(3, 3)", "stride": "(2, 1)", "dilate": "(1, 1)", "pad": "(1, 2)", "num_filter": "4",
             "num_group": "1", "num_deformable_group": "2", "no_bias": "False"}
    yield clamped.fixture("mxnet-deformable-convolution", "org.apache.mxnet::_contrib_DeformableConvolution",
                          "x offset weight bias", texts, clamped.answer("clamp"))
    full = Case(830, strides=(2, 1), pads=(1, 2, 1, 2), offset_group=2)
    yield full.fixture("mxnet-modulated-deformable-convolution",
                       "org.apache.mxnet::_contrib_ModulatedDeformableConvolution", "x offset mask weight bias", texts)
    yield full.fixture("plugin-dcnv2", "trt::Plugin", "x offset mask weight bias",
                       {"type": "DCNv2", "stride": (2, 1), "padding": (1, 2), "dilation": (1, 1),
                        "deformable_groups": 2})
    paddle = Case(840, offset_group=2, pads=(1, 0, 2, 1), bias=False)
    yield paddle.fixture("paddle-deformable-conv", "paddle::deformable_conv", "x offset weight mask",
                         {"strides": (1, 1), "paddings": (1, 2, 0, 1), "dilations": (1, 1), "groups": 1,
                          "deformable_groups": 2, "im2col_step": 64})
    plain = Case(850, group=2, pads=(1, 0, 2, 1), bias=False, mask=False)
    yield plain.fixture("openvino-deformable-convolution-1", "org.openvinotoolkit::DeformableConvolution",
                        "x offset weight", {"strides": (1, 1), "pads_begin": (1, 0), "pads_end": (2, 1),
                                            "dilations": (1, 1), "auto_pad": "explicit", "group": 2,
                                            "deformable_group": 1}, plain.answer("clamp"))
    masked = Case(860, offset_group=2, bias=False)
    for name, flag, border in (("8", 0, "clamp"), ("8-padded", 1, "zero")):
        yield masked.fixture(f"openvino-deformable-convolution-{name}", "org.openvinotoolkit::DeformableConvolution",
                             "x offset weight mask",
                             {"strides": (1, 1), "pads_begin": (1, 1), "pads_end": (1, 1), "dilations": (1, 1),
                              "deformable_group": 2, "bilinear_interpolation_pad": flag}, masked.answer(border))


def openvino():
    """OpenVINO's operators on regions."""
    x = features(870)
    yield single("openvino-roi-pooling-max", "org.openvinotoolkit::ROIPooling", {"x": x, "rois": ROIS},
                 {"y": max_roi_pool(x, ROIS, (3, 2), 0.25)},
                 {"pooled_h": 3, "pooled_w": 2, "spatial_scale": 0.25, "method": "max"}, fed=BOTH)
    yield single("openvino-roi-pooling-bilinear", "org.openvinotoolkit::ROIPooling", {"x": x, "rois": SHARES},
                 {"y": ps_roi_bilinear(x, SHARES, 2, (3, 2), 1, 1, 1)},
                 {"pooled_h": 3, "pooled_w": 2, "spatial_scale": 1.0, "method": "bilinear"}, fed=BOTH)
    for name, pooled, bins in (("", 3, (3, 2)), ("-one", 1, (2, 2))):
        maps = features(871, 2 * bins[0] * bins[1])
        yield single(f"openvino-ps-roi-pooling-bilinear{name}", "org.openvinotoolkit::PSROIPooling",
                     {"x": maps, "rois": SHARES}, {"y": ps_roi_bilinear(maps, SHARES, 2, pooled, 1, *bins)},
                     {"output_dim": 2, "group_size": pooled, "spatial_scale": 1.0, "spatial_bins_x": bins[0],
                      "spatial_bins_y": bins[1], "mode": "bilinear"}, fed=BOTH)
    signed = features(872, low=-3)
    operands = {"x": signed, "rois": ROIS[:, 1:].copy(), "batch": ROIS[:, 0].astype(numpy.int64)}
    for mode, coordinates, aligned, shift in (
        ("avg", "asymmetric", False, 0), ("avg", "half_pixel_for_nn", True, 0.5),
        ("max", "half_pixel_for_nn", True, 0.5), ("avg", "half_pixel", True, 0.5 - 0.5 * 0.25),
    ):
        answer = roi_align(signed, ROIS[:, 1:], ROIS[:, 0], (3, 2), 0.25, 2, aligned,
                           "max_zero" if mode == "max" else mode, shift=shift)
        yield single(f"openvino-roi-align-{mode}-{coordinates.replace('_', '-')}", "org.openvinotoolkit::ROIAlign",
                     operands, {"y": answer}, {"pooled_h": 3, "pooled_w": 2, "sampling_ratio": 2,
                                               "spatial_scale": 0.25, "mode": mode, "aligned_mode": coordinates},
                     fed=list(operands))
    operands = {"x": x, "rois": TURNED[:, 1:].copy(), "batch": TURNED[:, 0].astype(numpy.int64)}
    for way in (False, True):
        yield single(f"openvino-roi-align-rotated{'-clockwise' if way else ''}", "org.openvinotoolkit::ROIAlignRotated",
                     operands, {"y": roi_align_rotated(x, TURNED, (2, 3), 0.5, 2, True, way)},
                     {"pooled_h": 2, "pooled_w": 3, "sampling_ratio": 2, "spatial_scale": 0.5,
                      "clockwise_mode": int(way)}, fed=list(operands))


def proposal_operands(seed):
    """Probabilities, displacements and the image of two pictures of 4 × 5 cells with six anchors."""
    probabilities = scattered(seed, 2, 12, 4, 5, low=0.05, high=0.95)
    return {"probs": probabilities, "deltas": scattered(seed + 1, 2, 24, 4, 5, low=-0.4, high=0.4),
            "image": numpy.array([60, 72, 1.5], numpy.float32)}


PROPOSALS = {
    "": ({}, {"clip_before_nms": 1}),
    "-of-one-row": ({}, {}),
    "-padded": ({"after": 60}, {"post_nms_topn": 60}),
    "-shares": ({"clip_before": False, "clip_after": True, "normalize": True, "coordinate_scale": 2.0,
                 "size_scale": 4.0},
                {"clip_before_nms": 0, "clip_after_nms": 1, "normalize": 1, "box_coordinate_scale": 2.0,
                 "box_size_scale": 4.0}),
}


def proposals():
    scales, ratios = [1.0, 2.0], [0.5, 1.0, 2.0]
    for name, (settings, attributes) in PROPOSALS.items():
        operands = proposal_operands(880)
        given = {"after": 12} | settings
        rois, marks = openvino_proposal(*operands.values(), scales=scales, ratios=ratios, before=70, threshold=0.5,
                                        minimum=12, **given)
        if name == "-of-one-row":
            operands["image"] = operands["image"].reshape(1, 3)
        yield single(f"openvino-proposal{name}", "org.openvinotoolkit::Proposal", operands,
                     {"rois": rois, "probs_out": marks},
                     {"base_size": 16, "pre_nms_topn": 70, "post_nms_topn": 12, "nms_thresh": 0.5, "feat_stride": 16,
                      "min_size": 12, "ratio": ratios, "scale": scales, "framework": ""} | attributes,
                     fed=list(operands))


def plain():
    """Spellings of operators that the standard has."""
    x = eighths(890, 4, 3, 2, 2)
    order = numpy.array([2, 0, 3, 1], numpy.int32)
    yield single("caffe2-batch-permutation", "org.pytorch._caffe2::BatchPermutation", {"x": x, "order": order},
                 {"y": x[order]}, fed=["x", "order"])
    image = scattered(891, 2, 4, 3, 5)
    yield single("mmdeploy-adaptive-avg-pool", "mmdeploy::AdaptiveAvgPool2d",
                 {"x": image, "size": numpy.array([1, 1], numpy.int64)},
                 {"y": image.astype(numpy.float64).mean((2, 3), keepdims=True)})
    scale, bias = scattered(892, 4), scattered(893, 4)
    groups = image.astype(numpy.float64).reshape(2, 2, -1)
    normal = (groups - groups.mean(-1, keepdims=True)) / numpy.sqrt(groups.var(-1, keepdims=True) + 1e-5)
    answer = normal.reshape(image.shape) * scale[:, None, None] + bias[:, None, None]
    yield single("openvino-group-norm", "org.openvinotoolkit::GroupNorm", {"x": image, "scale": scale, "bias": bias},
                 {"y": answer}, {"num_groups": 2, "eps": 1e-5})
    yield single("mmdeploy-bicubic-interpolate", "mmdeploy::TRTBicubicInterpolate", {"x": image},
                 {"y": enlarged(image.astype(numpy.float64), 2)}, {"scale_factor": [2.0, 2.0], "align_corners": 0})
    updates = scattered(894, 2, 3, 5)
    moved = image[0].copy()
    moved[[3, 1]] = updates
    yield single("mmdeploy-scatter-nd", "mmdeploy::ScatterND",
                 {"x": image[0].copy(), "indices": numpy.array([[3], [1]], numpy.int64), "updates": updates},
                 {"y": moved}, fed=["x", "updates"])


def enlarged(x, factor):
    """Cubic convolution (A = −0.75) at half pixels, the edges repeated."""
    for axis in (2, 3):
        size = x.shape[axis]
        rows = []
        for place in range(size * factor):
            position = (place + 0.5) / factor - 0.5
            base = math.floor(position)
            taps = [(base + k, cubic(position - base - k)) for k in range(-1, 3)]
            rows.append(sum(weight * x.take(min(max(tap, 0), size - 1), axis) for tap, weight in taps))
        x = numpy.stack(rows, axis)
    return x


def cubic(distance, a=-0.75):
    d = abs(distance)
    return ((a + 2) * d - (a + 3)) * d * d + 1 if d <= 1 else ((a * d - 5 * a) * d + 8 * a) * d - 4 * a


def fixtures():
    for family in (torch, mxnet, deformable, openvino, proposals, plain):
        yield from family()

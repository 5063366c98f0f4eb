"""Every spelling of the RoI family: maximum, aligned, rotated, several levels, position-sensitive, deformable."""

import numpy
from references.position_sensitive import (
    deform_ps_roi_pool,
    deform_roi_pool,
    ps_roi_align,
    ps_roi_pool,
    ps_roi_pool_torchvision,
)
from references.proposal import mxnet_proposal
from references.roi import (
    detectron_roi_features,
    max_roi_pool,
    multi_level_roi_align,
    multi_level_roi_align_rotated,
    roi_align,
    roi_align_rotated,
)

from .build import scattered, single

# (batch, x1, y1, x2, y2): ordinary, past the borders, of half pixels after scaling, tiny, outside.
ROIS = numpy.array([[0, 2, 3, 17, 13], [1, -6, -5, 9.5, 30], [0, 5, 7, 21, 27], [1, 8.25, 8.5, 9, 9.25],
                    [0, 40, 44, 60, 58]], numpy.float32)
# (batch, cx, cy, w, h, theta)
TURNED = numpy.array([[0, 10, 9, 12, 6, 0.5], [1, 3, 4, 20, 9, -1.25], [0, 14, 20, 1, 0.5, 2.0]], numpy.float32)
BOTH = ["x", "rois"]


def features(seed, channels=2, size=(8, 7), batch=2, low=0.5, high=3.0):
    return scattered(seed, batch, channels, *size, low=low, high=high)


def maximum():
    x = features(500, low=-3)
    for version, pooled in ((1, (2, 4)), (22, (3, 2))):
        yield single(f"max-roi-pool-{version}", "MaxRoiPool", {"x": x, "rois": ROIS},
                     {"y": max_roi_pool(x, ROIS, pooled, 0.25)},
                     {"pooled_shape": pooled, "spatial_scale": 0.25}, fed=BOTH, imports={"": max(version, 11)})


def aligned():
    """ONNX's versions, whose default flips at 16, and its four modes."""
    x = features(510)
    operands = {"x": x, "rois": ROIS[:, 1:].copy(), "batch": ROIS[:, 0].astype(numpy.int64)}
    base = {"output_height": 3, "output_width": 2, "spatial_scale": 0.25}
    half, legacy = ({"coordinate_transformation_mode": text} for text in ("half_pixel", "output_half_pixel"))
    for name, version, more, shifted, ratio, mode in (
        ("10", 10, {"sampling_ratio": 2}, False, 2, "avg"),
        ("10-adaptive", 10, {}, False, 0, "avg"),
        ("16-default", 16, {"sampling_ratio": 2}, True, 2, "avg"),
        ("16-adaptive", 16, {}, True, 0, "avg"),
        ("16-output-half-pixel", 16, legacy | {"sampling_ratio": 1}, False, 1, "avg"),
        ("16-max", 16, half | {"mode": "max", "sampling_ratio": 2}, True, 2, "max_corner"),
        ("22", 22, half | {"mode": "avg", "sampling_ratio": 3}, True, 3, "avg"),
    ):
        answer = roi_align(x, operands["rois"], operands["batch"], (3, 2), 0.25, ratio, shifted, mode)
        yield single(f"roi-align-{name}", "RoiAlign", operands, {"y": answer}, base | more, fed=list(operands),
                     imports={"": version})
    wide = {"x": x, "rois": ROIS}
    attributes = {"output_height": 3, "output_width": 2, "spatial_scale": 0.25, "sampling_ratio": 2}
    signed = features(511, low=-3)
    for mode, flag in (("avg", 0), ("avg", 1), ("max", 0), ("max", 1)):
        maps = signed if mode == "max" else x
        answer = roi_align(maps, ROIS[:, 1:], ROIS[:, 0], (3, 2), 0.25, 2, bool(flag), mode)
        yield single(f"mmcv-roi-align-{mode}-{'aligned' if flag else 'legacy'}", "mmcv::MMCVRoiAlign",
                     wide | {"x": maps}, {"y": answer}, attributes | {"mode": mode, "aligned": flag}, fed=BOTH)
    answer = roi_align(x, ROIS[:, 1:], ROIS[:, 0], (3, 2), 0.25, 2, True)
    yield single("caffe2-roi-align", "org.pytorch._caffe2::RoIAlign", wide, {"y": answer},
                 {"order": "NCHW", "spatial_scale": 0.25, "pooled_h": 3, "pooled_w": 2, "sampling_ratio": 2,
                  "aligned": 1}, fed=BOTH)


def rotated():
    x = features(520)
    for domain, flag, clockwise in (("mmcv", 1, 0), ("mmdeploy", 0, 1)):
        answer = roi_align_rotated(x, TURNED, (2, 3), 0.5, 2, bool(flag), bool(clockwise))
        yield single(f"{domain}-roi-align-rotated", f"{domain}::MMCVRoIAlignRotated", {"x": x, "rois": TURNED},
                     {"y": answer}, {"output_height": 2, "output_width": 3, "spatial_scale": 0.5,
                                     "sampling_ratio": 2, "aligned": flag, "clockwise": clockwise}, fed=BOTH)


def levels():
    """Regions that find their level in a pyramid by size."""
    maps = {f"level{k}": features(530 + k, 2, (12 >> k, 12 >> k), batch=1) for k in range(3)}
    rois = numpy.array([[0, 2, 3, 17, 13], [0, 1, 2, 40, 30], [0, -6, 4, 44, 46], [0, 20, 20, 22, 23]],
                       numpy.float32)
    turned = numpy.array([[0, 20, 22, 12, 9, 0.5], [0, 24, 20, 40, 36, -1.0]], numpy.float32)
    strides, shape = [4.0, 8.0, 16.0], {"output_height": 2, "output_width": 2}
    common = shape | {"sampling_ratio": 2, "finest_scale": 14, "featmap_strides": strides, "aligned": 1}
    arrays = list(maps.values())
    for mode, factor in ((1, 0.0), (1, 1.5), (0, 0.0)):
        answer = multi_level_roi_align(rois, arrays, strides, (2, 2), 14, 2, True, "avg" if mode else "max", factor)
        name = f"mmdeploy-multi-level-{'avg' if mode else 'max'}{'-grown' if factor else ''}"
        yield single(name, "mmdeploy::MMCVMultiLevelRoiAlign", {"rois": rois} | maps, {"y": answer},
                     common | {"pool_mode": mode, "roi_scale_factor": factor}, fed=["rois", *maps])
    answer = multi_level_roi_align_rotated(turned, arrays, strides, (2, 2), 14, 2, True, True)
    yield single("mmdeploy-multi-level-rotated", "mmdeploy::MMCVMultiLevelRotatedRoiAlign",
                 {"rois": turned} | maps, {"y": answer}, common | {"clockwise": 1, "roi_scale_factor": 0.0},
                 fed=["rois", *maps])
    answer = multi_level_roi_align(rois, arrays, strides, (2, 2), 14, 2, True)
    yield single("mmdeploy-roi-extractor", "mmdeploy::RoiExtractor", maps | {"rois": rois}, {"y": answer},
                 {"pooled_height": 2, "pooled_width": 2, "pool_mode": "avg", "sample_num": 2,
                  "roi_scale_factor": 0.0, "finest_scale": 14, "spatial_scale": [1 / s for s in strides],
                  "aligned": 1}, fed=["rois", *maps])
    corners = rois[:, 1:].copy() * 6
    answer = detectron_roi_features(corners, arrays, [24, 48, 96], 2, 2, True)
    yield single("openvino-roi-extractor", "org.openvinotoolkit::ExperimentalDetectronROIFeatureExtractor",
                 {"rois": corners} | maps, {"y": answer, "same_rois": corners},
                 {"output_size": 2, "sampling_ratio": 2, "pyramid_scales": [24, 48, 96], "aligned": 1},
                 fed=["rois", *maps])


def position_sensitive():
    x = features(540, 2 * 9)
    for domain, name, group in (("org.apache.mxnet", "mxnet", 3), ("org.openvinotoolkit", "openvino", 0)):
        answer = ps_roi_pool(x, ROIS, 2, 3, 0.25, group)
        yield single(f"{name}-ps-roi-pooling", f"{domain}::PSROIPooling", {"x": x, "rois": ROIS}, {"y": answer},
                     {"spatial_scale": 0.25, "output_dim": 2, "pooled_size": 3, "group_size": group}, fed=BOTH)
    coarse = features(541, 2 * 4)
    yield single("mxnet-ps-roi-pooling-coarse", "org.apache.mxnet::PSROIPooling", {"x": coarse, "rois": ROIS},
                 {"y": ps_roi_pool(coarse, ROIS, 2, 4, 0.25, 2)},
                 {"spatial_scale": 0.25, "output_dim": 2, "pooled_size": 4, "group_size": 2}, fed=BOTH)
    numbers = {"scale": numpy.array(0.25), "rows": numpy.array(3), "columns": numpy.array(3)}
    channel = numpy.tile(numpy.arange(18, dtype=numpy.int32).reshape(1, 2, 3, 3), (5, 1, 1, 1))
    yield single("torchvision-ps-roi-pool", "torchvision::ps_roi_pool", {"x": x, "rois": ROIS} | numbers,
                 {"y": ps_roi_pool_torchvision(x, ROIS, (3, 3), 0.25), "channel": channel}, fed=BOTH)
    oblong = numbers | {"rows": numpy.array(2)}
    channel = numpy.tile(numpy.arange(18, dtype=numpy.int32).reshape(1, 3, 2, 3), (5, 1, 1, 1))
    yield single("torchvision-ps-roi-pool-oblong", "torchvision::ps_roi_pool", {"x": x, "rois": ROIS} | oblong,
                 {"y": ps_roi_pool_torchvision(x, ROIS, (2, 3), 0.25), "channel": channel}, fed=BOTH)
    channel = channel.reshape(5, 2, 3, 3)
    yield single("torchvision-ps-roi-align", "torchvision::ps_roi_align",
                 {"x": x, "rois": ROIS} | numbers | {"ratio": numpy.array(2)},
                 {"y": ps_roi_align(x, ROIS, (3, 3), 0.25, 2), "channel": channel}, fed=BOTH)


def deformable():
    """The paper's deformable PS RoI pooling, and mmcv's deformable RoI pooling."""
    for domain, name in (("org.apache.mxnet", "mxnet"), ("org.openvinotoolkit", "openvino")):
        for kind, group, channels, classes, part in (("", 2, 8, 2, 2), ("-one-group", 1, 2, 1, 0),
                                                     ("-without-trans", 2, 8, 0, 2)):
            x, pooled = features(550, channels), 2 if part else 4
            trans = scattered(551, 5, 2 * classes, pooled, pooled, low=-1, high=1) if classes else None
            answer = deform_ps_roi_pool(x, ROIS, trans, scale=0.25, output_dim=2, group=group, pooled=pooled,
                                        part=part, samples=3, trans_std=0.25)
            operands = {"x": x, "rois": ROIS} | ({"trans": trans} if classes else {})
            yield single(f"{name}-deformable-ps-roi-pooling{kind}", f"{domain}::DeformablePSROIPooling", operands,
                         {"y": answer}, {"spatial_scale": 0.25, "trans_std": 0.25, "output_dim": 2,
                                         "group_size": group, "pooled_size": pooled, "part_size": part,
                                         "sample_per_part": 3, "no_trans": int(not classes)}, fed=list(operands))
    x, offset = features(560), scattered(561, 5, 2, 2, 3, low=-1, high=1)
    for name, moves, ratio in (("", offset, 2.0), ("-adaptive", offset, 0.0), ("-without-offset", None, 2.0)):
        operands = {"x": x, "rois": ROIS} | ({} if moves is None else {"offset": moves})
        answer = deform_roi_pool(x, ROIS, moves, (2, 3), 0.25, int(ratio), 0.5)
        yield single(f"mmcv-deform-roi-pool{name}", "mmcv::MMCVDeformRoIPool", operands, {"y": answer},
                     {"pooled_height": 2, "pooled_width": 3, "spatial_scale": 0.25, "sampling_ratio": ratio,
                      "gamma": 0.5}, fed=list(operands))


def proposals():
    """MXNet's proposal: growing and demoting small boxes, cells beyond the image, padding by repetition."""
    scales, ratios = [2.0, 4.0], [0.5, 1.0, 2.0]
    scores = scattered(570, 1, 12, 4, 5, low=0.05, high=0.95)
    deltas = scattered(571, 1, 24, 4, 5, low=-0.4, high=0.4)
    info = numpy.array([[60, 72, 1.5]], numpy.float32)
    for name, after, more, loss in (("", 12, {}, False), ("-padded", 60, {"output_score": 1}, False),
                                    ("-iou-loss", 8, {"iou_loss": 1}, True)):
        operands = {"scores": scores, "deltas": deltas * (20 if loss else 1), "im_info": info}
        rois, kept = mxnet_proposal(*operands.values(), stride=16, scales=scales, ratios=ratios, before=60,
                                    after=after, threshold=0.5, minimum=16, iou_loss=loss)
        results = {"rois": rois} | ({"score": kept} if "output_score" in more else {})
        yield single(f"mxnet-proposal{name}", "org.apache.mxnet::Proposal", operands, results,
                     {"feature_stride": 16, "scales": scales, "ratios": ratios, "rpn_pre_nms_top_n": 60,
                      "rpn_post_nms_top_n": after, "threshold": 0.5, "rpn_min_size": 16} | more,
                     fed=list(operands))


def fixtures():
    for family in (maximum, aligned, rotated, levels, position_sensitive, deformable, proposals):
        yield from family()

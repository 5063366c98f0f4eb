"""Heads of detection networks: TensorRT's plugins, Caffe2's, OpenVINO's and ncnn's operators, and what else their files hold."""

import numpy
from references.detection import (
    adaptive_mean, box_limit, box_transform, class_detections, fake_quantize, heatmap_keypoints, prior_boxes, prior_detections,
    projected_attention, ranked_nms, region_levels, region_proposals, sigmoid, yolo_detections,
)
from references.position_sensitive import deform_ps_roi_pool, ps_roi_align
from references.proposal import mxnet_proposal
from references.roi import roi_align, roi_align_rotated
from references.suppression import batched_nms, overlap

from .build import scattered, single
from .roi import BOTH, ROIS, TURNED, features
from .suppression import clusters, scores, turned

BOXES = ["boxes", "scores"]


def centred(boxes):
    return numpy.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], -1).astype(numpy.float32)


def tensorrt():
    names = ["counts", "detected", "marks", "labels"]
    boxes, marks = clusters(900, 9, 2), scores(901, 2, 9, 3)
    own = clusters(902, 27, 2).reshape(2, 9, 3, 4)
    anchors, moves = centred(clusters(903, 9)), scattered(904, 2, 9, 4, low=-0.3, high=0.3)
    common = {"score_threshold": 0.3, "iou_threshold": 0.4, "max_output_boxes": 8, "plugin_version": "1"}
    kept = {"score_threshold": numpy.float32(0.3), "threshold": numpy.float32(0.4), "keep": 8}
    cases = (
        ("", {"boxes": boxes, "scores": marks}, {"background_class": 1}, {"background": 1}),
        ("-own-boxes", {"boxes": own, "scores": marks}, {"class_agnostic": 1}, {"agnostic": True}),
        ("-anchors", {"boxes": moves, "scores": marks * 4 - 2, "anchors": anchors}, {"box_coding": 1, "score_activation": 1},
         {"centred": True, "logits": True}),
        ("-padded", {"boxes": boxes, "scores": marks}, {"score_threshold": 0.9}, {"score_threshold": numpy.float32(0.9)}),
    )
    for name, operands, more, settings in cases:
        answer = ranked_nms(*operands.values(), **(kept | settings))
        yield single(f"tensorrt-efficient-nms{name}", "TRT::EfficientNMS_TRT", operands, dict(zip(names, answer, strict=True)),
                     common | more, fed=BOXES)
    answer = ranked_nms(boxes[:1], marks[:1], score_threshold=numpy.float32(0.3), threshold=numpy.float32(0.4), keep=30, indices=True)
    yield single("tensorrt-efficient-nms-indices", "EfficientNMS_ONNX_TRT", {"boxes": boxes[:1], "scores": marks[:1]},
                 {"selected": answer}, {"score_threshold": 0.3, "iou_threshold": 0.4, "max_output_boxes_per_class": 30}, fed=BOXES)
    names = ["counts", "detected", "marks", "labels"]
    for name, kind, given, flags, plus in (
        ("", "BatchedNMS_TRT", clusters(905, 10, 2)[:, :, None].copy(), {"isNormalized": 1, "clipBoxes": 0}, 0),
        ("-own-boxes", "BatchedNMSDynamic_TRT", clusters(906, 30, 2).reshape(2, 10, 3, 4), {"isNormalized": 0, "clipBoxes": 0}, 1),
        ("-clipped", "BatchedNMSDynamic_TRT", clusters(907, 10, 2)[:, :, None] / 20, {}, 0),
    ):
        given = given.astype(numpy.float32)
        dets, labels, _ = batched_nms(given, scores(908, 2, 10, 3), threshold=0.3, score_threshold=0.3, topk=8, keep=7, background=0,
                                      similarity=lambda a, b, plus=plus: overlap(a, b, plus))
        corners = dets[..., :4] if "clipBoxes" in flags else dets[..., :4].clip(0, 1)
        results = {"counts": (labels >= 0).sum(1, keepdims=True).astype(numpy.int32), "detected": corners, "marks": dets[..., 4],
                   "labels": labels.astype(numpy.float64)}
        yield single(f"tensorrt-batched-nms{name}", f"trt::{kind}", {"boxes": given, "scores": scores(908, 2, 10, 3)}, results,
                     {"shareLocation": int(given.shape[2] == 1), "backgroundLabelId": 0, "numClasses": 3, "topK": 8, "keepTopK": 7,
                      "scoreThreshold": 0.3, "iouThreshold": 0.3, "scoreBits": 16, "plugin_version": "1"} | flags, fed=BOXES)
    x = features(909)
    yield single("tensorrt-roi-align", "TRT::ROIAlign_TRT",
                 {"x": x, "rois": ROIS[:, 1:].copy(), "batch": ROIS[:, 0].astype(numpy.int64)},
                 {"y": roi_align(x, ROIS[:, 1:], ROIS[:, 0], (3, 2), 0.25, 2, True)},
                 {"output_height": 3, "output_width": 2, "sampling_ratio": 2, "spatial_scale": 0.25, "mode": 1,
                  "coordinate_transformation_mode": 1, "plugin_version": "1"}, fed=["x", "rois", "batch"])


def priors(seed, count, images=1, extent=None):
    """Priors and their variances, [images, 2, count · 4], or of five numbers in cells of an image."""
    corners = clusters(seed, count, images) / 40
    step = 4 if extent is None else 5
    table = numpy.zeros((images, 2, count * step), numpy.float32)
    for image in range(images):
        own = corners[image] if extent is None else numpy.pad(corners[image] * numpy.tile(extent, 2), ((0, 0), (1, 0)))
        table[image, 0] = own.reshape(-1)
        table[image, 1, : count * 4] = numpy.tile([0.1, 0.1, 0.2, 0.2], count)
    return table


def heads(seed, count, classes, images=1, sets=1):
    """Displacements and scores of priors."""
    return scattered(seed, images, count * sets * 4, low=-1, high=1), scores(seed + 1, images, count * classes)


OPENVINO_HEADS = {
    "": ({"coding": "centre", "keep": 6}, {"code_type": "caffe.PriorBoxParameter.CENTER_SIZE", "keep_top_k": 6}, {}),
    "-corners": ({"coding": "corner", "keep": 30, "in_target": True, "shared": False, "clip_before": True, "topk": 5},
                 {"code_type": "CORNER", "keep_top_k": 30, "variance_encoded_in_target": 1, "share_location": 0,
                  "clip_before_nms": 1, "top_k": 5}, {"sets": 3}),
    "-best-class": ({"coding": "centre", "keep": 9, "best_class": True, "clip_after": True, "extents": (300, 200)},
                    {"code_type": "CENTER_SIZE", "keep_top_k": 9, "decrease_label_id": 1, "clip_after_nms": 1, "normalized": 0,
                     "input_width": 300, "input_height": 200}, {"extent": (300, 200)}),
    "-refined": ({"coding": "centre", "keep": 12, "objectness": 0.4}, {"code_type": "CENTER_SIZE", "keep_top_k": 12,
                                                                       "objectness_score": 0.4}, {"first": True}),
}


def openvino_head(name):
    """Operands, attributes and answer of one of the heads above: two images, eight priors, three classes."""
    settings, attributes, more = OPENVINO_HEADS[name]
    first, sets, extent = more.get("first"), more.get("sets", 1), more.get("extent")
    loc, conf = heads(910, 8, 3, 2, sets)
    table = priors(911, 8, 2 if first else 1, extent)
    table = table[:, :1].copy() if settings.get("in_target") else table
    operands = {"loc": loc, "conf": conf, "priors": table}
    if first:
        operands |= {"objects": scores(914, 2, 16), "moves": scattered(912, 2, 32, low=-1, high=1)}
        settings = settings | {"first": (operands["objects"], operands["moves"])}
    answer = prior_detections(loc, conf, table, form="grouped", threshold=0.45, score_threshold=0.25, **settings)
    return operands, {"background_label_id": 0, "nms_threshold": 0.45, "confidence_threshold": 0.25} | attributes, answer


def openvino():
    for name in OPENVINO_HEADS:
        operands, attributes, (answer,) = openvino_head(name)
        yield single(f"openvino-detection-output{name}", "org.openvinotoolkit::DetectionOutput", operands, {"y": answer}, attributes,
                     fed=list(operands))
    x, image = numpy.zeros((1, 2, 2, 3), numpy.float32), numpy.zeros((1, 3, 60, 80), numpy.float32)
    root = numpy.sqrt
    cell = [(0, 0, 10, 10), (0, 0, root(150), root(150))]
    cell += [(0, 0, 10 * root(r), 10 / root(r)) for r in (2, 0.5, 3, 1 / 3)]
    yield single("openvino-prior-box", "org.openvinotoolkit::PriorBox", {"x": x, "image": image},
                 {"y": prior_boxes((2, 3), (80, 60), cell, (0.1, 0.1, 0.2, 0.2), step=numpy.array([80 / 3, 30]), offset=0.5)[None]},
                 {"min_size": [10.0], "max_size": [15.0], "aspect_ratio": [2.0, 3.0, 1.0], "flip": 1, "clip": 0, "step": 0.0,
                  "offset": 0.5, "variance": [0.1, 0.1, 0.2, 0.2]}, fed=["x", "image"])
    cell = [(0, 0, 6, 6), (0, 0, 12, 12), (0, 0, 6 * root(2), 6 / root(2))]
    yield single("openvino-prior-box-shares", "org.openvinotoolkit::PriorBox", {"x": x, "image": image},
                 {"y": prior_boxes((2, 3), (80, 60), cell, (0.1,) * 4, step=30, offset=0.25, clip=True)[None]},
                 {"min_size": [0.1, 0.2], "aspect_ratio": [2.0], "clip": 1, "step": -1.0, "offset": 0.25, "scale_all_sizes": 0},
                 fed=["x", "image"])
    cell = []
    for ratio in (1, 2):
        cell += [(-8 + 4 + column * 8, -8 + 4 + row * 8, 16 * root(ratio), 16 / root(ratio)) for row in (0, 1) for column in (0, 1)]
    yield single("openvino-prior-box-dense", "org.openvinotoolkit::PriorBox", {"x": x, "image": image},
                 {"y": prior_boxes((2, 3), (80, 60), cell, (0.1,) * 4, step=20, offset=0.5, far_clip=True)[None]},
                 {"fixed_size": [16.0], "fixed_ratio": [1.0, 2.0], "density": [2.0], "aspect_ratio": [2.0], "step": 20.0, "offset": 0.5},
                 fed=["x", "image"])
    yield single("openvino-prior-box-clustered", "org.openvinotoolkit::PriorBoxClustered", {"x": x, "image": image},
                 {"y": prior_boxes((2, 3), (80, 60), [(0, 0, 20, 10), (0, 0, 7, 30)], (0.1, 0.1, 0.2, 0.2),
                                   step=numpy.array([20, 25]), offset=0.5, clip=True)[None]},
                 {"width": [20.0, 7.0], "height": [10.0, 30.0], "clip": 1, "variance": [0.1, 0.1, 0.2, 0.2], "step_w": 20.0,
                  "step_h": 25.0, "offset": 0.5}, fed=["x", "image"])
    yield from openvino_regions()
    yield from openvino_plain()


def openvino_regions():
    anchors = clusters(920, 3)[0] - 15
    marks, moves = scores(921, 2, 3, 4, 5), scattered(922, 2, 12, 4, 5, low=-0.4, high=0.4)
    info = numpy.array([[40, 50, 1.5], [44, 36, 1]], numpy.float32)
    settings = {"before": 50, "after": 11, "threshold": 0.5, "minimum": 4, "plus": 1}
    rois, values, counts = region_proposals(marks, moves, info, anchors + 15, form="counted", **settings)
    yield single("openvino-generate-proposals", "org.openvinotoolkit::GenerateProposals",
                 {"scores": marks, "deltas": moves, "image": info, "anchors": anchors + 15},
                 {"rois": rois, "marks": values, "counts": counts},
                 {"min_size": 4.0, "nms_thresh": 0.5, "pre_nms_topN": 50, "post_nms_topN": 11, "legacy_plus_one": 1},
                 fed=["scores", "deltas", "image"])
    places = numpy.stack(numpy.meshgrid(numpy.arange(5) * 10 + 5, numpy.arange(4) * 10 + 5), -1).reshape(-1, 1, 2)
    whole = (anchors[None] + numpy.tile(places, 2)).reshape(-1, 4).astype(numpy.float32)
    for name, after, minimum in (("", 12, 9), ("-padded", 50, 0)):
        rois, values = region_proposals(marks[0], moves[0], info[0], whole, form="padded", before=45, after=after, threshold=0.5,
                                        minimum=minimum, plus=1)
        yield single(f"openvino-detectron-proposals{name}", "org.openvinotoolkit::ExperimentalDetectronGenerateProposalsSingleImage",
                     {"image": info[0].copy(), "anchors": whole, "deltas": moves[0].copy(), "scores": marks[0].copy()},
                     {"rois": rois, "marks": values},
                     {"min_size": float(minimum), "nms_threshold": 0.5, "pre_nms_count": 45, "post_nms_count": after},
                     fed=["image", "deltas", "scores"])
    map_, image = numpy.zeros((1, 2, 3, 4), numpy.float32), numpy.zeros((1, 3, 48, 80), numpy.float32)
    for name, flat, steps in (("", 1, (20, 16)), ("-given", 0, (8, 4))):
        middle = numpy.stack(numpy.meshgrid((numpy.arange(4) + 0.5) * steps[0], (numpy.arange(3) + 0.5) * steps[1]), -1)
        grid = anchors.astype(numpy.float64) + numpy.tile(middle, 2)[:, :, None]
        yield single(f"openvino-prior-grid{name}", "org.openvinotoolkit::ExperimentalDetectronPriorGridGenerator",
                     {"priors": anchors, "map": map_, "image": image}, {"y": grid.reshape(-1, 4) if flat else grid},
                     {"flatten": flat, "h": 0, "w": 0} | ({} if flat else {"stride_x": 8.0, "stride_y": 4.0}),
                     fed=["priors", "map", "image"])
    regions, own = clusters(923, 9)[0], scores(924, 9)
    for name, limit in (("", 4), ("-all", 9)):
        yield single(f"openvino-top-rois{name}", "org.openvinotoolkit::ExperimentalDetectronTopKROIs", {"rois": regions, "marks": own},
                     {"y": regions[numpy.argsort(-own)[:limit]]}, {"max_rois": limit}, fed=["rois", "marks"])
    deltas, marks = scattered(925, 9, 12, low=-1, high=1), scores(926, 9, 3)
    regions = numpy.concatenate([regions[:8], [[5, 5, 5, 9]]]).astype(numpy.float32)
    for name, keep in (("", 5), ("-padded", 30)):
        boxes, labels, values = class_detections(regions, deltas, marks, info[:1], threshold=0.4, score_threshold=0.2, keep=keep)
        yield single(f"openvino-detectron-output{name}", "org.openvinotoolkit::ExperimentalDetectronDetectionOutput",
                     {"rois": regions, "deltas": deltas, "scores": marks, "image": info[:1].copy()},
                     {"boxes": boxes, "labels": labels, "marks": values},
                     {"score_threshold": 0.2, "nms_threshold": 0.4, "num_classes": 3, "post_nms_count": 20,
                      "max_detections_per_image": keep, "class_agnostic_box_regression": 0,
                      "deltas_weights": [10.0, 10.0, 5.0, 5.0]}, fed=["rois", "deltas", "scores", "image"])


def openvino_plain():
    x, weights = scattered(930, 2, 3, 4, 5), scattered(931, 3)
    for name, axes, flags in (("", (1,), {"across_spatial": 0}), ("-plane", (1, 2, 3), {"across_spatial": 1})):
        length = numpy.sqrt((x.astype(numpy.float64) ** 2).sum(axes, keepdims=True) + 0.01)
        yield single(f"openvino-normalize{name}", "org.openvinotoolkit::Normalize", {"x": x, "weights": weights},
                     {"y": x / length * weights[:, None, None]}, {"eps": 0.01, "channel_shared": 0} | flags)
    signed = scattered(932, 2, 3, 4, low=-3, high=3)
    low, high = numpy.array([[-1.5], [-2], [-1]], numpy.float32), numpy.array([[1.5], [1], [2]], numpy.float32)
    bounds = {"low": low, "high": high, "first": numpy.float32(-1).reshape(()), "last": numpy.float32(1).reshape(())}
    yield single("openvino-fake-quantize", "org.openvinotoolkit::FakeQuantize", {"x": signed} | bounds,
                 {"y": fake_quantize(signed, *bounds.values(), 16)}, {"levels": 16})
    for name, more in (("", {}), ("-beta", {"beta": numpy.array(1.7, numpy.float32)})):
        yield single(f"openvino-swish{name}", "org.openvinotoolkit::Swish", {"x": signed} | more,
                     {"y": signed * sigmoid(signed * more.get("beta", 1))})


def caffe2():
    anchors = clusters(940, 3)[0] - 15
    marks, moves = scores(941, 2, 3, 4, 5), scattered(942, 2, 12, 4, 5, low=-0.4, high=0.4)
    info = numpy.array([[40, 50, 1.5], [44, 36, 1]], numpy.float32)
    for name, plus in (("", 0), ("-legacy", 1)):
        rois, values = region_proposals(marks, moves, info, anchors, form="listed", stride=8.0, before=50, after=11, threshold=0.5,
                                        minimum=4, plus=plus)
        yield single(f"caffe2-generate-proposals{name}", "org.pytorch._caffe2::GenerateProposals",
                     {"scores": marks, "deltas": moves, "image": info, "anchors": anchors}, {"rois": rois, "marks": values},
                     {"spatial_scale": 0.125, "pre_nms_topN": 50, "post_nms_topN": 11, "nms_thresh": 0.5, "min_size": 4.0,
                      "angle_bound_on": 1, "angle_bound_lo": -180, "angle_bound_hi": 180, "clip_angle_thresh": 1.0,
                      "legacy_plus_one": plus}, fed=["scores", "deltas", "image"])
    rois = [numpy.pad(clusters(943 + n, 4 + n)[0], ((0, 0), (1, 0))).astype(numpy.float32) for n in range(2)]
    own = [scores(945 + n, 4 + n) + numpy.float32(n / 100) for n in range(2)]
    order = numpy.argsort(-numpy.concatenate(own))[:6]
    yield single("caffe2-collect-proposals", "org.pytorch._caffe2::CollectRpnProposals",
                 {"rois0": rois[0], "rois1": rois[1], "marks0": own[0], "marks1": own[1]},
                 {"y": numpy.concatenate(rois)[order]}, {"rpn_max_level": 3, "rpn_min_level": 2, "rpn_post_nms_topN": 6},
                 fed=["rois0", "rois1", "marks0", "marks1"])
    wide = numpy.concatenate([numpy.pad(clusters(947, 8)[0] * n, ((0, 0), (1, 0))) for n in (1, 8, 30)]).astype(numpy.float32)
    parts = region_levels(wide, first=2, last=5, size=224, level=4, plus=0)
    yield single("caffe2-distribute-proposals", "org.pytorch._caffe2::DistributeFpnProposals", {"rois": wide},
                 {f"y{n}": part for n, part in enumerate(parts)},
                 {"roi_canonical_scale": 224, "roi_canonical_level": 4, "roi_max_level": 5, "roi_min_level": 2, "legacy_plus_one": 0})
    regions = numpy.concatenate([numpy.pad(clusters(948, 5)[0], ((0, 0), (1, 0)), constant_values=n) for n in (0, 1)])
    regions, deltas = regions.astype(numpy.float32), scattered(949, 10, 8, low=-1, high=1)
    for name, more, settings in (("", {"apply_scale": 1, "legacy_plus_one": 0}, {"plus": 0}),
                                 ("-legacy", {"apply_scale": 0}, {"scales": False})):
        boxes, splits = box_transform(regions, deltas, info, weights=(10, 10, 5, 5), **settings)
        yield single(f"caffe2-bbox-transform{name}", "org.pytorch._caffe2::BBoxTransform",
                     {"rois": regions, "deltas": deltas, "image": info}, {"boxes": boxes, "splits": splits},
                     {"weights": [10.0, 10.0, 5.0, 5.0], "rotated": 0} | more, fed=["rois", "deltas", "image"])
    yield from caffe2_limits()
    maps = scattered(955, 3, 2, 5, 5, low=-1, high=2)
    maps[0, 0, 0, 0], maps[1, 1, 4, 4] = 2.5, 2.5
    boxes = numpy.array([[3, 4, 20, 30], [5, 5, 5.5, 40], [2, 1, 9, 12]], numpy.float32)
    yield single("caffe2-heatmap-keypoint", "org.pytorch._caffe2::HeatmapMaxKeypoint", {"maps": maps, "boxes": boxes},
                 {"y": heatmap_keypoints(maps, boxes, True)}, {"should_output_softmax": 1}, fed=["maps", "boxes"])
    x, degrees = features(956), TURNED.copy()
    degrees[:, 5] = numpy.degrees(TURNED[:, 5])
    yield single("caffe2-roi-align-rotated", "org.pytorch._caffe2::RoIAlignRotated", {"x": x, "rois": degrees},
                 {"y": roi_align_rotated(x, TURNED, (3, 2), 0.5, 2, True)},
                 {"order": "NCHW", "spatial_scale": 0.5, "pooled_h": 3, "pooled_w": 2, "sampling_ratio": 2, "aligned": 1}, fed=BOTH)
    plain = features(957, 2, (9, 10), 1)
    yield single("caffe2-roi-align-one-image", "org.pytorch._caffe2::RoIAlign", {"x": plain, "rois": ROIS[:3, 1:].copy()},
                 {"y": roi_align(plain, ROIS[:3, 1:], numpy.zeros(3, int), (3, 2), 0.25, 2, False)},
                 {"order": "NCHW", "spatial_scale": 0.25, "pooled_h": 3, "pooled_w": 2, "sampling_ratio": 2, "aligned": 0}, fed=BOTH)
    small = scattered(958, 1, 2, 3, 4)
    yield single("caffe2-resize-nearest", "org.pytorch._caffe2::ResizeNearest", {"x": small},
                 {"y": small[:, :, [0, 1]][..., [0, 0, 1, 2, 2, 3]]},
                 {"height_scale": 0.7, "width_scale": 1.5, "order": "NCHW"})
    yield single("caffe2-alias", "org.pytorch._caffe2::AliasWithName", {"x": small}, {"y": small}, {"name": "given", "is_backward": 0})


def caffe2_limits():
    marks, boxes = scores(950, 9, 3), clusters(951, 27)[0].reshape(9, 12)
    splits = numpy.array([5, 4], numpy.float32)
    angled = turned(952, 9)[0]
    angled[:, 4] = numpy.degrees(angled[:, 4])
    names = ["marks", "kept", "labels", "splits", "rows", "sizes"]
    defaults = {"score_thresh": 0.2, "nms": 0.4, "detections_per_im": 4, "soft_nms_enabled": 0, "soft_nms_method": "linear",
                "soft_nms_sigma": 0.5, "soft_nms_min_score_thres": 0.1, "rotated": 0, "cls_agnostic_bbox_reg": 0,
                "input_boxes_include_bg_cls": 1, "output_classes_include_bg_cls": 1, "legacy_plus_one": 0}
    kept = {"score_threshold": 0.2, "threshold": 0.4, "keep": 4, "soft_least": 0.1, "plus": 0}
    for name, table, more, settings in (
        ("", boxes, {}, {}),
        ("-without-background", boxes[:, :8].copy(), {"input_boxes_include_bg_cls": 0, "output_classes_include_bg_cls": 0},
         {"background_first": False, "counts_background": False}),
        ("-soft", boxes, {"soft_nms_enabled": 1, "detections_per_im": 0, "legacy_plus_one": 1}, {"soft": "linear", "keep": 0, "plus": 1}),
        ("-gaussian", boxes, {"soft_nms_enabled": 1, "soft_nms_method": "gaussian"}, {"soft": "gaussian"}),
        ("-rotated", angled, {"rotated": 1, "cls_agnostic_bbox_reg": 1}, {"rotated": True, "shared": True}),
    ):
        answer = box_limit(marks, table, splits, **(kept | settings))
        yield single(f"caffe2-box-limit{name}", "org.pytorch._caffe2::BoxWithNMSLimit", {"scores": marks, "boxes": table, "counts": splits},
                     dict(zip(names, answer, strict=True)), defaults | more, fed=["scores", "boxes", "counts"])


def ncnn():
    loc, conf = heads(960, 8, 3)
    table = priors(962, 8)
    (answer,) = prior_detections(loc, conf, table, coding="centre", form="listed", keep=7, threshold=0.45, score_threshold=0.3, topk=6)
    yield single("mmdeploy-detection-output", "mmdeploy::DetectionOutput", {"loc": loc, "conf": conf, "priors": table}, {"y": answer},
                 {"score_threshold": 0.3, "nms_threshold": 0.45, "nms_top_k": 6, "keep_top_k": 7, "num_class": 3,
                  "vars": [0.1, 0.1, 0.2, 0.2]}, fed=["loc", "conf", "priors"])
    root = numpy.sqrt
    cell = [(0, 0, 9, 9), (0, 0, 12, 12)] + [(0, 0, 9 * root(r), 9 / root(r)) for r in (2, 0.5)]
    for name, step, more in (("", numpy.array([28, 30]), {"step_height": -233.0, "step_width": -233.0, "step_mmdetection": 1}),
                             ("-steps", numpy.array([20, 25]), {"step_height": 25.0, "step_width": 20.0, "step_mmdetection": 0})):
        yield single(f"mmdeploy-prior-box{name}", "mmdeploy::PriorBox", {"x": numpy.zeros((1, 2, 2, 3), numpy.float32)},
                     {"y": prior_boxes((2, 3), (82, 60), cell, (0.1, 0.1, 0.2, 0.2), step=step, offset=0.5)},
                     {"aspect_ratios": [2.0], "image_height": 60, "image_width": 82, "max_sizes": [16.0], "min_sizes": [9.0],
                      "offset": 0.5} | more)
    maps = [scattered(963 + n, 1, 2 * 8, 2 * n + 2, 3, low=-2, high=2) for n in range(2)]
    settings = {"sizes": [10.0, 13, 16, 30, 33, 23, 30, 61], "choice": [2.0, 3, 0, 1], "scales": [16.0, 8]}
    answer = yolo_detections(maps, classes=3, boxes=2, score_threshold=0.3, threshold=0.45, **settings)
    yield single("mmdeploy-yolov3-detection-output", "mmdeploy::Yolov3DetectionOutput", {"map0": maps[0], "map1": maps[1]}, {"y": answer},
                 {"num_class": 3, "num_box": 2, "confidence_threshold": 0.3, "nms_threshold": 0.45, "biases": settings["sizes"],
                  "mask": settings["choice"], "anchors_scale": settings["scales"]}, fed=["map0", "map1"])
    loc, conf = heads(966, 8, 3, 2)
    table = priors(968, 8)
    boxes, counts = prior_detections(loc, conf * 4 - 2, table, coding="turned", form="ranked", keep=6, threshold=0.45, score_threshold=0.5,
                                     topk=7, logits=True)
    yield single("tensorrt-nms", "TRT::NMS_TRT", {"loc": loc[..., None, None].copy(), "priors": table[..., None].copy(),
                                                  "conf": (conf * 4 - 2)[..., None, None].copy()},
                 {"detections": boxes, "counts": counts},
                 {"shareLocation": 1, "varianceEncodedInTarget": 0, "backgroundLabelId": 0, "numClasses": 3, "topK": 7, "keepTopK": 6,
                  "confidenceThreshold": 0.5, "nmsThreshold": 0.45, "codeType": 3, "inputOrder": [0, 2, 1], "confSigmoid": 1,
                  "isNormalized": 1}, fed=["loc", "priors", "conf"])
    x = scattered(970, 2, 3, 5, 7)
    for name, size in (("-2x3", (2, 3)), ("-7x4", (7, 4))):
        yield single(f"mmdeploy-adaptive-avg-pool{name}", "mmdeploy::AdaptiveAvgPool2d",
                     {"x": x, "size": numpy.array(size, numpy.int64)}, {"y": adaptive_mean(x, *size)})
    rows = scattered(971, 2, 5, 8, low=-1, high=1)
    weights = [scattered(972 + n, 8, 8, low=-1, high=1) for n in range(4)]
    biases = [scattered(976 + n, 8, low=-1, high=1) for n in range(4)]
    operands = {"q": rows, "k": rows, "v": rows}
    for name, weight, bias in zip("qkvo", weights, biases, strict=True):
        operands |= {f"{name}_weight": weight, f"{name}_bias": bias}
    yield single("mmdeploy-multi-head-attention", "mmdeploy::MultiHeadAttention", operands,
                 {"y": projected_attention(rows, rows, rows, weights, biases, 2)}, {"embed_dim": 8, "num_heads": 2}, fed=["q", "k", "v"])


def written_otherwise():
    """Attributes as text, and bins that are no squares."""
    maps = features(980, 2 * 6, low=-3)
    numbers = {"scale": numpy.array(0.25), "rows": numpy.array(3), "columns": numpy.array(2), "ratio": numpy.array(2)}
    yield single("torchvision-ps-roi-align-oblong", "torchvision::ps_roi_align", {"x": maps, "rois": ROIS} | numbers,
                 {"y": ps_roi_align(maps, ROIS, (3, 2), 0.25, 2)}, fed=BOTH)
    square = features(981, 2 * 9)
    moves = scattered(982, len(ROIS), 2, 3, 3, low=-1, high=1)
    settings = {"output_dim": 2, "group_size": 3, "pooled_size": 3, "part_size": 3, "sample_per_part": 2, "trans_std": 0.25}
    yield single("mxnet-deformable-ps-roi-pooling-text", "org.apache.mxnet::_contrib_DeformablePSROIPooling",
                 {"x": square, "rois": ROIS, "trans": moves},
                 {"y": deform_ps_roi_pool(square, ROIS, moves, scale=0.25, output_dim=2, group=3, pooled=3, part=3, samples=2, trans_std=0.25)},
                 {key: str(value) for key, value in settings.items()} | {"spatial_scale": "0.25", "no_trans": "False"},
                 fed=["x", "rois", "trans"])
    marks, deltas = scattered(983, 1, 12, 4, 5, low=0.05, high=0.95), scattered(984, 1, 24, 4, 5, low=-0.4, high=0.4)
    info = numpy.array([[60, 72, 1.5]], numpy.float32)
    rois, values = mxnet_proposal(marks, deltas, info, stride=16, scales=(1, 2), ratios=(0.5, 1, 2), before=70, after=12, threshold=0.6,
                                  minimum=8)
    yield single("mxnet-proposal-text", "org.apache.mxnet::_contrib_Proposal", {"scores": marks, "deltas": deltas, "image": info},
                 {"rois": rois, "marks": values},
                 {"feature_stride": "16", "scales": "(1, 2)", "ratios": "(0.5, 1, 2)", "rpn_pre_nms_top_n": "70",
                  "rpn_post_nms_top_n": "12", "threshold": "0.6", "rpn_min_size": "8", "output_score": "True", "iou_loss": "False"},
                 fed=["scores", "deltas", "image"])


def fixtures():
    for family in (tensorrt, openvino, caffe2, ncnn, written_otherwise):
        yield from family()

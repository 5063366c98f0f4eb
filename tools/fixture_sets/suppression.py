"""The NMS family: ONNX's, mmcv's, mmdeploy's."""

import numpy
from references.suppression import (
    batched_nms,
    match_nms,
    onnx_nms,
    plain_nms,
    rotated_nms,
    rotated_overlap,
    soft_nms,
    table_nms,
)

from .build import single


def clusters(seed, count, batch=1):
    """Overlapping boxes (x1, y1, x2, y2) around three places, [batch, count, 4]."""
    generator = numpy.random.default_rng(seed)
    centres = numpy.array([[10, 12], [25, 20], [14, 30]])[generator.integers(0, 3, (batch, count))]
    centres = centres + generator.uniform(-3, 3, (batch, count, 2))
    half = generator.uniform(3, 6, (batch, count, 2))
    return numpy.concatenate([centres - half, centres + half], -1).astype(numpy.float32)


def turned(seed, count, batch=1):
    """The same as (cx, cy, w, h, theta)."""
    corners = clusters(seed, count, batch)
    middle, size = (corners[..., :2] + corners[..., 2:]) / 2, corners[..., 2:] - corners[..., :2]
    theta = numpy.random.default_rng(seed + 1).uniform(-2, 2, (batch, count, 1))
    return numpy.concatenate([middle, size, theta], -1).astype(numpy.float32)


def scores(seed, *shape):
    """Distinct scores; sorting libraries differ on equal ones."""
    values = numpy.linspace(0.05, 0.95, int(numpy.prod(shape)))
    return numpy.random.default_rng(seed).permutation(values).reshape(shape).astype(numpy.float32)


def standard():
    boxes, score = clusters(600, 10, 2), scores(601, 2, 2, 10)
    score[0, 0, 3] = score[0, 0, 5]  # the lower index goes first
    limits = {"max_output_boxes": numpy.array([4], numpy.int64), "iou_threshold": numpy.array([0.4], numpy.float32),
              "score_threshold": numpy.array([0.2], numpy.float32)}
    for version, center in ((10, 0), (11, 1)):
        given = boxes
        if center:
            size = boxes[..., 2:] - boxes[..., :2]
            given = numpy.concatenate([boxes[..., :2] + size / 2, size], -1)
        answer = onnx_nms(given, score, 4, numpy.float32(0.4), numpy.float32(0.2), bool(center))
        yield single(f"nms-{version}", "NonMaxSuppression", {"boxes": given, "scores": score} | limits,
                     {"selected": answer}, {"center_point_box": center}, fed=["boxes", "scores"],
                     imports={"": version})


def mmcv():
    boxes, score = clusters(610, 12)[0], scores(611, 12)
    operands, fed = {"boxes": boxes, "scores": score}, ["boxes", "scores"]
    for offset in (0, 1):
        yield single(f"mmcv-nms-offset-{offset}", "mmcv::NonMaxSuppression", operands,
                     {"kept": plain_nms(boxes, score, 0.3, offset)}, {"iou_threshold": 0.3, "offset": offset},
                     fed=fed)
    boxes_of, score_of = clusters(612, 10, 2), scores(613, 2, 3, 10)
    for name, center, limit, least, offset in (("", 0, 4, 0.0, 0), ("-centred", 1, 0, 0.35, 0),
                                               ("-inclusive", 0, 3, 0.9, 1)):
        given, size = boxes_of, boxes_of[..., 2:] - boxes_of[..., :2]
        if center:
            given = numpy.concatenate([boxes_of[..., :2] + size / 2, size], -1)
        answer = table_nms(given, score_of, threshold=0.4, limit=limit, score_threshold=least, offset=offset,
                           center=bool(center))
        yield single(f"mmcv-nms-table{name}", "mmcv::NonMaxSuppression", {"boxes": given, "scores": score_of},
                     {"selected": answer},
                     {"center_point_box": center, "max_output_boxes_per_class": limit, "iou_threshold": 0.4,
                      "score_threshold": least, "offset": offset}, fed=fed)
    for method, name in enumerate(("naive", "linear", "gaussian")):
        dets, kept = soft_nms(boxes, score, 0.3, 0.5, 0.05, method, method % 2)
        yield single(f"mmcv-soft-nms-{name}", "mmcv::SoftNonMaxSuppression", operands,
                     {"dets": dets, "kept": kept},
                     {"iou_threshold": 0.3, "sigma": 0.5, "min_score": 0.05, "method": method,
                      "offset": method % 2}, fed=fed)


def mmdeploy():
    fed = ["boxes", "scores"]
    boxes, score = turned(620, 10, 2), scores(621, 2, 2, 10)
    yield single("mmdeploy-nms-rotated", "mmdeploy::NMSRotated", {"boxes": boxes, "scores": score},
                 {"selected": rotated_nms(boxes, score, 0.3, 0.2)},
                 {"iou_threshold": 0.3, "score_threshold": 0.2}, fed=fed)
    boxes, score = clusters(630, 8), scores(631, 1, 2, 8)
    yield single("mmdeploy-nms-match", "mmdeploy::NMSMatch",
                 {"boxes": boxes, "scores": score, "iou_threshold": numpy.array([0.3], numpy.float32),
                  "score_threshold": numpy.array([0.2], numpy.float32)},
                 {"matched": match_nms(boxes, score, 0.3, 0.2)}, fed=fed)
    for name, spelling, own, similarity in (
        ("", "TRTBatchedNMS", clusters(640, 10, 2), None),
        ("-rotated", "TRTBatchedRotatedNMS", turned(641, 10, 2), rotated_overlap),
    ):
        own, score = own[:, :, None, :].copy(), scores(642, 2, 10, 3)
        settings = {"threshold": 0.3, "score_threshold": 0.3, "topk": 6, "keep": 9, "background": 1}
        extra = {"similarity": similarity} if similarity else {}
        dets, labels, indices = batched_nms(own, score, **settings, **extra)
        attributes = {"num_classes": 3, "background_label_id": 1, "iou_threshold": 0.3, "score_threshold": 0.3,
                      "topk": 6, "keep_topk": 9, "is_normalized": 0, "clip_boxes": 0}
        results = {"dets": dets, "labels": labels.astype(numpy.int32)}
        if not name:
            results["index"], attributes["return_index"] = indices.astype(numpy.int32), 1
        yield single(f"mmdeploy-batched-nms{name}", f"mmdeploy::{spelling}", {"boxes": own, "scores": score},
                     results, attributes, fed=fed)


def fixtures():
    for family in (standard, mmcv, mmdeploy):
        yield from family()

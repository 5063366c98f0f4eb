"""Non-maximum suppression: ONNX's, and those of the detection libraries."""

import math

import numpy


def overlap(a, b, plus=0.0, epsilon=0.0):
    """Intersection over union of (x1, y1, x2, y2); `plus` is 1 where the end pixel belongs to the box."""
    a, b = (numpy.asarray(box, numpy.float64) for box in (a, b))
    width = min(a[2], b[2]) - max(a[0], b[0]) + plus
    height = min(a[3], b[3]) - max(a[1], b[1]) + plus
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0] + plus) * (box[3] - box[1] + plus) for box in (a, b)]
    union = sum(areas) - width * height + epsilon
    return width * height / union if union > 0 and min(areas) > 0 else 0.0


def descending(scores):
    """Indices by falling score; equal scores in rising index."""
    return numpy.argsort(-numpy.asarray(scores, numpy.float64), kind="stable")


def greedy(boxes, scores, threshold, similarity=overlap):
    """Kept indices by falling score: a box goes when its similarity to a kept one exceeds the threshold."""
    kept = []
    for index in descending(scores):
        if all(similarity(boxes[k], boxes[index]) <= threshold for k in kept):
            kept.append(int(index))
    return kept


def greedy_corners(boxes, threshold, plus=0.0, most=None):
    """The same of boxes already in falling order of score, one kept box against all others at a time."""
    boxes = numpy.asarray(boxes, numpy.float64)
    sides = boxes[:, 2:] - boxes[:, :2] + plus
    areas = sides[:, 0] * sides[:, 1]
    left, kept = numpy.arange(len(boxes)), []
    while len(left) and (most is None or len(kept) < most):
        first, left = left[0], left[1:]
        kept.append(int(first))
        low = numpy.maximum(boxes[first, :2], boxes[left, :2])
        both = numpy.maximum(numpy.minimum(boxes[first, 2:], boxes[left, 2:]) - low + plus, 0).prod(1)
        union = areas[first] + areas[left] - both
        left = left[(both <= threshold * union) | (union <= 0) | (numpy.minimum(areas[left], areas[first]) <= 0)]
    return kept


def onnx_nms(boxes, scores, limit=0, threshold=0.0, score_threshold=None, center=False):
    """ONNX NonMaxSuppression: rows (batch, class, box). boxes [B, S, 4], scores [B, C, S]."""
    rows = []
    for b, c in numpy.ndindex(*scores.shape[:2]):
        corners = [_corners(box, center) for box in boxes[b]]
        candidates = [i for i in range(scores.shape[2])
                      if score_threshold is None or scores[b, c, i] > score_threshold]
        kept = greedy([corners[i] for i in candidates], [scores[b, c, i] for i in candidates], threshold)
        rows += [[b, c, candidates[k]] for k in kept[:limit]]
    return numpy.array(rows, numpy.int64).reshape(-1, 3)


def _corners(box, center):
    if center:
        x, y, w, h = map(float, box)
        return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
    return [min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])]


def plain_nms(boxes, scores, threshold, offset=0):
    """mmcv's two-input form: the kept indices."""
    similarity = lambda a, b: overlap(a, b, offset)  # noqa: E731
    return numpy.array(greedy(boxes, scores, threshold, similarity), numpy.int64)


def table_nms(boxes, scores, *, threshold, limit=0, score_threshold=0.0, offset=0, center=False):
    """mmcv's TensorRT plugin: int32 rows (batch, class, box), −1 where there are fewer. Boxes below the least score go,
    but for the best of each class."""
    batch, classes, count = scores.shape
    most = min(limit, count) if limit > 0 else count
    rows = []
    for b, c in numpy.ndindex(batch, classes):
        corners = [_corners(box, center) for box in boxes[b]]
        best = scores[b, c].max()
        able = [i for i in range(count) if scores[b, c, i] >= min(score_threshold, best)]
        kept = greedy([corners[i] for i in able], scores[b, c, able], threshold, lambda p, q: overlap(p, q, offset))
        rows += [[b, c, able[k]] for k in kept[:most]]
    rows += [[-1, -1, -1]] * (batch * classes * most - len(rows))
    return numpy.array(rows, numpy.int32).reshape(-1, 3)


def soft_nms(boxes, scores, threshold, sigma, minimum, method, offset=0):
    """mmcv's SoftNMS: overlapping boxes lose score instead of going. Returns dets [K, 5] and indices [K]."""
    rows = [[*map(float, box), float(score), index]
            for index, (box, score) in enumerate(zip(boxes, scores, strict=True))]
    i = 0
    while i < len(rows):
        best = max(range(i, len(rows)), key=lambda k: (rows[k][4], -k))
        rows[i], rows[best] = rows[best], rows[i]
        k = i + 1
        while k < len(rows):
            share = overlap(rows[i], rows[k], offset)
            rows[k][4] *= _decay(share, threshold, sigma, method)
            if rows[k][4] < minimum:
                rows[k] = rows[-1]
                rows.pop()
            else:
                k += 1
        i += 1
    return numpy.array([row[:5] for row in rows]), numpy.array([row[5] for row in rows], numpy.int64)


def _decay(share, threshold, sigma, method):
    if method == 2:
        return math.exp(-share * share / sigma)
    if share < threshold:
        return 1.0
    return 0.0 if method == 0 else 1 - share


def match_nms(boxes, scores, threshold, score_threshold):
    """mmdeploy's NMSMatch: rows (batch, class, kept, suppressed); suppression from `threshold` on."""
    rows = []
    for b, c in numpy.ndindex(*scores.shape[:2]):
        gone = set()
        order = descending(scores[b, c])
        for place, kept in enumerate(order):
            if kept in gone:
                continue
            for other in order[place + 1 :]:
                if other not in gone and overlap(boxes[b, kept], boxes[b, other], 0, 1e-10) >= threshold:
                    gone.add(other)
                    if scores[b, c, kept] > score_threshold:
                        rows.append([b, c, kept, other])
    return numpy.array(rows, numpy.int64).reshape(-1, 4)


def rotated_nms(boxes, scores, threshold, score_threshold):
    """mmdeploy's NMSRotated: all boxes suppress, the score threshold applies to the answer only."""
    rows = []
    for b, c in numpy.ndindex(*scores.shape[:2]):
        kept = greedy(boxes[b], scores[b, c], threshold, rotated_overlap)
        rows += [[b, c, k] for k in kept if scores[b, c, k] > score_threshold]
    return numpy.array(rows, numpy.int64).reshape(-1, 3)


def batched_nms(boxes, scores, *, threshold, score_threshold, topk=-1, keep=10, background=-1,
                similarity=overlap):
    """TRTBatchedNMS: boxes [B, N, C or 1, D], scores [B, N, C] → dets [B, keep, D + 1], labels, indices."""
    batch, _, classes = scores.shape
    dets = numpy.zeros((batch, keep, boxes.shape[3] + 1))
    labels = numpy.full((batch, keep), -1, numpy.int64)
    indices = numpy.full((batch, keep), -1, numpy.int64)
    for b in range(batch):
        found = []
        for c in range(classes):
            if c == background:
                continue
            own = boxes[b, :, c if boxes.shape[2] > 1 else 0]
            order = [i for i in descending(scores[b, :, c]) if scores[b, i, c] > score_threshold]
            order = order if topk < 0 else order[:topk]
            for k in greedy([own[i] for i in order], [scores[b, i, c] for i in order], threshold, similarity):
                found.append((float(scores[b, order[k], c]), c, int(order[k]), own[order[k]]))
        found.sort(key=lambda row: -row[0])
        for row, (score, label, index, box) in enumerate(found[:keep]):
            dets[b, row], labels[b, row], indices[b, row] = [*box, score], label, index
    return dets, labels, indices


def box_nms(data, *, overlap_thresh=0.5, valid_thresh=0.0, topk=-1, coord_start=2, score_index=1, id_index=-1,
            background_id=-1, force_suppress=False, in_format="corner", out_format="corner"):
    """MXNet's box_nms: rows that stay come first by falling score, the others become −1. data [..., N, K]."""
    answer = numpy.full(data.shape, -1.0)
    where = slice(coord_start, coord_start + 4)
    for place in numpy.ndindex(*data.shape[:-2]):
        rows = numpy.array(data[place], numpy.float64)
        valid = rows[:, score_index] > valid_thresh
        if id_index >= 0 and background_id >= 0:
            valid &= rows[:, id_index] != background_id
        order = [i for i in descending(rows[:, score_index]) if valid[i]]
        corners = rows[:, where].copy()
        if in_format == "center":
            corners = numpy.concatenate([corners[:, :2] - corners[:, 2:] / 2, corners[:, :2] + corners[:, 2:] / 2], 1)
        kept = []
        for index in order[: topk if topk > 0 else None]:
            alike = [k for k in kept if force_suppress or id_index < 0 or rows[k, id_index] == rows[index, id_index]]
            if all(overlap(corners[k], corners[index]) <= overlap_thresh for k in alike):
                kept.append(index)
        final = rows[kept]
        if in_format != out_format:
            ends = corners[kept]
            if out_format == "center":
                ends = numpy.concatenate([(ends[:, :2] + ends[:, 2:]) / 2, ends[:, 2:] - ends[:, :2]], 1)
            final[:, where] = ends
        answer[place][: len(kept)] = final
    return answer


def rotated_corners(box):
    """The corners of (cx, cy, w, h, theta), theta in radians, in order."""
    cx, cy, w, h, theta = map(float, box)
    sine, cosine = math.sin(theta), math.cos(theta)
    signs = ((-1, 1), (-1, -1), (1, -1), (1, 1))
    return [(cx + a * cosine * w / 2 - b * sine * h / 2, cy + a * sine * w / 2 + b * cosine * h / 2)
            for a, b in signs]


def rotated_overlap(a, b):
    """Intersection over union of turned boxes: one polygon is cut by every edge of the other."""
    polygon, cutter = rotated_corners(a), rotated_corners(b)
    if _area(cutter) < 0:
        cutter.reverse()
    for p, q in zip(cutter, cutter[1:] + cutter[:1], strict=True):
        polygon = _cut(polygon, p, q)
    shared = abs(_area(polygon))
    union = float(a[2]) * float(a[3]) + float(b[2]) * float(b[3]) - shared
    return shared / union if union > 0 else 0.0


def _area(points):
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return sum(p[0] * q[1] - q[0] * p[1] for p, q in pairs) / 2


def _cut(polygon, p, q):
    """The part of a polygon on the left of the line from p to q."""
    side = lambda r: (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])  # noqa: E731
    answer = []
    for start, end in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        before, after = side(start), side(end)
        if before >= 0:
            answer.append(start)
        if before * after < 0:
            t = before / (before - after)
            answer.append((start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])))
    return answer

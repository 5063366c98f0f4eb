"""Heads of detection networks: priors, decoding, choice; each in float64, from the formula."""

import math

import numpy

from .suppression import descending, greedy, overlap, rotated_overlap

GROWTH = math.log(1000 / 16)


def sigmoid(x):
    return 1 / (1 + numpy.exp(-numpy.asarray(x, numpy.float64)))


def ranked_nms(boxes, scores, anchors=None, *, threshold=0.5, score_threshold=0.5, keep=100, background=-1, logits=False,
               agnostic=False, centred=False, indices=False):
    """TensorRT's EfficientNMS: one ranking of all classes; `>=` for scores and overlaps. boxes [B, N, (C or 1,) 4], scores [B, N, C]."""
    boxes = boxes if boxes.ndim == 4 else boxes[:, :, None]
    batch, _, classes = scores.shape
    marks = sigmoid(scores) if logits else scores.astype(numpy.float64)
    found = []
    for b in range(batch):
        entries = [(n, c) for n in range(scores.shape[1]) for c in range(classes)
                   if marks[b, n, c] >= score_threshold and c != background]
        entries.sort(key=lambda place, b=b: -marks[b][place])
        kept = []
        for n, c in entries[:4096]:
            own = boxes[b, n, c if boxes.shape[2] > 1 else 0].astype(numpy.float64)
            box = _fused(own, None if anchors is None else anchors[b if len(anchors) > 1 else 0, n], centred)
            if all(overlap(box, other) < threshold for other, _, k in kept if agnostic or k == c):
                kept.append((box, n, c))
        found.append(kept[:keep])
    if indices:
        rows = [[b, c, n] for b, kept in enumerate(found) for _, n, c in kept]
        rows += [rows[-1] if rows else [-1, -1, -1]] * (batch * keep - len(rows))
        return numpy.array(rows, numpy.int32)
    counts = numpy.array([[len(kept)] for kept in found], numpy.int32)
    corners, values = numpy.zeros((batch, keep, 4)), numpy.zeros((batch, keep))
    labels = numpy.zeros((batch, keep), numpy.int32)
    for b, kept in enumerate(found):
        for row, (box, n, c) in enumerate(kept):
            corners[b, row], values[b, row], labels[b, row] = box, marks[b, n, c], c
    return counts, corners, values, labels


def _fused(box, anchor, centred):
    if not centred:
        return box if anchor is None else box + anchor
    if anchor is not None:
        box = numpy.concatenate([box[:2] * anchor[2:] + anchor[:2], anchor[2:] * numpy.exp(box[2:])])
    return numpy.concatenate([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2])


def coded(kind, d, prior, v):
    """A box said against a prior one: corner, centre, size or turned."""
    d, prior, v = (numpy.asarray(value, numpy.float64) for value in (d, prior, v))
    size = prior[2:] - prior[:2]
    if kind == "corner":
        return prior + v * d
    if kind == "size":
        return prior + v * d * numpy.tile(size, 2)
    if kind == "turned":
        d = d[[1, 0, 3, 2]]
    centre, half = v[:2] * d[:2] * size + (prior[:2] + prior[2:]) / 2, numpy.exp(v[2:] * d[2:]) * size / 2
    return numpy.concatenate([centre - half, centre + half])


def prior_detections(loc, conf, priors, *, coding, form, keep, threshold, score_threshold, background=0, shared=True, topk=-1,
                     in_target=False, variances=(1, 1, 1, 1), extents=None, clip_before=False, clip_after=False,
                     best_class=False, logits=False, plus=0.0, first=None, objectness=0.0):
    """SSD's heads. `form`: grouped (OpenVINO), ranked (TensorRT), listed (ncnn). priors [1 or N, 1 or 2, P·4 (5 with extents)]."""
    images, step = loc.shape[0], 4 if extents is None else 5
    count = priors.shape[-1] // step
    classes = conf.size // images // count
    sets = 1 if shared else classes
    found = []
    for image in range(images):
        table = priors[image if priors.shape[0] > 1 else 0]
        marks = conf[image].reshape(count, classes).astype(numpy.float64)
        marks = sigmoid(marks) if logits else marks.copy()
        boxes = numpy.zeros((count, sets, 4))
        for p in range(count):
            prior = table[0][p * step + step - 4 : (p + 1) * step].astype(numpy.float64)
            if extents is not None:
                prior = prior / numpy.tile(extents, 2)
            v = variances if in_target or len(table) < 2 else table[1][p * 4 : p * 4 + 4]
            for s in range(sets):
                place = slice((p * sets + s) * 4, (p * sets + s) * 4 + 4)
                own = prior
                if first is not None:
                    own = coded(coding, first[1][image].reshape(-1)[place], own, v)
                    own = own.clip(0, 1) if clip_before else own
                boxes[p, s] = coded(coding, loc[image].reshape(-1)[place], own, v)
            if first is not None and first[0][image].reshape(-1)[p * 2 + 1] < objectness:
                marks[p] = [float(c == background) for c in range(classes)]
        boxes = boxes.clip(0, 1) if clip_before else boxes
        found.append(_choose(boxes, marks, background, sets, threshold, score_threshold, topk, keep, best_class, plus, form))
    return _rows(found, form, keep, clip_after, best_class)


def _choose(boxes, marks, background, sets, threshold, score_threshold, topk, keep, best_class, plus, form):
    count, classes = marks.shape
    able = {c: [p for p in range(count) if marks[p, c] > score_threshold] for c in range(classes) if c != background}
    if best_class:
        best = [max((c for c in range(1, classes) if c != background), key=lambda c, p=p: marks[p, c]) for p in range(count)]
        top = sorted((p for p in range(count) if marks[p, best[p]] >= score_threshold), key=lambda p: -marks[p, best[p]])
        top = top[: topk if topk >= 0 else None]
        able = {c: [p for p in top if best[p] == c] for c in range(classes)}
    hits = []
    for c in sorted(able):
        order = sorted(able[c], key=lambda p, c=c: -marks[p, c])
        order = order[:topk] if topk >= 0 and not best_class else order
        own = [boxes[p, c if sets > 1 else 0] for p in order]
        for k in greedy(own, [marks[p, c] for p in order], threshold, lambda a, b: overlap(a, b, plus)):
            hits.append((c, marks[order[k], c], own[k]))
    if form == "grouped" and (keep < 0 or len(hits) <= keep):
        return hits
    ranked = sorted(range(len(hits)), key=lambda k: -hits[k][1])[: keep if keep >= 0 else None]
    return [hits[k] for k in (sorted(ranked) if form == "grouped" else ranked)]


def _rows(found, form, keep, clip, best_class):
    def row(image, hit):
        box = hit[2].clip(0, 1) if clip or form == "ranked" else hit[2]
        return [image, hit[0] - 1 if best_class else hit[0], hit[1], *box]

    if form == "listed":
        return (numpy.array([row(0, hit)[1:] for hit in found[0]]).reshape(1, -1, 6),)
    if form == "ranked":
        table = [[row(i, hit) for hit in hits] + [[i, -1, 0, 0, 0, 0, 0]] * (keep - len(hits)) for i, hits in enumerate(found)]
        counts = numpy.array([len(hits) for hits in found], numpy.int32).reshape(-1, 1, 1, 1)
        return numpy.array(table, numpy.float64)[:, None], counts
    rows = [row(i, hit) for i, hits in enumerate(found) for hit in hits]
    table = numpy.zeros((1, 1, len(found) * keep, 7))
    table[0, 0, : len(rows)] = rows
    if len(rows) < len(found) * keep:
        table[0, 0, len(rows), 0] = -1
    return (table,)


def displaced(box, d, plus, growth=GROWTH):
    """Regions moved by shares of their size and grown by powers of e."""
    box, d = numpy.asarray(box, numpy.float64), numpy.asarray(d, numpy.float64)
    size = box[2:] - box[:2] + plus
    centre, half = d[:2] * size + box[:2] + size / 2, numpy.exp(numpy.minimum(d[2:], growth)) * size / 2
    return numpy.concatenate([centre - half, centre + half - plus])


def region_proposals(scores, deltas, info, anchors, *, form, stride=0.0, before=6000, after=300, threshold=0.7, minimum=16, plus=0):
    """Caffe2's (listed) and OpenVINO's (counted) GenerateProposals, Detectron's of one image (padded)."""
    if form == "padded":
        scores, deltas, info = scores[None], deltas[None], info[None]
    images, count, rows, columns = scores.shape
    all_rows, all_marks, counts = [], [], []
    for n in range(images):
        height, width = map(float, info[n][:2])
        scale = (1, 1) if form == "padded" else (info[n][3] if info.shape[1] > 3 else info[n][2], info[n][2])
        entries = []
        for h, w, a in numpy.ndindex(rows, columns, count):
            whole = anchors[a] if len(anchors) == count else anchors[(h * columns + w) * count + a]
            prior = whole.astype(numpy.float64) + numpy.array([w, h, w, h]) * stride
            box = displaced(prior, deltas[n, 4 * a : 4 * a + 4, h, w], plus)
            box = box.clip(0, numpy.array([width, height, width, height]) - plus)
            size = box[2:] - box[:2] + plus
            large = size[0] >= minimum * scale[0] and size[1] >= minimum * scale[1]
            if form == "listed":
                middle = box[:2] + size / 2
                large = large and middle[0] < width and middle[1] < height
            entries.append([box, float(scores[n, a, h, w]) if large or form != "padded" else 0.0, large])
        entries.sort(key=lambda entry: -entry[1])
        entries = entries[: before if before > 0 else None]
        entries = [entry for entry in entries if entry[2] or form == "padded"]
        boxes = [entry[0] for entry in entries]
        kept = greedy(boxes, [entry[1] for entry in entries], threshold,
                      lambda a, b: overlap(a, b, 0 if form == "padded" else plus))[: after if after > 0 else None]
        all_rows += [([n, *boxes[k]] if form == "listed" else [*boxes[k]]) for k in kept]
        all_marks += [entries[k][1] for k in kept]
        counts.append(len(kept))
    table, marks = numpy.array(all_rows).reshape(-1, 5 if form == "listed" else 4), numpy.array(all_marks, numpy.float64)
    if form == "padded":
        table = numpy.pad(table, ((0, after - len(table)), (0, 0)))
        return table, numpy.pad(marks, (0, after - len(marks)))
    return (table, marks) if form == "listed" else (table, marks, numpy.array(counts, numpy.int64))


def class_detections(rois, deltas, scores, info, *, threshold=0.5, score_threshold=0.05, best=2000, keep=100,
                     weights=(10, 10, 5, 5), growth=GROWTH):
    """OpenVINO's ExperimentalDetectronDetectionOutput: boxes [keep, 4], classes, scores."""
    height, width = map(float, info[0][:2])
    hits = []
    for c in range(1, scores.shape[1]):
        rows = [r for r in descending(scores[:, c]) if scores[r, c] > score_threshold
                and rois[r, 2] > rois[r, 0] and rois[r, 3] > rois[r, 1]]
        boxes = [displaced(rois[r], deltas[r, 4 * c : 4 * c + 4] / numpy.array(weights), 1, growth)
                 .clip(0, [width, height, width, height]) for r in rows]
        for k in greedy(boxes, [scores[r, c] for r in rows], threshold, lambda a, b: overlap(a, b, 1))[:best]:
            hits.append((boxes[k], c, float(scores[rows[k], c])))
    if len(hits) > keep:
        hits = sorted(hits, key=lambda hit: -hit[2])[:keep]
    boxes, labels, marks = numpy.zeros((keep, 4)), numpy.zeros(keep, numpy.int32), numpy.zeros(keep)
    for row, hit in enumerate(hits):
        boxes[row], labels[row], marks[row] = hit
    return boxes, labels, marks


def box_limit(scores, boxes, splits, *, threshold=0.3, score_threshold=0.05, keep=100, soft=None, sigma=0.5, soft_least=0.001,
              rotated=False, shared=False, background_first=True, counts_background=True, plus=1):
    """Caffe2's BoxWithNMSLimit: scores, boxes, classes, counts, rows, counts by class."""
    columns, classes = 5 if rotated else 4, scores.shape[1]

    def similarity(a, b):
        if rotated:
            return rotated_overlap([*a[:4], -math.radians(a[4])], [*b[:4], -math.radians(b[4])])
        return overlap(a, b, plus)

    hits, per_class, start = [], [], 0
    for count in map(int, splits):
        image = []
        for c in range(1, classes):
            column = c if background_first else c - 1
            own = 0 if shared else column
            list_ = scores[start : start + count, column].astype(numpy.float64)
            table = boxes[start : start + count, own * columns : own * columns + columns]
            able = [r for r in range(count) if list_[r] > score_threshold]
            if soft is None:
                order = sorted(able, key=lambda r: -list_[r])
                kept = greedy([table[r] for r in order], [list_[r] for r in order], threshold, similarity)
                image += [(c, list_[order[k]], order[k], table[order[k]]) for k in kept[: keep if keep > 0 else None]]
                continue
            while able:
                best = max(able, key=lambda r: list_[r])
                image.append((c, list_[best], best, table[best]))
                able.remove(best)
                for r in able:
                    share = similarity(table[best], table[r])
                    far = 1.0 if share <= threshold else 1 - share
                    list_[r] *= math.exp(-share * share / sigma) if soft == "gaussian" else far
                able = [r for r in able if list_[r] >= soft_least]
        if 0 < keep < len(image):
            image = sorted(sorted(image, key=lambda hit: -hit[1])[:keep], key=lambda hit: hit[0])
        hits.append(image)
        per_class.append([sum(hit[0] == c for hit in image) for c in range(classes)])
        start += count
    flat = [hit for image in hits for hit in image]
    return (numpy.array([hit[1] for hit in flat]), numpy.array([hit[3] for hit in flat], numpy.float64).reshape(-1, columns),
            numpy.array([float(hit[0] if counts_background else hit[0] - 1) for hit in flat]),
            numpy.array([float(len(image)) for image in hits]), numpy.array([hit[2] for hit in flat], numpy.int32),
            numpy.array(per_class, numpy.int32))


def heatmap_keypoints(maps, boxes, shares):
    """Caffe2's HeatmapMaxKeypoint: [R, 4, K]; a quadratic about the greatest cell."""
    regions, points, size = maps.shape[:3]
    answer = numpy.zeros((regions, 4, points))
    for r, k in numpy.ndindex(regions, points):
        field = maps[r, k].astype(numpy.float64)
        row, column = divmod(int(field.argmax()), size)
        near = numpy.array([[field[_mirror(row, i, size), _mirror(column, j, size)] for j in (-1, 0, 1)] for i in (-1, 0, 1)])
        slope = -numpy.array([near[1, 2] - near[1, 0], near[2, 1] - near[0, 1]]) / 2
        mixed = (near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
        curve = numpy.array([[near[1, 0] - 2 * near[1, 1] + near[1, 2], mixed], [mixed, near[0, 1] - 2 * near[1, 1] + near[2, 1]]])
        move, score = numpy.zeros(2), field.max()
        if abs(numpy.linalg.det(curve)) >= 1e-4:
            move = numpy.linalg.solve(curve, slope)
            move *= 1.5 / max(1.5, abs(move).max())
            score = near[1, 1] - slope @ move + move @ curve @ move / 2
        x0, y0, x1, y1 = map(float, boxes[r, :4])
        answer[r, :, k] = [x0 + (0.5 + column + move[0]) * max(x1 - x0, 1) / size,
                           y0 + (0.5 + row + move[1]) * max(y1 - y0, 1) / size, score,
                           1 / numpy.exp(field - field.max()).sum() if shares else 0]
    return answer


def _mirror(place, step, size):
    return place + step if 0 <= place + step < size else place - step


def yolo_detections(maps, *, classes, boxes, score_threshold, threshold, sizes, choice, scales):
    """ncnn's Yolov3DetectionOutput: rows (class + 1, confidence, box)."""
    hits = []
    for level, field in enumerate(maps):
        height, width = field.shape[2:]
        extent = int(scales[level] * width), int(scales[level] * height)
        parts = field[0].reshape(boxes, 5 + classes, height, width).astype(numpy.float64)
        for a, i, j in numpy.ndindex(boxes, height, width):
            values, own = parts[a, :, i, j], int(choice[level * boxes + a])
            label = int(values[5:].argmax())
            score = sigmoid(values[4]) * sigmoid(values[5 + label])
            if score >= score_threshold:
                centre = (numpy.array([j, i]) + sigmoid(values[:2])) / [width, height]
                half = numpy.exp(values[2:4]) * [sizes[2 * own], sizes[2 * own + 1]] / extent / 2
                hits.append((label + 1, score, numpy.concatenate([centre - half, centre + half])))
    kept = greedy([hit[2] for hit in hits], [hit[1] for hit in hits], threshold)
    return numpy.array([[hits[k][0], hits[k][1], *hits[k][2]] for k in kept])


def prior_boxes(extent, image, cell, variances, *, step, offset, clip=False, far_clip=False):
    """Boxes of each cell, (shift x, shift y, width, height), over the image's (width, height): [2, H·W·K·4]."""
    rows, room = [], numpy.array(image, numpy.float64)
    for i, j in numpy.ndindex(*extent):
        centre = (numpy.array([j, i]) + offset) * step
        for x, y, width, height in cell:
            middle, half = centre + [x, y], numpy.array([width, height]) / 2
            low, high = (middle - half) / room, (middle + half) / room
            if far_clip:
                low, high = numpy.maximum(low, 0), numpy.minimum(high, 1)
            rows += [*low, *high]
    boxes = numpy.array(rows).clip(0, 1) if clip else numpy.array(rows)
    return numpy.stack([boxes, numpy.tile(variances, len(rows) // 4)])


def box_transform(rois, deltas, info, *, weights=(1, 1, 1, 1), scales=True, plus=1):
    """Caffe2's BBoxTransform: boxes and the number of regions of each image."""
    answer = numpy.zeros(deltas.shape)
    for r, row in enumerate(rois):
        image = int(row[0]) if rois.shape[1] == 5 else 0
        height, width, scale = map(float, info[image])
        room = numpy.array([int(width / scale + 0.5), int(height / scale + 0.5)] * 2) - plus
        for c in range(deltas.shape[1] // 4):
            moved = displaced(row[-4:].astype(numpy.float64) / scale, deltas[r, 4 * c : 4 * c + 4] / numpy.array(weights), plus)
            answer[r, 4 * c : 4 * c + 4] = numpy.minimum(numpy.maximum(moved, 0), numpy.maximum(room, 0)) * (scale if scales else 1)
    images = rois[:, 0].astype(int) if rois.shape[1] == 5 else numpy.zeros(len(rois), int)
    return answer, numpy.bincount(images, minlength=len(info)).astype(numpy.float64)


def region_levels(rois, *, first, last, size, level, plus):
    """Caffe2's DistributeFpnProposals: regions of each level, and where each stands among them."""
    rows = rois if rois.shape[1] == 5 else numpy.pad(rois, ((0, 0), (1, 0)))
    sides = numpy.maximum((rows[:, 3:] - rows[:, 1:3] + plus).astype(numpy.float64).prod(1), 0) ** 0.5
    levels = numpy.floor(level + numpy.log2(sides / size + 1e-6)).clip(first, last)
    orders = [numpy.flatnonzero(levels == number) for number in range(first, last + 1)]
    return [rows[order] for order in orders] + [numpy.argsort(numpy.concatenate(orders)).astype(numpy.int32)]


def fake_quantize(x, low, high, first, last, levels):
    x = x.astype(numpy.float64)
    step = numpy.round((x - low) / (high - low) * (levels - 1)) / (levels - 1) * (last - first) + first
    return numpy.where(x <= numpy.minimum(low, high), first, numpy.where(x > numpy.maximum(low, high), last, step))


def adaptive_mean(x, rows, columns):
    answer = numpy.zeros((*x.shape[:2], rows, columns))
    height, width = x.shape[2:]
    for i, j in numpy.ndindex(rows, columns):
        part = x[:, :, i * height // rows : -(-(i + 1) * height // rows), j * width // columns : -(-(j + 1) * width // columns)]
        answer[:, :, i, j] = part.astype(numpy.float64).mean((2, 3))
    return answer


def projected_attention(q, k, v, weights, biases, heads):
    """Weights and biases of q, k, v and the output; [B, L, E]."""
    q, k, v = (x.astype(numpy.float64) @ w.T + b for x, w, b in zip((q, k, v), weights, biases, strict=False))
    depth, parts = q.shape[-1] // heads, []
    for head in range(heads):
        own = slice(head * depth, (head + 1) * depth)
        scores = q[..., own] @ k[..., own].transpose(0, 2, 1) / math.sqrt(depth)
        share = numpy.exp(scores - scores.max(-1, keepdims=True))
        parts.append(share / share.sum(-1, keepdims=True) @ v[..., own])
    return numpy.concatenate(parts, -1) @ weights[3].T + biases[3]

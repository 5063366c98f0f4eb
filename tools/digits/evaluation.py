"""Mean average precision by the rules of COCO, in NumPy.

Per class: detections of each picture are taken by falling score (ties: as they come); each takes the free
true box of its class that it overlaps most (ties: the later box), if the overlap reaches the threshold.
All pictures' detections together, by falling score, give precision over recall; precision is made non-
increasing from the right and read at the recalls 0, 0.01 ... 1 (0 where recall is not reached); their
mean is the class's average precision. Classes without a true box are left out. Boxes are x1, y1, x2, y2
in pixels with area (x2 - x1) * (y2 - y1).
"""

import numpy as np

from .scenes import Scene

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of each box of `a` (n x 4) with each of `b` (m x 4): n x m."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = (high - low).clip(0).prod(2)
    area_a, area_b = (a[:, 2:] - a[:, :2]).prod(1), (b[:, 2:] - b[:, :2]).prod(1)
    union = area_a[:, None] + area_b[None] - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def matches(overlap: np.ndarray, threshold: float) -> np.ndarray:
    """Which detections (rows, by falling score) find a true box of their own (columns)."""
    free, found = np.ones(overlap.shape[1], bool), np.zeros(overlap.shape[0], bool)
    for row, candidates in enumerate(overlap):
        best, chosen = min(threshold, 1 - 1e-10), None
        for column in np.flatnonzero(free):
            if candidates[column] >= best:
                best, chosen = candidates[column], column
        if chosen is not None:
            free[chosen], found[row] = False, True
    return found


def average_precision(scores: np.ndarray, found: np.ndarray, truths: int) -> float:
    """The area under precision over recall of one class with `truths` true boxes."""
    if len(scores) == 0:
        return 0.0
    hits = np.cumsum(found[np.argsort(-scores, kind="stable")])
    recall, precision = hits / truths, hits / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(recall, RECALLS, side="left")
    return float(np.append(precision, 0.0)[place].mean())


def class_precisions(answers: list[tuple], scenes: list[Scene], label: int) -> list[float] | None:
    """Average precision of one class at each of `THRESHOLDS`, or None when it is never there."""
    truths, scores, found = 0, [], []
    for (boxes, values, labels), scene in zip(answers, scenes, strict=True):
        true = scene.boxes[scene.labels == label].astype(np.float64)
        order = np.argsort(-values[labels == label], kind="stable")
        overlap = overlaps(boxes[labels == label][order].astype(np.float64), true)
        truths += len(true)
        scores.append(values[labels == label][order])
        found.append([matches(overlap, threshold) for threshold in THRESHOLDS])
    if truths == 0:
        return None
    scores = np.concatenate(scores)
    joined = [np.concatenate([one[t] for one in found]) for t in range(len(THRESHOLDS))]
    return [average_precision(scores, one, truths) for one in joined]


def mean_average_precision(answers: list[tuple], scenes: list[Scene]) -> dict[str, float]:
    """mAP of `answers` (per picture boxes, scores, labels) on `scenes`, as a dictionary for JSON."""
    labels = sorted({int(label) for scene in scenes for label in scene.labels})
    table = np.array([class_precisions(answers, scenes, label) for label in labels])
    at = {round(float(threshold), 2): float(value) for threshold, value in zip(THRESHOLDS, table.mean(0))}
    return {
        "mAP@0.5": at[0.5],
        "mAP@0.75": at[0.75],
        "mAP@0.9": at[0.9],
        "mAP@[0.5:0.95]": float(table.mean()),
    }

"""Pictures to learn from and to be tested on: handwritten digits, bent and coloured, on busy backgrounds.

The digits are the 1797 scans of 8x8 pixels that come with scikit-learn. Those before `FIRST_HELD_OUT`
appear in training scenes only, the rest (mostly by other writers) in held-out scenes only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.ndimage import zoom
from sklearn.datasets import load_digits as load_scans

SIDE = 160
CLASSES = 10
FIRST_HELD_OUT = 1347
NOISE_OCTAVES = ((3, 0.22), (6, 0.12), (12, 0.07), (28, 0.05), (60, 0.05))
ROWS, COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


@dataclass
class Scene:
    """A picture (SIDE x SIDE x 3, uint8), its boxes (n x 4: x1, y1, x2, y2 in pixels), their labels (n)."""

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """All scans enlarged fourfold with a border (1797 x 40 x 40, 0...1) and what each shows."""
    scans = load_scans()
    bordered = np.pad(scans.images.astype(np.float32) / 16, ((0, 0), (1, 1), (1, 1)))
    enlarged = zoom(bordered, (1, 4, 4), order=3, mode="grid-constant", grid_mode=True)
    return enlarged.clip(0, 1).astype(np.float32), scans.target.astype(np.int64)


def make_scenes(seed: int, count: int, held_out: bool) -> list[Scene]:
    """`count` scenes, the same for the same seed."""
    shapes, labels = load_digits()
    digits = (FIRST_HELD_OUT, len(shapes)) if held_out else (0, FIRST_HELD_OUT)
    random = np.random.default_rng(seed)
    return [make_scene(random, shapes, labels, digits) for _ in range(count)]


def make_scene(random: Generator, shapes: np.ndarray, labels: np.ndarray, digits: tuple) -> Scene:
    """One scene of three to eight digits whose numbers lie in the range `digits`."""
    picture, boxes, shown = background(random), [], []
    wanted = random.integers(3, 9)
    for _ in range(40):
        if len(boxes) == wanted:
            break
        digit = int(random.integers(*digits))
        stamp = bent_digit(random, shapes[digit])
        box = place_for(random, stamp, boxes)
        if box is None:
            continue
        paint(random, picture, stamp, box)
        boxes.append(box)
        shown.append(labels[digit])
    picture += random.normal(0, random.uniform(0, 0.05), picture.shape).astype(np.float32)
    return Scene(
        (picture.clip(0, 1) * 255).round().astype(np.uint8),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(shown, np.int64),
    )


def enlargement(count: int) -> np.ndarray:
    """The SIDE x count matrix that interpolates linearly from `count` samples to SIDE."""
    position = np.linspace(0, count - 1, SIDE)
    below = np.minimum(position.astype(int), count - 2)
    matrix = np.zeros((SIDE, count), np.float32)
    matrix[np.arange(SIDE), below] = 1 - (position - below)
    matrix[np.arange(SIDE), below + 1] = position - below
    return matrix


ENLARGEMENTS = {count: enlargement(count) for count, _ in NOISE_OCTAVES}


def background(random: Generator) -> np.ndarray:
    """Coloured noise of several wavelengths, often stripes, and strokes that are no digits."""
    picture = np.zeros((SIDE, SIDE, 3), np.float32) + random.uniform(0.15, 0.85, 3).astype(np.float32)
    for count, strength in NOISE_OCTAVES:
        noise = random.normal(0, strength * random.uniform(0.3, 1), (count, count, 3)).astype(np.float32)
        matrix = ENLARGEMENTS[count]
        picture += np.einsum("yi,ijc,xj->yxc", matrix, noise, matrix, optimize=True)
    if random.random() < 0.6:
        picture += stripes(random)
    for _ in range(random.integers(0, 5)):
        cover = stroke(random)
        picture = picture * (1 - cover) + cover * random.uniform(0, 1, 3).astype(np.float32)
    return picture.astype(np.float32)


def stripes(random: Generator) -> np.ndarray:
    """A coloured sine wave in a random direction."""
    angle, frequency = random.uniform(0, np.pi), random.uniform(0.05, 0.6)
    phase = (COLUMNS * np.cos(angle) + ROWS * np.sin(angle)) * frequency + random.uniform(0, 6)
    return (np.sin(phase)[..., None] * random.normal(0, 0.06, 3)).astype(np.float32)


def stroke(random: Generator) -> np.ndarray:
    """How much a slightly curved line covers each pixel (SIDE x SIDE x 1)."""
    x, y = random.uniform(0, SIDE, 2)
    angle, length, width = random.uniform(0, 2 * np.pi), random.uniform(10, 60), random.uniform(1, 3.5)
    along = (COLUMNS - x) * np.cos(angle) + (ROWS - y) * np.sin(angle)
    across = (ROWS - y) * np.cos(angle) - (COLUMNS - x) * np.sin(angle)
    across = across - random.uniform(-0.01, 0.01) * along * along
    cover = np.clip(width - np.abs(across), 0, 1) * np.clip(length / 2 - np.abs(along), 0, 1)
    return cover[..., None] * random.uniform(0.4, 1)


@dataclass
class Stamp:
    """A bent digit: how much it covers each pixel of a square, and its tight box (x1, y1, x2, y2) there."""

    cover: np.ndarray
    box: tuple

    @property
    def extent(self) -> tuple[int, int]:
        """Width and height of the tight box."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


def bent_digit(random: Generator, shape: np.ndarray) -> Stamp | None:
    """A scan scaled, rotated, sheared and waved, or None when nothing of it is left."""
    size = float(np.exp(random.uniform(np.log(18), np.log(60))))
    angle, shear = random.uniform(-0.6, 0.6), random.uniform(-0.35, 0.35)
    aspect = np.exp(random.uniform(-0.3, 0.3))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forward = rotation @ np.array([[1, shear], [0, 1]]) @ np.diag([aspect, 1 / aspect])
    back = (np.linalg.inv(forward) * (32 / size)).astype(np.float32)
    reach = int(size * 0.85) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    column, row = back[0, 0] * x + back[0, 1] * y, back[1, 0] * x + back[1, 1] * y
    height, frequency = random.uniform(0, 3.0), random.uniform(0.08, 0.25, 2)
    phase = random.uniform(0, 2 * np.pi, 2)
    column = column + height * np.sin(frequency[0] * row + phase[0])
    row = row + height * np.sin(frequency[1] * column + phase[1])
    cover = np.clip((sampled(shape, row + 19.5, column + 19.5) - 0.25) / 0.35, 0, 1).astype(np.float32)
    inside = cover > 0.5
    if not inside.any():
        return None
    rows, columns = np.nonzero(inside.any(1))[0], np.nonzero(inside.any(0))[0]
    return Stamp(cover, (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


def sampled(shape: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """`shape` (40 x 40) at real positions, bilinear, the border repeated outside."""
    i, j = np.clip(np.floor(row), 0, 38).astype(int), np.clip(np.floor(column), 0, 38).astype(int)
    fy, fx = np.clip(row - i, 0, 1), np.clip(column - j, 0, 1)
    above = shape[i, j] * (1 - fx) + shape[i, j + 1] * fx
    below = shape[i + 1, j] * (1 - fx) + shape[i + 1, j + 1] * fx
    return above * (1 - fy) + below * fy


def place_for(random: Generator, stamp: Stamp | None, boxes: list) -> np.ndarray | None:
    """Where the stamp's box goes in the picture, or None when it does not fit or hides too much."""
    if stamp is None:
        return None
    width, height = stamp.extent
    if max(width, height) > SIDE - 4 or min(width, height) < 4:
        return None
    x, y = int(random.integers(2, SIDE - 1 - width)), int(random.integers(2, SIDE - 1 - height))
    box = np.array([x, y, x + width, y + height], np.float32)
    return None if any(shared(box, other) > 0.12 for other in boxes) else box


def shared(a: np.ndarray, b: np.ndarray) -> float:
    """The overlap of two boxes as a share of the smaller one."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(0, width) * max(0, height) / smaller


def paint(random: Generator, picture: np.ndarray, stamp: Stamp, box: np.ndarray) -> None:
    """Draws the stamp into the picture in a colour that stands off from what lies under it."""
    left, top = int(box[0]) - stamp.box[0], int(box[1]) - stamp.box[1]
    side = stamp.cover.shape[0]
    rows, columns = slice(max(0, top), min(SIDE, top + side)), slice(max(0, left), min(SIDE, left + side))
    cover = stamp.cover[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left, None]
    cover = cover * random.uniform(0.75, 1)
    under = picture[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])].mean((0, 1))
    for _ in range(20):
        colour = random.uniform(0, 1, 3)
        if np.abs(colour - under).sum() > 0.9:
            break
    picture[rows, columns] = picture[rows, columns] * (1 - cover) + cover * colour.astype(np.float32)

"""Training: what the network should say of a scene, how wrong it is, and the loop that mends it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn

from .network import STRIDE, Network
from .scenes import CLASSES, SIDE, Scene, make_scenes

CELLS = SIDE // STRIDE


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a network is trained, its kind apart."""

    seed: int = 7
    scenes: int = 6000
    steps: int = 2100
    batch: int = 16
    rate: float = 4e-3
    offset_rate: float = 0.1  # of `rate`, for the convolutions that make offsets
    clip: float = 20


@dataclass
class Lesson:
    """A picture with what the heads should say: heat map, and per digit its cell and four box numbers."""

    image: np.ndarray
    heat: np.ndarray
    cells: list
    boxes: list


def lesson(scene: Scene) -> Lesson:
    """The targets of a scene: a Gaussian bump per digit, as wide as the digit."""
    heat, cells, boxes = np.zeros((CLASSES, CELLS, CELLS), np.float32), [], []
    grid = np.arange(CELLS, dtype=np.float32)
    for (x1, y1, x2, y2), label in zip(scene.boxes / STRIDE, scene.labels):
        x, y, width, height = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        column, row = min(int(x), CELLS - 1), min(int(y), CELLS - 1)
        spread_x, spread_y = max(width * 0.09, 0.5), max(height * 0.09, 0.5)
        down = (grid[:, None] - row) ** 2 / (2 * spread_y * spread_y)
        across = (grid[None] - column) ** 2 / (2 * spread_x * spread_x)
        heat[label] = np.maximum(heat[label], np.exp(-down - across))
        cells.append(row * CELLS + column)
        boxes.append((width, height, x - column, y - row))
    return Lesson(scene.image, heat, cells, boxes)


@dataclass
class Batch:
    """Several lessons as tensors; `pictures` and `cells` say where each row of `boxes` belongs."""

    images: torch.Tensor
    heat: torch.Tensor
    pictures: torch.Tensor
    cells: torch.Tensor
    boxes: torch.Tensor


def recoloured(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The picture (3 x S x S, 0...1) with channels permuted, often inverted, its gain and level changed."""
    x = image[..., random.permutation(3)].astype(np.float32) / 255
    x = 1 - x if random.random() < 0.5 else x
    x = x * random.uniform(0.7, 1.2) + random.uniform(-0.1, 0.1)
    return x.clip(0, 1).transpose(2, 0, 1)


def make_batch(lessons: list[Lesson], random: np.random.Generator) -> Batch:
    """The lessons, each recoloured, as one batch in channels-last order (faster on CPUs)."""
    images = np.stack([recoloured(lesson.image, random) for lesson in lessons]).astype(np.float32)
    pictures = [number for number, lesson in enumerate(lessons) for _ in lesson.cells]
    return Batch(
        torch.from_numpy(images).contiguous(memory_format=torch.channels_last),
        torch.from_numpy(np.stack([lesson.heat for lesson in lessons])),
        torch.tensor(pictures),
        torch.tensor([cell for lesson in lessons for cell in lesson.cells]),
        torch.tensor([box for lesson in lessons for box in lesson.boxes], dtype=torch.float32),
    )


def loss(heat: torch.Tensor, box: torch.Tensor, batch: Batch) -> torch.Tensor:
    """CornerNet's focal loss + 2 x relative size error + centre error, each per digit."""
    p = heat.sigmoid().clamp(1e-4, 1 - 1e-4)
    here = (batch.heat == 1).float()
    there = (1 - here) * (1 - batch.heat) ** 4
    focal = -(here * (1 - p) ** 2 * p.log() + there * p**2 * (1 - p).log()).sum()
    error = (box.flatten(2)[batch.pictures, :, batch.cells] - batch.boxes).abs()
    size = (error[:, :2] / batch.boxes[:, :2].clamp(min=1)).sum()
    return (focal + 2 * size + error[:, 2:].sum()) / max(len(batch.boxes), 1)


def optimiser(network: Network, recipe: Recipe) -> tuple:
    """AdamW on one rise and fall of the learning rate, slower for the convolutions that make offsets."""
    named = list(network.named_parameters())
    groups = [
        {"params": [p for name, p in named if ".offset." not in name], "lr": recipe.rate},
        {"params": [p for name, p in named if ".offset." in name], "lr": recipe.rate * recipe.offset_rate},
    ]
    groups = [group for group in groups if group["params"]]
    steps = torch.optim.AdamW(groups, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        steps,
        [group["lr"] for group in groups],
        total_steps=recipe.steps,
        pct_start=0.15,
        div_factor=10,
        final_div_factor=100,
    )
    return steps, schedule


def batches(lessons: list[Lesson], recipe: Recipe) -> Iterator[Batch]:
    """`recipe.steps` batches: every lesson once, in random order, then again."""
    random, order = np.random.default_rng(recipe.seed + 2), np.empty(0, int)
    for _ in range(recipe.steps):
        while len(order) < recipe.batch:
            order = np.concatenate((order, random.permutation(len(lessons))))
        chosen, order = order[: recipe.batch], order[recipe.batch :]
        yield make_batch([lessons[i] for i in chosen], random)


def make_lessons(recipe: Recipe) -> list[Lesson]:
    """The lessons of a recipe; the same for the deformable and the plain network."""
    return [lesson(scene) for scene in make_scenes(recipe.seed + 1, recipe.scenes, held_out=False)]


def train(lessons: list[Lesson], recipe: Recipe, deformable: bool, report: Callable[[str], None]) -> Network:
    """A trained network, ready to be asked. Calls `report` with a line now and then."""
    torch.manual_seed(recipe.seed)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    network = Network(deformable).to(memory_format=torch.channels_last).train()
    steps, schedule = optimiser(network, recipe)
    begun, average = time.monotonic(), None
    for step, batch in enumerate(batches(lessons, recipe)):
        value = loss(*network(batch.images), batch)
        steps.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
        steps.step()
        schedule.step()
        average = value.item() if average is None else 0.98 * average + 0.02 * value.item()
        if step % 100 == 0 or step == recipe.steps - 1:
            report(f"step {step:5d}, {time.monotonic() - begun:4.0f} s, loss {average:.3f}")
    return network.eval().to(memory_format=torch.contiguous_format)

"""Runs the paper's networks at full size here and in torch, and says how far both are from torch in float64."""

import copy
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from built_command import built_command
from onnx import TensorProto, helper
from references.proposal import mxnet_proposal

from . import paper, pooling, torch_run
from .resnet import Options

# A head on fixed regions may differ by this much, of values that are about one.
HEAD = 1e-3
# Root of the mean square of what differs from float64, in that of torch in float32. torch sums blocks of products and
# then the blocks, we sum one product after the other, which over the 12,544 of a fully connected layer rounds more.
NOISE = {"exact": 6.0, "default": 6.0}
# What a sample more or less in one bin may do to a probability.
DOUBT = 1e-2
SCALES = {True: [4.0, 8.0, 16.0, 32.0], False: [8.0, 16.0, 32.0]}


@dataclass
class Case:
    """A network, made when its turn comes."""

    name: str
    make: object
    detects: bool = False
    is_coco: bool = False


def layers(blocks: str = "", dilation: int = 2, backbone: str = "resnet101") -> Options:
    return Options(Options.blocks(blocks), dilation, backbone=backbone)


def cases():
    """Every variant that the paper reports."""
    for blocks in ("", "res5c", "res5bc", "res5abc", "res5abc,res4b20-22"):
        yield Case(f"deeplab-voc {blocks}".strip(), lambda b=blocks: paper.build("deeplab", "voc", layers(b)))
    for dilation in (4, 6, 8):
        yield Case(f"deeplab-voc dilation {dilation}",
                   lambda d=dilation: paper.build("deeplab", "voc", layers(dilation=d)))
    for network, classes in (("deeplab", "cityscapes"), ("rpn", "voc"), ("rpn", "coco")):
        for blocks in ("", "res5abc"):
            yield Case(f"{network}-{classes} {blocks}".strip(),
                       lambda n=network, c=classes, b=blocks: paper.build(n, c, layers(b)))
    for network in paper.DETECTORS:
        for classes in ("voc", "coco"):
            for blocks, pool in (("", False), ("res5abc", False), ("", True), ("res5abc", True)):
                yield Case(" ".join([f"{network}-{classes}", *([blocks] if blocks else []), *(["pool"] if pool else [])]),
                           lambda n=network, c=classes, b=blocks, p=pool: paper.build(n, c, layers(b), p),
                           True, classes == "coco")
    for blocks in ("", "irb5"):
        chosen = layers(blocks, backbone="aligned-inception-resnet")
        yield Case(f"aligned-inception-resnet {blocks}".strip(), lambda o=chosen: paper.backbone((600, 1000), o))
        yield Case(f"rfcn-coco aligned-inception-resnet {blocks}".strip(),
                   lambda o=chosen: paper.build("rfcn", "coco", o, bool(o.deformable)), True, True)


def heads():
    """Every head of the detectors, fed with features and regions."""
    for network in paper.DETECTORS:
        for classes in ("voc", "coco"):
            for pool in (False, True):
                yield Case(f"{network}-{classes} {'pool ' if pool else ''}head",
                           lambda n=network, c=classes, p=pool: paper.build(n, c, layers(), p, outside_rois=True))


def picture(size, seed=0) -> numpy.ndarray:
    """Noise of all wavelengths, of mean square one: [1, 3, H, W]."""
    random = numpy.random.default_rng(seed)
    total = numpy.zeros((3, *size), numpy.float32)
    for step in (1, 8, 64):
        coarse = random.standard_normal((3, -(-size[0] // step), -(-size[1] // step)), numpy.float32)
        total += numpy.kron(coarse, numpy.ones((1, step, step), numpy.float32))[:, : size[0], : size[1]]
    return (total / numpy.sqrt(numpy.float32(3)))[None]


def fixed_regions(count=300, size=(600, 1000), seed=0) -> numpy.ndarray:
    """Boxes of 16 to 500 pixels, some of which leave the picture: [count, 5] with the number of the picture first."""
    random = numpy.random.default_rng(seed)
    sides = numpy.exp(random.uniform(numpy.log(16), numpy.log(500), (count, 2)))
    middle = random.uniform(0, 1, (count, 2)) * [size[1], size[0]]
    boxes = numpy.concatenate([middle - sides / 2, middle + sides / 2], 1)
    return numpy.concatenate([numpy.zeros((count, 1)), boxes], 1).astype(numpy.float32)


def head_of(network, at: str, channels: int, size) -> object:
    """What follows the value `at`, which becomes an input, with the regions."""
    cut = copy.copy(network)
    cut.nodes = torch_run.needed(network.nodes, {output.name for output in network.outputs}, {at})
    read = {name for node in cut.nodes for name in node.input}
    cut.weights = [weight for weight in network.weights if weight.name in read]
    given = helper.make_tensor_value_info(at, TensorProto.FLOAT, [1, channels, *size])
    cut.inputs = [given, *(value for value in network.inputs if value.name == "rois")]
    return cut


def ours(network, inputs: dict, accuracy: str, threads: int = 1) -> dict:
    """The outputs of `dcn-run`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [built_command(release_only=True), str(network.write(folder)), "--threads", str(threads),
                   "--accuracy", accuracy, "-o", str(folder / "out.npz"), "--quiet"]
        for key, array in inputs.items():
            numpy.save(folder / f"{key}.npy", array)
            command += ["--input", f"{key}={folder / key}.npy"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"dcn-run ended with {done.returncode}: {done.stderr.strip()}")
        with numpy.load(folder / "out.npz") as archive:
            return {key: archive[key] for key in archive.files}


def distance(got, expected) -> tuple[float, float]:
    """Root of the mean square and greatest of the differences."""
    if got.shape != expected.shape or not numpy.isfinite(got).all():
        return float("inf"), float("inf")
    apart = numpy.abs(numpy.asarray(got, numpy.float64) - expected)
    return float(numpy.sqrt(numpy.square(apart).mean())), float(apart.max())


class Report:
    """Prints a line for each comparison and remembers whether all held."""

    def __init__(self):
        self.passes, self.count = 0, 0

    def line(self, holds: bool, text: str) -> None:
        self.count += 1
        self.passes += bool(holds)
        print(f"{'ok  ' if holds else 'FAIL'} {text}", flush=True)

    def noise(self, name, value, accuracy, got, single, double, doubtful=()) -> None:
        """Ours against float64, beside torch in float32 against the same; rows that are doubtful in any arithmetic
        need be near only."""
        if doubtful and value in ("cls_prob", "bbox_pred"):
            rows = sorted(doubtful)
            _, worst = distance(got[rows], double[rows])
            self.line(worst <= DOUBT, f"{name}: {value} {accuracy:7} max {worst:.1e} in {len(rows)} regions with a "
                                      f"sample on the border of the map")
            got, single, double = (numpy.delete(array, rows, 0) for array in (got, single, double))
        mine, theirs = distance(got, double), distance(single, double)
        holds = mine[0] <= NOISE[accuracy] * theirs[0] + 1e-12
        size = float(numpy.sqrt(numpy.square(double).mean()))
        self.line(holds, f"{name}: {value} ({size:.2g}) {accuracy:7} rms {mine[0]:.1e} max {mine[1]:.1e}; "
                         f"torch float32 rms {theirs[0]:.1e} max {theirs[1]:.1e}")


def check_head(case: Case, report: Report) -> None:
    """A head on fixed features and regions."""
    size = (38, 63)
    network = head_of(case.make(), "res5c_relu", 2048, size)
    random = numpy.random.default_rng(1)
    features = numpy.maximum(random.standard_normal((1, 2048, *size), numpy.float32), 0)
    given = {"res5c_relu": features, "rois": fixed_regions()}
    expected = torch_run.run(network, given)
    got = ours(network, given, "default")
    for value, array in expected.items():
        _, worst = distance(got[value], array)
        bound = HEAD * max(1, float(numpy.abs(array).max()))
        report.line(worst <= bound, f"{case.name}: {value} max {worst:.1e}, allowed {bound:.1e}")


def check_whole(case: Case, report: Report) -> None:
    """A network from the picture to its ends; the head of a detector is compared on the regions that ours proposed."""
    network = case.make()
    size = [each.dim_value for each in network.inputs[0].type.tensor_type.shape.dim][2:]
    given = {"data": picture(size)}
    results = {}
    if case.detects:
        given["im_info"] = numpy.array([[*size, 1.6]], numpy.float32)
        network.output("rpn_cls_prob", "rpn_cls_prob")
        network.output("rpn_bbox_pred", "rpn_bbox_pred")
    for accuracy in NOISE:
        results[accuracy] = ours(network, given, accuracy)
    shared = ("rpn_cls_prob", "rpn_bbox_pred", "conv_new_1_relu") if case.detects else None
    reference = {kind: torch_run.run(network, {"data": given["data"]}, kind, shared)
                 for kind in (torch.float32, torch.float64)}
    for accuracy, got in results.items():
        doubtful = set()
        ends = {kind: dict(values) for kind, values in reference.items()}
        if case.detects:
            check_regions(case, got, given["im_info"], report)
            for kind, values in ends.items():
                features = {"conv_new_1_relu": values.pop("conv_new_1_relu"), "regions": got["regions"]}
                values |= torch_run.run(network, features, kind, ("cls_prob", "bbox_pred"), doubtful)
        for value, double in ends[torch.float64].items():
            report.noise(case.name, value, accuracy, got[value], ends[torch.float32][value], double, doubtful)


def check_regions(case: Case, got: dict, info, report: Report) -> None:
    """The proposals for the scores and deltas that ours computed. Boxes whose scores or overlaps are decided by the
    last bit may change places."""
    expected, _ = mxnet_proposal(got["rpn_cls_prob"], got["rpn_bbox_pred"], info, scales=SCALES[case.is_coco],
                                 minimum=0 if case.is_coco else 16)
    apart = numpy.abs(got["regions"][:, None, 1:] - expected[None, :, 1:]).max(-1).min(1)
    same = int((apart <= 0.01).sum())
    report.line(same >= 0.98 * len(apart), f"{case.name}: regions {same} of {len(apart)} within 0.01 pixels")


def check(names: list[str]) -> bool:
    """All cases whose names hold one of `names`; whether all agree."""
    torch.set_num_threads(1)
    report = Report()
    report.line(pooling.agree() < 1e-9, "poolings of whole arrays agree with the slow forms")
    for run, made in ((check_head, heads()), (check_whole, cases())):
        for case in made:
            if names and not any(name in case.name for name in names):
                continue
            start = time.monotonic()
            run(case, report)
            print(f"     {case.name}: {time.monotonic() - start:.0f} s", flush=True)
    print(f"{report.passes} of {report.count} hold")
    return report.passes == report.count

#!/usr/bin/env python3
"""Compares the slow references with torchvision, onnxruntime and openvino, wherever one of them has the operator.

    tools/check-references.py        prints the largest difference of each comparison; exits 1 when one is too large
"""

import sys

from python_environment import require

require("numpy", "onnx", "torch", "torchvision", "onnxruntime", "openvino")
import numpy  # noqa: E402
import onnxruntime  # noqa: E402
import openvino  # noqa: E402
import torch  # noqa: E402
import torchvision.ops as vision  # noqa: E402
from fixture_sets import decompositions, detection, first, frameworks, roi, suppression  # noqa: E402
from fixture_sets import deform as spellings  # noqa: E402
from openvino import opset2, opset4, opset8, opset9, opset13, opset15  # noqa: E402
from references import custom, position_sensitive  # noqa: E402
from references import roi as regions  # noqa: E402
from references.deform import deform_conv  # noqa: E402
from references.proposal import openvino_proposal  # noqa: E402
from references.suppression import plain_nms, rotated_nms  # noqa: E402

WORST = []


def compare(name: str, got, expected, bound: float = 3e-5) -> None:
    """Prints and keeps the largest difference; the two must be NaN in the same places."""
    got, expected = numpy.asarray(got, numpy.float64), numpy.asarray(expected, numpy.float64)
    same = got.shape == expected.shape and (numpy.isnan(got) == numpy.isnan(expected)).all()
    worst = numpy.nanmax(numpy.abs(got - expected), initial=0) if same else float("inf")
    WORST.append(worst <= bound)
    print(f"{'ok  ' if worst <= bound else 'FAIL'} {worst:9.2e}  {name}")


def tensor(array) -> torch.Tensor:
    return torch.from_numpy(numpy.ascontiguousarray(array))


def run_openvino(make, *arrays, hint="f32") -> numpy.ndarray:
    """One openvino node over parameters of these arrays."""
    parameters = [openvino.opset8.parameter(array.shape, array.dtype.type) for array in arrays]
    model = openvino.Model([make(*parameters)], parameters)
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint})
    return compiled(list(arrays))[0]


def random_cases():
    """Deformable convolutions of all attributes, with offsets that are no round numbers."""
    for seed in range(6):
        case = spellings.Case(seed * 7, group=1 + seed % 2, offset_group=(1, 2, 4)[seed % 3],
                              strides=(1 + seed % 2, 1), dilations=(1, 1 + seed % 2), pads=(1, 2, 1, 2),
                              kernel=((3, 3), (1, 3), (2, 2))[seed // 2], batch=2)
        generator = numpy.random.default_rng(seed)
        case.offset = (case.offset + generator.normal(0, 1, case.offset.shape)).astype(numpy.float32)
        yield seed, case


def check_deform() -> None:
    for seed, case in random_cases():
        got = vision.deform_conv2d(tensor(case.x), tensor(case.offset), tensor(case.weight), tensor(case.bias),
                                   case.strides, case.pads[:2], case.dilations, tensor(case.mask))
        compare(f"deform_conv {seed}, torchvision", got, case.answer())
        for border in ("zero", "clamp"):
            def make(x, offset, weight, mask, flag=border == "zero", case=case):
                return opset8.deformable_convolution(
                    x, offset, weight, list(case.strides), list(case.pads[:2]), list(case.pads[2:]),
                    list(case.dilations), mask, "EXPLICIT", case.group, case.offset_group, flag)
            got = run_openvino(make, case.x, case.offset, case.weight, case.mask)
            expected = deform_conv(case.x, case.weight, case.offset, None, case.mask, strides=case.strides,
                                   pads=case.pads, dilations=case.dilations, group=case.group,
                                   offset_group=case.offset_group, border=border)
            compare(f"deform_conv {seed}, openvino, border {border}", got, expected)


def check_fixtures() -> None:
    """Fixtures of standard operators in onnxruntime, as far as it has the version."""
    modules = (first, spellings, roi, suppression, decompositions)
    for fixture in (fixture for module in modules for fixture in module.fixtures()):
        # Paddle's exporter leaves out offset_group, which no strict runtime accepts.
        if set(fixture.imports) != {""} or fixture.name == "onnx-19-paddle":
            continue
        try:
            session = onnxruntime.InferenceSession(fixture.model().SerializeToString())
        except Exception:
            print(f"--              {fixture.name}: not in onnxruntime")
            continue
        for name, got in zip(fixture.outputs, session.run(None, fixture.inputs), strict=True):
            compare(f"{fixture.name} {name}, onnxruntime", got, fixture.outputs[name])


def check_frontend() -> None:
    """Fixtures of openvino's domain in openvino, as far as it reads them."""
    for fixture in (*detection.fixtures(), *frameworks.fixtures(), *roi.fixtures()):
        if "org.openvinotoolkit" not in fixture.imports:
            continue
        try:
            model = openvino.Core().read_model(fixture.model().SerializeToString())
        except RuntimeError:
            print(f"--              {fixture.name}: not in openvino")
            continue
        compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        for index, (name, expected) in enumerate(fixture.outputs.items()):
            compare(f"{fixture.name} {name}, openvino", compiled(fixture.inputs)[index], expected)


def check_roi() -> None:
    x, rois = roi.features(1, low=-3), roi.ROIS
    wide = numpy.random.default_rng(2).uniform(-10, 45, (40, 4)).astype(numpy.float32)
    rois = numpy.concatenate([rois, numpy.pad(wide, ((0, 0), (1, 0)))])
    rois[5:, 3:] += 12
    indices = rois[:, 0].astype(numpy.int32)
    compare("max_roi_pool, torchvision", vision.roi_pool(tensor(x), tensor(rois), (3, 4), 0.25),
            regions.max_roi_pool(x, rois, (3, 4), 0.25))
    # torchvision's aligned form fails on regions that end before they start.
    rois[:, 1:] = numpy.concatenate([numpy.minimum(rois[:, 1:3], rois[:, 3:]), rois[:, 3:]], 1)
    for ratio, flag in ((0, False), (2, False), (0, True), (3, True)):
        got = vision.roi_align(tensor(x), tensor(rois), (3, 4), 0.25, ratio, flag)
        compare(f"roi_align ratio {ratio} aligned {flag}, torchvision", got,
                regions.roi_align(x, rois[:, 1:], indices, (3, 4), 0.25, ratio, flag))
    for mode, places, aligned, shift in (("avg", "half_pixel_for_nn", True, 0.5), ("max", "half_pixel_for_nn", True, 0.5),
                                         ("avg", "asymmetric", False, 0), ("avg", "half_pixel", True, 0.375)):
        got = run_openvino(lambda a, b, c, mode=mode, places=places: opset9.roi_align(
            a, b, c, 3, 4, 2, 0.25, mode, places), x, rois[:, 1:].copy(), indices)
        compare(f"roi_align {mode} {places}, openvino", got, regions.roi_align(
            x, rois[:, 1:], indices, (3, 4), 0.25, 2, aligned, "max_zero" if mode == "max" else mode, shift=shift))
    compare("max_roi_pool, openvino", run_openvino(lambda a, b: opset2.roi_pooling(a, b, [3, 4], 0.25, "max"), x, rois),
            regions.max_roi_pool(x, rois, (3, 4), 0.25))
    turned = roi.TURNED
    for clockwise in (False, True):
        got = run_openvino(lambda a, b, c, way=clockwise: opset15.roi_align_rotated(a, b, c, 2, 3, 2, 0.5, way),
                           x, turned[:, 1:].copy(), turned[:, 0].astype(numpy.int32))
        compare(f"roi_align_rotated clockwise {clockwise}, openvino", got,
                regions.roi_align_rotated(x, turned, (2, 3), 0.5, 2, True, clockwise))


def check_position_sensitive() -> None:
    maps = roi.features(3, 18, low=-3)
    # openvino's form has no least size and leaves negative starts undefined: ordinary regions only.
    rois = numpy.array([[0, 2, 3, 17, 13], [1, 0, 1, 22, 27], [0, 5, 7, 21, 27]], numpy.float32)
    mixed = numpy.concatenate([rois, roi.ROIS])
    compare("ps_roi_pool, openvino",
            run_openvino(lambda a, b: opset8.psroi_pooling(a, b, 2, 3, 0.25, 1, 1, "average"), maps, rois),
            position_sensitive.ps_roi_pool(maps, rois, 2, 3, 0.25))
    for bins in ((3, 3), (2, 3)):
        compare(f"ps_roi_pool {bins}, torchvision", vision.ps_roi_pool(tensor(maps), tensor(mixed), bins, 0.25),
                position_sensitive.ps_roi_pool_torchvision(maps, mixed, bins, 0.25))
    for ratio in (0, 2):
        compare(f"ps_roi_align ratio {ratio}, torchvision",
                vision.ps_roi_align(tensor(maps), tensor(mixed), 3, 0.25, ratio),
                position_sensitive.ps_roi_align(maps, mixed, (3, 3), 0.25, ratio))
    unit = numpy.array([[0, 0.1, 0.2, 0.7, 0.9], [1, 0.3, 0, 1, 0.5]], numpy.float32)
    bins = roi.features(4, 2 * 6)
    compare("ps_roi_bilinear, openvino",
            run_openvino(lambda a, b: opset8.psroi_pooling(a, b, 2, 3, 1.0, 3, 2, "bilinear"), bins, unit),
            position_sensitive.ps_roi_bilinear(bins, unit, 2, 3, 1.0, 3, 2))
    for pooled in ((2, 3), (1, 4)):
        got = run_openvino(lambda a, b, pooled=pooled: opset2.roi_pooling(a, b, list(pooled), 1.0, "bilinear"), bins,
                           frameworks.SHARES)
        compare(f"roi_bilinear {pooled}, openvino", got,
                position_sensitive.ps_roi_bilinear(bins, frameworks.SHARES, 12, pooled, 1, 1, 1))
    trans = numpy.random.default_rng(5).uniform(-1, 1, (len(mixed), 4, 3, 3)).astype(numpy.float32)

    def pool(a, b, *c):
        return opset8.deformable_psroi_pooling(a, b, 2, 0.25, 3, "bilinear_deformable", 4, 4, 0.25, 3, *c)

    for moves in (None, trans):
        arrays = [maps, mixed] if moves is None else [maps, mixed, moves]
        expected = position_sensitive.deform_ps_roi_pool(maps, mixed, moves, scale=0.25, output_dim=2, group=3,
                                                         pooled=3, part=3, samples=4, trans_std=0.25)
        compare(f"deform_ps_roi_pool trans {moves is not None}, openvino", run_openvino(pool, *arrays), expected)


def check_others() -> None:
    x, grid = roi.features(6, 3, (5, 6), 2), numpy.random.default_rng(7).uniform(-1.6, 1.6, (2, 4, 5, 2))
    grid = grid.astype(numpy.float32)
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (False, True):
                got = torch.nn.functional.grid_sample(tensor(x), tensor(grid), mode, padding, align)
                compare(f"grid_sample {mode} {padding} align_corners {align}, torch", got,
                        custom.grid_sample(x, grid, mode, padding, align))
    boxes, scores = suppression.clusters(8, 60)[0], suppression.scores(9, 60)
    compare("plain_nms, torchvision", vision.nms(tensor(boxes), tensor(scores), 0.3), plain_nms(boxes, scores, 0.3))
    values, indices = custom.cumulative(numpy.round(x), 2, numpy.greater_equal)
    got = torch.cummax(tensor(numpy.round(x)), 2)
    compare("cummax values, torch", got[0], values)
    compare("cummax indices, torch", got[1], indices)


def check_suppression() -> None:
    """Turned boxes: all of them suppress in both, and none is below the score threshold."""
    boxes, scores = suppression.turned(11, 30, 2), suppression.scores(12, 2, 2, 30)
    numbers = [numpy.array(value) for value in (100, numpy.float32(0.3), numpy.float32(0))]

    def make(a, b):
        constants = [openvino.opset8.constant(number) for number in numbers]
        return opset13.nms_rotated(a, b, *constants, False, "i64", True).output(0)

    got = run_openvino(make, boxes, scores)
    compare("rotated_nms, openvino", got, rotated_nms(boxes, scores, 0.3, 0))


def check_proposal() -> None:
    """Rows and scores of openvino's proposals, those that are missing included."""
    names = {"clip_before": "clip_before_nms", "clip_after": "clip_after_nms", "normalize": "normalize",
             "coordinate_scale": "box_coordinate_scale", "size_scale": "box_size_scale"}
    for name, (given, _) in frameworks.PROPOSALS.items():
        operands = frameworks.proposal_operands(30)
        after = given.get("after", 12)
        counts = {"base_size": 16, "pre_nms_topn": 70, "post_nms_topn": after, "feat_stride": 16,
                  "min_size": 1 if name == "-padded" else 12}
        settings = {key: numpy.uint64(value) for key, value in counts.items()}
        settings |= {"nms_thresh": numpy.float32(0.5), "ratio": numpy.float32([0.5, 1, 2]),
                     "scale": numpy.float32([1, 2])}
        settings |= {names[key]: value if isinstance(value, bool) else numpy.float32(value)
                     for key, value in given.items() if key in names}
        rois, marks = openvino_proposal(*operands.values(), scales=[1, 2], ratios=[0.5, 1, 2], before=70,
                                        threshold=0.5, minimum=counts["min_size"],
                                        **({"after": after} | given))
        # openvino leaves the scores of missing rows as they were in memory, and takes equal scores in any order.
        exists = rois[:, 1:].any(1)
        for index, expected in enumerate((rois, marks)):
            got = run_openvino(lambda *a, index=index, settings=settings: opset4.proposal(*a, settings).output(index),
                               *operands.values())
            got, expected = (got[exists], expected[exists]) if index else (got, expected)
            compare(f"proposal{name} output {index}, openvino", got, expected, 1e-4)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for check in (check_deform, check_fixtures, check_frontend, check_roi, check_position_sensitive, check_others, check_suppression,
                  check_proposal):
        check()
    print(f"{sum(WORST)} of {len(WORST)} agree")
    sys.exit(0 if all(WORST) else 1)

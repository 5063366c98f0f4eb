"""A handful of models of standard operators, for the first steps of every change."""

import numpy
from references.roi import roi_align

from .build import Fixture, eighths, helper, scattered, single
from .deform import Case, onnx_attributes
from .roi import ROIS, features


def convolve(x, weight, bias, strides, pads, dilations=(1, 1)):
    """Plain convolution from the formula; pads are (top, left, bottom, right)."""
    offset_free = numpy.pad(x.astype(numpy.float64),
                            ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    rows, columns = weight.shape[2:]
    out = [(offset_free.shape[2 + a] - dilations[a] * (weight.shape[2 + a] - 1) - 1) // strides[a] + 1
           for a in (0, 1)]
    answer = numpy.zeros((x.shape[0], weight.shape[0], *out))
    for y, u, i, j in numpy.ndindex(*out, rows, columns):
        pixel = offset_free[:, :, y * strides[0] + i * dilations[0], u * strides[1] + j * dilations[1]]
        answer[:, :, y, u] += pixel @ weight[:, :, i, j].T
    return answer + bias[:, None, None]


def fixtures():
    x, weight, bias = eighths(900, 1, 3, 6, 7), eighths(901, 4, 3, 3, 3, low=-1, high=1), eighths(902, 4)
    plain = convolve(x, weight, bias, (2, 1), (1, 0, 2, 1))
    yield single("conv", "Conv", {"x": x, "weight": weight, "bias": bias}, {"y": plain},
                 {"kernel_shape": (3, 3), "strides": (2, 1), "pads": (1, 0, 2, 1)}, imports={"": 17})
    scale, shift = scattered(903, 4), eighths(904, 4)
    mean, variance = eighths(905, 4), scattered(906, 4)
    column = lambda v: v.astype(numpy.float64)[:, None, None]  # noqa: E731
    normal = (convolve(x, weight, bias, (1, 1), (1, 1, 1, 1)) - column(mean)) / numpy.sqrt(column(variance) + 1e-5)
    answer = numpy.maximum(normal * column(scale) + column(shift), 0).astype(numpy.float32)
    nodes = [helper.make_node("Conv", ["x", "weight", "bias"], ["c"], name="conv", pads=[1, 1, 1, 1]),
             helper.make_node("BatchNormalization", ["c", "scale", "shift", "mean", "variance"], ["n"], name="norm"),
             helper.make_node("Relu", ["n"], ["y"], name="relu")]
    constants = {"weight": weight, "bias": bias, "scale": scale, "shift": shift, "mean": mean, "variance": variance}
    yield Fixture("conv-norm-relu", nodes, {"x": x}, {"y": answer}, constants, {"": 17})
    for version in (19, 22):
        case = Case(910 + version, group=2, offset_group=2, strides=(2, 1), pads=(1, 0, 2, 1), batch=2)
        yield case.fixture(f"deform-conv-{version}", "DeformConv", "x weight offset bias mask",
                           onnx_attributes(case, kernel_shape=(3, 3)), imports={"": version})
    maps, rois = features(920), ROIS[:, 1:].copy()
    batch = ROIS[:, 0].astype(numpy.int64)
    yield single("roi-align", "RoiAlign", {"x": maps, "rois": rois, "batch": batch},
                 {"y": roi_align(maps, rois, batch, (3, 2), 0.25, 2)},
                 {"output_height": 3, "output_width": 2, "spatial_scale": 0.25, "sampling_ratio": 2},
                 fed=["x", "rois", "batch"], imports={"": 16})

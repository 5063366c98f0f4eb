"""Runs a network of this folder with torch, in float32 or float64: a second opinion that shares no code with ours.

Convolutions and poolings are torch's, deformable convolution is torchvision's, poolings of regions are those of
`pooling.py`. Proposals are given from outside, since the order in which suppression sees boxes is no continuous
function of scores.
"""

from collections import Counter

import numpy
import torch
from onnx import helper, numpy_helper
from torch.nn import functional
from torchvision import ops

from . import pooling


def attributes_of(node) -> dict:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def conv(x, weight, bias=None, *, strides, dilations, pads, group, **_):
    return functional.conv2d(x, weight, bias, strides, pads[:2], dilations, group)


def deform_conv(x, weight, offset, bias=None, mask=None, *, strides, dilations, pads, **_):
    return ops.deform_conv2d(x, offset, weight, bias, strides, pads[:2], dilations, mask)


def batch_norm(x, gamma, beta, mean, variance, *, epsilon):
    return functional.batch_norm(x, mean, variance, gamma, beta, eps=epsilon)


def max_pool(x, *, kernel_shape, strides, pads):
    return functional.max_pool2d(x, kernel_shape, strides, pads[0])


def resize(x, _, __, sizes, **___):
    return functional.interpolate(x, size=[int(extent) for extent in sizes[2:]], mode="bilinear", align_corners=False)


def reshape(x, shape):
    kept = [x.shape[axis] if extent == 0 else int(extent) for axis, extent in enumerate(shape)]
    return x.reshape(kept)


def split(x, sizes, *, axis):
    return torch.split(x, [int(size) for size in sizes], axis)


def expand(x, shape):
    return x.expand(*(int(extent) for extent in shape))


def of_arrays(pool):
    """A pooling in numpy as one of tensors."""
    def pooled(x, rois, trans=None, **attributes):
        arrays = [None if each is None else each.numpy() for each in (x, rois, trans)]
        return torch.from_numpy(pool(*arrays, **attributes).astype(arrays[0].dtype))
    return pooled


OPERATORS = {
    "Conv": conv, "DeformConv": deform_conv, "BatchNormalization": batch_norm, "MaxPool": max_pool,
    "Resize": resize, "Reshape": reshape, "Split": split, "Expand": expand,
    "Relu": functional.relu, "Sigmoid": torch.sigmoid, "Add": torch.add,
    "Softmax": lambda x, axis: torch.softmax(x, axis),
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "Flatten": lambda x: x.flatten(1),
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "Gemm": lambda x, weight, bias, transB: x @ weight.T + bias,  # noqa: N803
    "MaxRoiPool": of_arrays(pooling.max_roi_pool),
    "PSROIPooling": of_arrays(pooling.ps_roi_pool),
    "DeformablePSROIPooling": of_arrays(pooling.deform_ps_roi_pool),
}  # fmt: skip


def needed(nodes, wanted, given) -> list:
    """The nodes that the wanted values hang on, when some values are given."""
    kept, open_values = [], set(wanted) - set(given)
    for node in reversed(nodes):
        if open_values.intersection(node.output):
            kept.append(node)
            open_values |= set(node.input) - set(given)
    return kept[::-1]


def run(network, given: dict, kind=torch.float64, wanted=None, doubtful=None) -> dict[str, numpy.ndarray]:
    """The outputs, or the values `wanted`. A value given under a node's output name stands in place of the node;
    the set `doubtful` gets the regions whose pooling rounding decides."""
    weights = {weight.name: weight for weight in network.weights}
    values = {name: torch.from_numpy(array).to(kind) for name, array in given.items()}
    wanted = wanted or [output.name for output in network.outputs]
    nodes = needed(network.nodes, wanted, given)
    left = Counter(name for node in nodes for name in node.input)

    def operand(name):
        if not name:
            return None
        if name in values:
            return values[name]
        array = numpy_helper.to_array(weights[name])
        return torch.from_numpy(array.copy()).to(kind if array.dtype == numpy.float32 else torch.int64)

    with torch.inference_mode():
        for node in nodes:
            settings = attributes_of(node)
            if node.op_type == "DeformablePSROIPooling":
                settings["doubtful"] = doubtful
            made = OPERATORS[node.op_type](*map(operand, node.input), **settings)
            values.update(zip(node.output, made if isinstance(made, tuple) else (made,), strict=True))
            left.subtract(node.input)
            for name in node.input:
                if left[name] <= 0 and name not in wanted:
                    values.pop(name, None)
    return {name: values[name].numpy() for name in wanted}

"""Writes an ONNX graph of convolutions as ncnn's text and weights, normalisations folded and rectifiers fused."""

from collections import Counter
from pathlib import Path

import numpy
import onnx
from onnx import helper, numpy_helper


class Untranslatable(Exception):
    """A node for which ncnn has no layer."""


class NcnnWriter:
    """One pass over the nodes in their order; a value that several layers read is split, as ncnn demands."""

    def __init__(self, model: onnx.ModelProto):
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.shapes = {info.name: [dimension.dim_value for dimension in info.type.tensor_type.shape.dim]
                       for info in [*graph.input, *graph.value_info, *graph.output]}
        self.nodes = list(graph.node)
        self.names = [info.name for info in graph.input if info.name not in self.constants]
        self.result = graph.output[0].name
        self.readers = Counter(name for node in self.nodes for name in node.input if name)
        self.by_input = {name: node for node in self.nodes for name in node.input}
        self.lines, self.weights, self.alias, self.pending, self.skipped = [], [], {}, {}, set()
        self.blobs = 0

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The files net.param and net.bin."""
        for name in self.names:
            self.layer("Input", [], name, "")
        for node in self.nodes:
            if node.output[0] not in self.skipped and node.op_type not in ("Shape", "Constant"):
                getattr(self, f"write_{node.op_type}", self.refuse)(node, attributes_of(node))
        text = "\n".join(["7767517", f"{len(self.lines)} {self.blobs}", *self.lines]) + "\n"
        (folder / "net.param").write_text(text)
        (folder / "net.bin").write_bytes(b"".join(self.weights))
        return folder / "net.param", folder / "net.bin"

    def refuse(self, node, _) -> None:
        raise Untranslatable(f"{node.op_type} is not translated for ncnn")

    def take(self, name: str) -> str:
        """The blob that this reader of a value gets."""
        name = self.alias.get(name, name)
        return self.pending[name].pop(0) if name in self.pending else name

    def layer(self, kind: str, inputs: list[str], outputs, fields: str, written: str = "") -> None:
        """One layer. `written` is the name under which its (only) output is read, where that differs."""
        outputs = [outputs] if isinstance(outputs, str) else outputs
        read = [self.take(name) for name in inputs]
        self.lines.append(" ".join([kind, f"l{len(self.lines)}", str(len(read)), str(len(outputs)), *read, *outputs,
                                    fields]).rstrip())
        self.blobs += len(outputs)
        for name in outputs:
            self.alias[written or name] = name
            count = self.readers[written or name]
            if count > 1:
                parts = [f"{name}_split{k}" for k in range(count)]
                self.lines.append(" ".join(["Split", f"l{len(self.lines)}", "1", str(count), name, *parts]))
                self.blobs += count
                self.pending[name] = parts

    def store(self, weight, bias) -> None:
        """Weights behind a zero tag (they follow as float32), then the bias."""
        self.weights += [b"\0\0\0\0", weight.astype(numpy.float32).tobytes(), bias.astype(numpy.float32).tobytes()]

    def fused(self, node, weight, bias):
        """Folds a normalisation and a rectifier that alone read the result; returns where it is read then."""
        last, rectified = node.output[0], 0
        after = self.by_input.get(last)
        if after is not None and after.op_type == "BatchNormalization" and self.readers[last] == 1:
            gamma, beta, mean, variance = (self.constants[name].astype(numpy.float64) for name in after.input[1:])
            scale = gamma / numpy.sqrt(variance + attributes_of(after).get("epsilon", 1e-5))
            weight, bias = weight * scale[:, None, None, None], (bias - mean) * scale + beta
            last = after.output[0]
            self.skipped.add(last)
            after = self.by_input.get(last)
        if after is not None and after.op_type == "Relu" and self.readers[last] == 1:
            last, rectified = after.output[0], 1
            self.skipped.add(last)
        return weight, bias, last, rectified

    def write_Conv(self, node, attributes, deformable=False):  # noqa: N802
        weight = self.constants[node.input[1]]
        place = 3 if deformable else 2
        given = node.input[place] if len(node.input) > place else ""
        bias = self.constants[given] if given else numpy.zeros(len(weight))
        group = attributes.get("group", 1)
        if deformable and (group > 1 or attributes.get("offset_group", 1) > 1):
            raise Untranslatable("ncnn's deformable convolution has one group")
        weight, bias, last, rectified = self.fused(node, weight, bias)
        pads, strides = attributes.get("pads", [0] * 4), attributes.get("strides", [1, 1])
        dilations = attributes.get("dilations", [1, 1])
        numbers = {0: len(weight), 1: weight.shape[3], 11: weight.shape[2], 2: dilations[1], 12: dilations[0],
                   3: strides[1], 13: strides[0], 4: pads[1], 14: pads[0], 15: pads[3], 16: pads[2], 5: 1,
                   6: weight.size, 9: rectified}
        kind, inputs = ("Convolution" if group == 1 else "ConvolutionDepthWise"), [node.input[0]]
        if group > 1:
            numbers[7] = group
        if deformable:
            kind, inputs = "DeformableConv2D", [node.input[0], node.input[2], *node.input[4:]]
        self.store(weight, bias)
        self.layer(kind, inputs, last, " ".join(f"{key}={number}" for key, number in numbers.items()))

    def write_DeformConv(self, node, attributes):  # noqa: N802
        self.write_Conv(node, attributes, deformable=True)

    def write_Gemm(self, node, attributes):  # noqa: N802
        weight, bias = self.constants[node.input[1]], self.constants[node.input[2]]
        self.store(weight, bias)
        self.layer("InnerProduct", [node.input[0]], node.output[0], f"0={len(weight)} 1=1 2={weight.size}")

    def write_MaxPool(self, node, attributes):  # noqa: N802
        kernel, pads = attributes["kernel_shape"], attributes.get("pads", [0] * 4)
        strides = attributes.get("strides", [1, 1])
        self.layer("Pooling", list(node.input), node.output[0], f"0=0 1={kernel[1]} 11={kernel[0]} 2={strides[1]} "
                   f"12={strides[0]} 3={pads[1]} 13={pads[0]} 14={pads[3]} 15={pads[2]} 5=1")

    def write_GlobalAveragePool(self, node, attributes):  # noqa: N802
        self.layer("Pooling", list(node.input), node.output[0], "0=1 4=1")

    def write_Flatten(self, node, attributes):  # noqa: N802
        self.layer("Flatten", list(node.input), node.output[0], "")

    def write_Relu(self, node, attributes):  # noqa: N802
        self.layer("ReLU", list(node.input), node.output[0], "")

    def write_Sigmoid(self, node, attributes):  # noqa: N802
        self.layer("Sigmoid", list(node.input), node.output[0], "")

    def write_Add(self, node, attributes):  # noqa: N802
        self.layer("BinaryOp", list(node.input), node.output[0], "0=0")

    def write_Concat(self, node, attributes):  # noqa: N802
        self.layer("Concat", list(node.input), node.output[0], "0=0")

    def write_Split(self, node, attributes):  # noqa: N802
        sizes = self.constants[node.input[1]]
        self.layer("Slice", [node.input[0]], list(node.output),
                   f"-23300={len(sizes)},{','.join(map(str, sizes))} 1=0")

    def write_Expand(self, node, attributes):  # noqa: N802
        self.resize(node, 1)

    def write_Resize(self, node, attributes):  # noqa: N802
        self.resize(node, 2)

    def resize(self, node, mode: int) -> None:
        height, width = self.shapes[node.output[0]][2:]
        self.layer("Interp", [node.input[0]], node.output[0], f"0={mode} 3={height} 4={width} 6=0")


def attributes_of(node) -> dict:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}

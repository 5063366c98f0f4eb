"""A network under construction: layers with seeded weights whose activations stay near unit size.

Each value carries the mean square that its weights make it have, so that normalisations can hold the running
statistics that a trained network would have.
"""

from collections import Counter
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    """Nodes, weights and a count of trained parameters by part ("backbone", "rpn", "head", "deformation")."""

    def __init__(self, name: str, seed: int = 0):
        self.name, self.random = name, numpy.random.default_rng(seed)
        self.nodes, self.weights = [], []
        self.inputs, self.outputs = [], []
        self.parameters, self.part = Counter(), "backbone"
        self.square = {}

    def input(self, name: str, shape, square: float = 1.0) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        self.square[name] = square
        return name

    def output(self, value: str, name: str, shape=None) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        for node in self.nodes:
            for k, written in enumerate(node.output):
                node.output[k] = name if written == value else written
            for k, read in enumerate(node.input):
                node.input[k] = name if read == value else read

    def constant(self, name: str, array, trained: bool = False) -> str:
        self.weights.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        if trained:
            self.parameters[self.part] += array.size
        return name

    def append(self, kind: str, operands, name: str, square: float = 1.0, domain: str = "", **attributes) -> str:
        """A node with one output of the same name."""
        self.nodes.append(helper.make_node(kind, operands, [name], name=name, domain=domain, **attributes))
        self.square[name] = square
        return name

    def integers(self, name: str, values) -> str:
        return self.constant(name, numpy.array(values, numpy.int64))

    def weight(self, name: str, shape, square: float) -> str:
        """Weights that give a convolution or a product the mean square `square` for input of mean square 1."""
        fan_in = int(numpy.prod(shape[1:]))
        deviation = numpy.float32((square / fan_in) ** 0.5)
        array = self.random.standard_normal(shape, numpy.float32) * deviation
        return self.constant(name, array, trained=True)

    def conv(self, name, x, channels, outputs, kernel=1, stride=1, dilation=1, bias=False, square=None, groups=1):
        """A convolution that keeps the size (before stride). Without `square` it is He's: twice the input's."""
        rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
        wanted = 2 * self.square[x] if square is None else square
        operands = [x, self.weight(f"{name}_weight", (outputs, channels // groups, rows, columns),
                                   wanted / self.square[x])]
        if bias:
            operands.append(self.constant(f"{name}_bias", numpy.zeros(outputs, numpy.float32), trained=True))
        pads = [dilation * (rows - 1) // 2, dilation * (columns - 1) // 2] * 2
        return self.append("Conv", operands, name, wanted, kernel_shape=[rows, columns], strides=[stride] * 2,
                           dilations=[dilation] * 2, pads=pads, group=groups)

    def norm(self, name, x, channels, gain=1.0) -> str:
        """A batch normalisation whose running variance is the input's mean square."""
        scale = gain * self.random.uniform(0.8, 1.2, channels).astype(numpy.float32)
        shift = 0.1 * gain * self.random.standard_normal(channels, numpy.float32)
        operands = [x, self.constant(f"{name}_gamma", scale, True), self.constant(f"{name}_beta", shift, True),
                    self.constant(f"{name}_mean", numpy.zeros(channels, numpy.float32)),
                    self.constant(f"{name}_var", numpy.full(channels, self.square[x], numpy.float32))]
        return self.append("BatchNormalization", operands, name, gain * gain, epsilon=1e-5)

    def relu(self, name, x) -> str:
        return self.append("Relu", [x], name, self.square[x] / 2)

    def dense(self, name, x, channels, outputs, square=None) -> str:
        """A fully connected layer over the flattened rest of each row."""
        wanted = 2 * self.square[x] if square is None else square
        operands = [x, self.weight(f"{name}_weight", (outputs, channels), wanted / self.square[x]),
                    self.constant(f"{name}_bias", numpy.zeros(outputs, numpy.float32), trained=True)]
        return self.append("Gemm", operands, name, wanted, transB=1)

    def deform_conv(self, name, x, channels, outputs, stride=1, dilation=1, groups=4, modulated=False, reach=1.0):
        """A 3×3 deformable convolution; its offsets, with a deviation of `reach` pixels, are a convolution of x."""
        part, self.part = self.part, "deformation"
        count = (27 if modulated else 18) * groups
        made = self.conv(f"{name}_offset", x, channels, count, 3, stride, dilation, True, reach * reach)
        operands = [x, None, made]
        if modulated:
            split = self.integers(f"{name}_split", [18 * groups, 9 * groups])
            offset, logits = f"{name}_offset_part", f"{name}_mask_part"
            self.nodes.append(helper.make_node("Split", [made, split], [offset, logits], name=f"{name}_parts", axis=1))
            operands = [x, None, offset, "", self.append("Sigmoid", [logits], f"{name}_mask")]
        self.part = part
        wanted = 2 * self.square[x]
        # Sampling between pixels averages, and the mask is about a half.
        operands[1] = self.weight(f"{name}_weight", (outputs, channels, 3, 3), 2 * (4 if modulated else 1))
        return self.append("DeformConv", operands, name, wanted, kernel_shape=[3, 3], strides=[stride] * 2,
                           dilations=[dilation] * 2, pads=[dilation] * 4, group=1, offset_group=groups)

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        domains = sorted({node.domain for node in self.nodes} - {""})
        opsets = [helper.make_opsetid("", 19), *(helper.make_opsetid(domain, 1) for domain in domains)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="paper-networks")

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.onnx"
        partial = path.with_suffix(".part")
        partial.write_bytes(self.model().SerializeToString())
        partial.rename(path)
        return path

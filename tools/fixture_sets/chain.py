"""Graphs written node by node."""

import numpy
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from references.custom import grid_sample
from references.roi import roi_align

from .build import Fixture


class GatherElements(OpRun):
    """The package's own evaluation of this operator fails for more than 64 elements along the axis."""

    op_domain = ""

    def _run(self, data, indices, axis=0):
        return (numpy.take_along_axis(data, indices, axis),)


class GridSample(OpRun):
    """The package's own evaluation knows the names of opset 20 only."""

    op_domain = ""

    def _run(self, x, grid, mode="bilinear", padding_mode="zeros", align_corners=0):
        return (grid_sample(x, grid, mode, padding_mode, bool(align_corners)).astype(x.dtype),)


class RoiAlign(OpRun):
    """The package's own evaluation fills what a node leaves out with what a later version means by it."""

    op_domain = ""

    def _run(self, x, rois, batches, output_height=1, output_width=1, sampling_ratio=0, spatial_scale=1.0, mode="avg",
             **_):
        written = {attribute.name: attribute.s for attribute in self.onnx_node.attribute}
        aligned = written.get("coordinate_transformation_mode") == b"half_pixel"
        return (roi_align(x, rois, batches, (output_height, output_width), spatial_scale, sampling_ratio,
                          aligned, mode).astype(x.dtype),)


class Chain:
    """A graph under construction: every call appends a node and returns the name of its output."""

    def __init__(self, inputs: dict[str, numpy.ndarray], opset: int = 13):
        self.inputs, self.opset = inputs, opset
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, numpy.ndarray] = {}

    def constant(self, value, kind=None) -> str:
        """An initialiser; Python integers become int64, floats float32."""
        array = numpy.asarray(value)
        if kind is None:
            kind = {"f": numpy.float32, "i": numpy.int64}[array.dtype.kind]
        name = f"c{len(self.constants)}"
        self.constants[name] = array.astype(kind)
        return name

    def append(self, kind: str, *operands, count: int = 1, **attributes):
        """One node. Operands that are no names become constants; the outputs' names, or the only one's."""
        names = [operand if isinstance(operand, str) else self.constant(operand) for operand in operands]
        results = [f"v{len(self.nodes)}" if count == 1 else f"v{len(self.nodes)}_{k}" for k in range(count)]
        self.nodes.append(helper.make_node(kind, names, results, name=f"{kind}_{len(self.nodes)}", **attributes))
        return results[0] if count == 1 else results

    def __getattr__(self, kind: str):
        if not kind[0].isupper():
            raise AttributeError(kind)
        return lambda *operands, **attributes: self.append(kind, *operands, **attributes)

    def slice(self, value, start, end, axis, step=1) -> str:
        return self.Slice(value, [start], [end], [axis], [step])

    def fixture(self, name: str, result: str, expected: numpy.ndarray | None, symbols=None) -> Fixture:
        """Ends the graph at `result`. What it computes must be `expected`; None: it is whatever it computes."""
        self.nodes[-1].output[0] = "y" if self.nodes[-1].output[0] == result else self.nodes[-1].output[0]
        probe = numpy.zeros(1 if expected is None else expected.shape, numpy.float32)
        model = Fixture(name, self.nodes, self.inputs, {"y": probe}, self.constants, {"": self.opset}).model()
        if expected is None:
            model.graph.output[0].type.tensor_type.ClearField("shape")
        computed = ReferenceEvaluator(model, new_ops=[GatherElements, GridSample, RoiAlign]).run(None, self.inputs)[0]
        if expected is not None:
            worst = numpy.abs(computed - expected).max()
            if worst > 1e-4 * max(1, numpy.abs(expected).max()):
                raise ValueError(f"{name} computes something else: {worst}")
            computed = expected.astype(numpy.float32)
        made = Fixture(name, self.nodes, self.inputs, {"y": computed}, self.constants, {"": self.opset},
                       symbols=symbols or {})
        onnx.checker.check_model(made.model())
        return made

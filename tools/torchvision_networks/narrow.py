"""Networks in float16 or bfloat16: how far a runtime may be from the same weights computed in float32.

onnxruntime's CPU provider has few kernels for these types, so PyTorch is the measure: the network's answers in
float32 are expected, and a runtime may be twice as far from them as PyTorch is in the narrow type.
"""

import copy
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn as nn

from . import exporting
from .networks import Case, example

TYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


class Narrow(nn.Module):
    """Takes and gives float32; everything in between is of the narrow type."""

    def __init__(self, network: nn.Module, dtype: torch.dtype):
        super().__init__()
        self.network, self.dtype = copy.deepcopy(network).to(dtype), dtype

    def forward(self, *inputs):
        answer = self.network(*(value.to(self.dtype) for value in inputs))
        values = answer if isinstance(answer, tuple) else (answer,)
        widened = tuple(value.float() if value.is_floating_point() else value for value in values)
        return widened if isinstance(answer, tuple) else widened[0]


def export(case: Case, network: nn.Module, exporter: str, name: str, opset: int, seed: int, folder: Path):
    """As `exporting.export`; the difference is PyTorch's own, of the narrow type from float32."""
    stem, inputs = f"{case.name}-{exporter}-{name}", example(case, seed)
    narrow = Narrow(network, TYPES[name]).eval()
    model = folder / f"{stem}.onnx"
    exporting.write_model(case, narrow, inputs, exporting.EXPORTERS[exporter], opset, model)
    refuse_faulty(onnx.load(model).graph)
    answers = exporting.torch_answers(case, copy.deepcopy(narrow.network).float(), inputs)
    made = exporting.Exported(model, folder / f"{stem}.input.npz", folder / f"{stem}.expected.npz", 0, 0)
    np.savez(made.inputs, **{key: value.numpy() for key, value in inputs.items()})
    np.savez(made.expected, **answers)
    made.nodes = len(onnx.load(model, load_external_data=False).graph.node)
    made.difference = exporting.difference(answers, exporting.torch_answers(case, narrow, inputs))
    return made


def refuse_faulty(graph: onnx.GraphProto) -> None:
    """Two faults of the exporters: the newer folds normalisations into float32 weights beside bfloat16 inputs, the
    older writes its own number of bfloat16 as the type of a Cast, where it means complex128.
    """
    wide = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    for node in graph.node:
        if node.op_type == "Conv" and set(node.input) & wide:
            raise ValueError(f"float32 weights beside narrow inputs at {node.name}")
        to = [attribute.i for attribute in node.attribute if attribute.name == "to"]
        if node.op_type == "Cast" and to == [onnx.TensorProto.COMPLEX128]:
            raise ValueError(f"a Cast to complex numbers at {node.name}")


def tolerance(made: exporting.Exported) -> float:
    """Twice PyTorch's greatest difference, for the output with the greatest magnitude."""
    with np.load(made.expected) as answers:
        scale = max(max(1.0, float(np.nanmax(np.abs(answers[name])))) for name in answers.files)
    return 2 * made.difference * scale

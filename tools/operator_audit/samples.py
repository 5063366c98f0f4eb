"""One-node samples of operators, taken from the backend tests of the onnx package."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import defs, numpy_helper

DOMAINS = ("", "ai.onnx.ml", "ai.onnx.preview", "ai.onnx.preview.training")


@dataclass
class Sample:
    """A node with its inputs: arrays, lists of arrays (sequences), or None where one is left out."""

    node: onnx.NodeProto
    graph: onnx.GraphProto
    schema: defs.OpSchema
    values: list

    @property
    def key(self) -> tuple[str, str]:
        return self.node.domain, self.node.op_type

    @property
    def has_graphs(self) -> bool:
        """Whether a graph stands inside the node."""
        return any(item.HasField("g") for item in self.node.attribute)


def read_value(path: Path, kind: onnx.TypeProto):
    """A tensor, a list for a sequence; an optional's content, None where it is empty."""
    data = path.read_bytes()
    if kind.HasField("sequence_type"):
        return [numpy_helper.to_array(item) for item in onnx.SequenceProto.FromString(data).tensor_values]
    if kind.HasField("optional_type"):
        raise ValueError("samples of optionals are left to the backend tests")
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def read_sample(folder: Path) -> Sample | None:
    """The case as a sample, if it is a single node whose inputs are all given from outside."""
    model = onnx.load(folder / "model.onnx")
    graph = model.graph
    if len(graph.node) != 1 or model.functions or graph.initializer:
        return None
    if any(value.type.HasField("optional_type") for value in graph.output):
        return None  # left to the backend tests, as optional inputs are
    node = graph.node[0]
    version = {entry.domain: entry.version for entry in model.opset_import}.get(node.domain, 0)
    try:
        schema = defs.get_schema(node.op_type, version, node.domain)
        kinds = {value.name: value.type for value in graph.input}
        data = folder / "test_data_set_0"
        given = {
            value.name: read_value(data / f"input_{place}.pb", kinds[value.name])
            for place, value in enumerate(graph.input)
        }
    except (ValueError, defs.SchemaError, FileNotFoundError):
        return None
    return Sample(node, graph, schema, [given.get(name) for name in node.input])


def samples(folder: Path) -> dict[tuple[str, str], list[Sample]]:
    """For every operator the samples that between them show each count of inputs and each attribute."""
    found: dict[tuple[str, str], list[Sample]] = {}
    shown: dict[tuple[str, str], set] = {}
    for path in sorted(folder.iterdir()):
        sample = None if "_expanded" in path.name else read_sample(path)
        if sample is None or sample.node.domain not in DOMAINS:
            continue
        marks = {("inputs", sum(value is not None for value in sample.values))}
        marks |= {("outputs", sum(bool(name) for name in sample.node.output))}
        marks |= {("attribute", attribute.name) for attribute in sample.node.attribute}
        marks |= {("version", sample.schema.since_version)}
        if not marks <= shown.setdefault(sample.key, set()):
            shown[sample.key] |= marks
            found.setdefault(sample.key, []).append(sample)
    return found


def dtype(name: str) -> np.dtype:
    """NumPy's type for a type string such as `tensor(float16)`."""
    text = name.removeprefix("seq(").removeprefix("tensor(").rstrip(")")
    code = onnx.TensorProto.DataType.Value(text.upper())
    return onnx.helper.tensor_dtype_to_np_dtype(code)


def code(name: str) -> int:
    """The standard's code for a type string."""
    text = name.removeprefix("seq(").removeprefix("tensor(").rstrip(")")
    return onnx.TensorProto.DataType.Value(text.upper())

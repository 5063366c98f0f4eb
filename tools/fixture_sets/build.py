"""Small ONNX models with their inputs and expected outputs, written as `--test-data` folders."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Fixture:
    """A model in a folder of its own.

    `inputs` are fed and stored, `constants` are initialisers, `outputs` are what a slow reference expects.
    `imports` maps domains to versions; a domain that is left out has no import, as some exporters leave it.
    """

    name: str
    nodes: list[onnx.NodeProto]
    inputs: dict[str, numpy.ndarray]
    outputs: dict[str, numpy.ndarray]
    constants: dict[str, numpy.ndarray] = field(default_factory=dict)
    imports: dict[str, int] = field(default_factory=lambda: {"": 19})
    # Computed in floats with a result near zero: the smallest magnitude that the usual tolerance bears.
    smallest: float = 5e-4
    # Symbols of extents, by input, in the place of numbers.
    symbols: dict[str, tuple] = field(default_factory=dict)

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [value_info(name, array, self.symbols.get(name)) for name, array in self.inputs.items()],
            [value_info(name, array, self.symbols and [None] * array.ndim)
             for name, array in self.outputs.items()],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in self.imports.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="generate-fixtures")

    def write(self, folder: Path) -> None:
        """Writes model.onnx and test_data_set_0 beneath `folder`, replacing what was there."""
        for name, array in self.outputs.items():
            values = numpy.abs(array[(array != 0) & numpy.isfinite(array)]) if array.dtype.kind == "f" else []
            if len(values) and values.min() < self.smallest:
                raise ValueError(f"{self.name}: {name} holds {values.min()}, too near zero to compare")
        place = folder / self.name
        shutil.rmtree(place, ignore_errors=True)
        data = place / "test_data_set_0"
        data.mkdir(parents=True)
        (place / "model.onnx").write_bytes(self.model().SerializeToString(deterministic=True))
        for kind, arrays in (("input", self.inputs), ("output", self.outputs)):
            for position, (name, array) in enumerate(arrays.items()):
                tensor = numpy_helper.from_array(array, name)
                (data / f"{kind}_{position}.pb").write_bytes(tensor.SerializeToString(deterministic=True))


def value_info(name: str, array: numpy.ndarray, symbols=None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), symbols or array.shape)


def single(name, spelling, operands, results, attributes=None, *, fed=(), imports=None, **extra) -> Fixture:
    """A fixture of one node. `spelling` is "domain::Type"; `operands` maps input names to arrays in node order
    (None: an empty name); those in `fed` (default: the first) are graph inputs, the others initialisers. float64
    results become float32."""
    domain, _, kind = spelling.rpartition("::")
    names = ["" if array is None else key for key, array in operands.items()]
    present = {key: array for key, array in operands.items() if array is not None}
    fed = fed or [next(iter(present))]
    node = helper.make_node(kind, names, list(results), name=name, domain=domain)
    for key, value in (attributes or {}).items():
        node.attribute.append(helper.make_attribute(key, value))
    outputs = {key: as_stored(array) for key, array in results.items()}
    if imports is None:
        imports = {"": 19} | ({domain: 1} if domain else {})
    return Fixture(name, [node], {key: present[key] for key in present if key in fed}, outputs,
                   {key: array for key, array in present.items() if key not in fed}, imports, **extra)


def as_stored(array) -> numpy.ndarray:
    """Float64 answers in the type of the model."""
    array = numpy.asarray(array)
    return array.astype(numpy.float32) if array.dtype == numpy.float64 else array


def eighths(seed: int, *shape: int, low: float = -2, high: float = 2) -> numpy.ndarray:
    """Random multiples of 1/8: products and sums of a few are exact in float32, in any order."""
    generator = numpy.random.default_rng(seed)
    return (generator.integers(round(low * 8), round(high * 8) + 1, shape) / 8).astype(numpy.float32)


def scattered(seed: int, *shape: int, low: float = 0.5, high: float = 3) -> numpy.ndarray:
    """Random floats in a range."""
    return numpy.random.default_rng(seed).uniform(low, high, shape).astype(numpy.float32)


__all__ = ["Fixture", "TensorProto", "as_stored", "eighths", "helper", "numpy", "scattered", "single"]

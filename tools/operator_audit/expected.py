"""What a model should answer: by onnxruntime, else by the standard's reference evaluator."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from .variants import Variant

RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}


@dataclass
class Answer:
    """The expected outputs and whose they are; no outputs where nobody can say."""

    source: str
    outputs: list | None


def expected(variant: Variant) -> Answer:
    if variant.is_beyond:
        return Answer("nobody (types beyond the standard)", None)
    node = variant.model.graph.node[0]
    if node.op_type in RANDOM or (node.op_type == "Dropout" and len(node.input) > 2):
        return Answer("nobody (random)", None)
    names = [item.name for item in variant.model.graph.input]
    given = dict(zip(names, variant.values, strict=True))
    # The reference evaluator has most operators in their newest definition only.
    judges = [("onnxruntime", by_onnxruntime), ("reference", by_reference)][: 1 + variant.is_newest]
    for source, ask in judges:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                outputs = ask(variant.model, given)
                stated = [item.type for item in variant.model.graph.output]
                if all(fits(value, kind) for value, kind in zip(outputs, stated, strict=True)):
                    return Answer(source, outputs)
        except Exception:  # Both raise exceptions of every kind for what they lack.
            continue
    return Answer("nobody", None)


def fits(value, kind: onnx.TypeProto) -> bool:
    """Whether a rival's answer has the type that the standard says."""
    if not kind.HasField("tensor_type"):
        return isinstance(value, list)
    wanted = helper.tensor_dtype_to_np_dtype(kind.tensor_type.elem_type)
    return isinstance(value, np.ndarray) and (value.dtype == wanted or value.dtype.kind in "OU")


def by_onnxruntime(model: onnx.ModelProto, given: dict) -> list:
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, given)


def by_reference(model: onnx.ModelProto, given: dict) -> list:
    return [
        value if isinstance(value, list) else np.asarray(value)
        for value in ReferenceEvaluator(model).run(None, given)
    ]


def write_value(path: Path, value) -> None:
    """A tensor, or a list as a sequence."""
    if isinstance(value, list):
        made = numpy_helper.from_list([writable(np.asarray(item)) for item in value])
    else:
        made = numpy_helper.from_array(writable(value))
    path.write_bytes(made.SerializeToString())


def writable(value: np.ndarray) -> np.ndarray:
    """The array in one piece, whatever stands for strings made text."""
    if value.dtype.kind in "OU":
        return np.array([str(item) for item in value.ravel()], dtype=object).reshape(value.shape)
    return np.ascontiguousarray(value).reshape(value.shape)


def write_case(folder: Path, variant: Variant, answer: Answer) -> None:
    """The model with its data as `dcn-run --test-data` reads them."""
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(variant.model, folder / "model.onnx")
    for place, value in enumerate(variant.values):
        write_value(data / f"input_{place}.pb", value)
    for place, value in enumerate(answer.outputs or []):
        write_value(data / f"output_{place}.pb", value)

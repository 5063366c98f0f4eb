"""A network as ONNX by either of PyTorch's exporters, with its input and onnxruntime's answers beside it."""

import contextlib
import io
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn as nn

from .networks import Case, example

EXPORTERS = {"torchscript": False, "dynamo": True}


@dataclass
class Exported:
    """A model file, what goes in, what onnxruntime answers, and how far PyTorch is from that."""

    model: Path
    inputs: Path
    expected: Path
    nodes: int
    difference: float


def export(case: Case, network: nn.Module, exporter: str, opset: int, seed: int, folder: Path) -> Exported:
    """Writes NAME.onnx, NAME.input.npz, NAME.expected.npz; raises what exporter and runtime raise."""
    stem, inputs = f"{case.name}-{exporter}", example(case, seed)
    model = folder / f"{stem}.onnx"
    write_model(case, network, inputs, EXPORTERS[exporter], opset, model)
    arrays = {name: value.numpy() for name, value in inputs.items()}
    answers = onnxruntime_answers(case, model, arrays)
    made = Exported(model, folder / f"{stem}.input.npz", folder / f"{stem}.expected.npz", 0, 0)
    np.savez(made.inputs, **arrays)
    np.savez(made.expected, **answers)
    made.nodes = len(onnx.load(model, load_external_data=False).graph.node)
    made.difference = difference(answers, torch_answers(case, network, inputs))
    return made


def write_model(case: Case, network: nn.Module, inputs: dict, dynamo: bool, opset: int, path: Path) -> None:
    """Calls the exporter and keeps its narration off the terminal."""
    # Without gradients attention would take a fused path that the TorchScript exporter does not know.
    torch.backends.mha.set_fastpath_enabled(False)
    options = {"external_data": False, "verbose": False} if dynamo else {"do_constant_folding": True}
    with warnings.catch_warnings(), quiet(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            path,
            dynamo=dynamo,
            opset_version=opset,
            input_names=list(inputs),
            output_names=list(case.outputs),
            **options,
        )


@contextlib.contextmanager
def quiet():
    """Keeps what Python prints and logs off the terminal."""
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


def torch_answers(case: Case, network: nn.Module, inputs: dict) -> dict[str, np.ndarray]:
    with torch.no_grad():
        answer = network(*inputs.values())
    values = answer if isinstance(answer, tuple) else (answer,)
    return {name: value.numpy() for name, value in zip(case.outputs, values, strict=True)}


def onnxruntime_answers(case: Case, path: Path, inputs: dict) -> dict[str, np.ndarray]:
    """What onnxruntime answers; raises unless every number is finite and some output varies."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    answers = dict(zip(names, session.run(names, inputs), strict=True))
    if not all(np.isfinite(value).all() for value in answers.values()):
        raise ValueError("an answer is not finite")
    if not any(value.size > 1 and value.std() > 1e-3 for value in answers.values()):
        raise ValueError("the answers say nothing")
    return answers


def difference(answers: dict, others: dict) -> float:
    """The greatest difference, as a share of the output's greatest magnitude (at least 1).

    Infinite when names, shapes, types or the places of NaN differ.
    """
    if set(answers) != set(others):
        return float("inf")
    worst = 0.0
    for name, one in answers.items():
        other = others[name]
        if one.shape != other.shape or one.dtype != other.dtype or (np.isnan(one) != np.isnan(other)).any():
            return float("inf")
        if one.size:
            scale = max(1.0, float(np.nanmax(np.abs(one))))
            gap = np.abs(one.astype(np.float64) - other.astype(np.float64))
            worst = max(worst, float(np.nanmax(gap)) / scale)
    return worst

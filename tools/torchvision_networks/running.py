"""Runs exported networks with `dcn-run` and says how close it comes to onnxruntime."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .exporting import Exported, difference

SECONDS = 300


@dataclass
class Verdict:
    """Whether `dcn-run` agrees, its difference (None without an answer), and what it said."""

    passed: bool
    difference: float | None
    said: str


def run(command: Path, exported: Exported, rtol: float, atol: float) -> Verdict:
    """`dcn-run MODEL --input … --expect …`; the difference is measured on the outputs that it wrote."""
    with np.load(exported.inputs) as inputs:
        names = inputs.files
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.npz"
        arguments = [command, exported.model, "--quiet", "--rtol", str(rtol), "--atol", str(atol)]
        arguments += [part for name in names for part in ("--input", f"{name}={exported.inputs}")]
        arguments += ["--expect", exported.expected, "-o", answer]
        try:
            done = subprocess.run(
                arguments, capture_output=True, text=True, errors="replace", timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return Verdict(False, None, f"no answer in {SECONDS} s")
        gap = measured(exported.expected, answer) if answer.exists() else None
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return Verdict(done.returncode == 0, gap, f"exit {done.returncode}: {said[0] if said else ''}")


def measured(expected: Path, answer: Path) -> float:
    with np.load(expected) as one, np.load(answer) as other:
        return difference(dict(one), dict(other))

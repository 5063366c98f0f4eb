"""One model through `dcn-run`."""

import subprocess
from pathlib import Path

import onnx

from .expected import Answer

# What answers can be held to where a type of this name is among the operands.
LOOSE = {"float16": 4e-3, "bfloat16": 3e-2, "float8": 0.3, "float4": 0.3}


def run_case(command: str, folder: Path, answer: Answer, types: str, step: float = 0) -> str:
    """What it said where it failed or differs by more than rounding and a step, else nothing."""
    model = folder / "model.onnx"
    bound = max([1e-3, *(bound for kind, bound in LOOSE.items() if kind in types)])
    if answer.outputs is None:
        arguments = []
        for place, item in enumerate(onnx.load(model).graph.input):
            arguments += ["--input", f"{item.name}={folder / 'test_data_set_0' / f'input_{place}.pb'}"]
    else:
        arguments = ["--test-data", str(folder), "--rtol", str(bound), "--atol", str(max(step, min(bound, 1e-2)))]
    try:
        done = subprocess.run(
            [command, str(model), "--threads", "1", *arguments], capture_output=True, timeout=60
        )
    except subprocess.TimeoutExpired:
        return "no answer after 60 s"
    if done.returncode == 0:
        return ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    shown = [line for line in done.stdout.decode(errors="replace").splitlines() if "MISMATCH" in line]
    return f"exit {done.returncode}: {' '.join((said or shown)[:2])}".replace(f"{folder}/", "")

"""Runs conformance cases through `dcn-run --test-data` and keeps the list of those known not to pass."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Outcome:
    """What became of one case; `message` is the first line of stderr when it did not pass."""

    case: dict
    passed: bool
    message: str = ""


def run_case(command: list[str], folder: Path, case: dict, timeout: float) -> Outcome:
    """One case in a process of its own."""
    place = folder / case["suite"] / case["name"]
    arguments = [
        *command, str(place / "model.onnx"), "--test-data", str(place), "--threads", "1",
        "--rtol", str(case["rtol"]), "--atol", str(case["atol"]),
    ]  # fmt: skip
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return Outcome(case, False, f"no answer after {timeout:g} s")
    if done.returncode == 0:
        return Outcome(case, True)
    return Outcome(case, False, f"exit {done.returncode}: {reason(done).replace(f'{place}/', '')}")


def reason(done: subprocess.CompletedProcess) -> str:
    """What a run said: the first line of stderr, with the operators named below it; else the output that differs."""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    if said:
        return " ".join([said[0], *(line.strip() for line in said[1:3] if done.returncode == 3)])
    shown = done.stdout.decode(errors="replace").strip().splitlines()
    return next((line for line in shown if "MISMATCH" in line), "no message")


def run_all(command: list[str], folder: Path, cases: list[dict], jobs: int, timeout: float, progress):
    """All cases, `jobs` at once, in their order."""
    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(lambda case: run_case(command, folder, case, timeout), cases):
            outcomes.append(outcome)
            progress(len(outcomes), len(cases))
    return outcomes


def read_known(path: Path) -> dict[str, str]:
    """The cases known not to pass with the reason of each: lines `suite/name  reason`, `#` opens a comment."""
    known = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            if not reason.strip():
                raise SystemExit(f"{path}: '{name}' has no reason")
            known[name] = reason.strip()
    return known


def full_name(case: dict) -> str:
    return f"{case['suite']}/{case['name']}"

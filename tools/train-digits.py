#!/usr/bin/env python3
"""Trains the deformable digit detector and its plain twin, measures both, and writes fixtures/digits.

    tools/train-digits.py                    everything (about 15 minutes on two cores)
    tools/train-digits.py --seeds 7 8 9      more seeds for the comparison; the first one gives the fixture
    tools/train-digits.py --check            only the check of the training form against torchvision

Nothing but packages is downloaded: the digits come with scikit-learn. Two runs on one machine give the same
network; another machine or PyTorch may round otherwise and arrive at slightly different numbers. Exits 1
when the deformable detector is worse than promised.
"""

import argparse
import sys
from pathlib import Path

from python_environment import require

DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "digits"
PACKAGES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "pillow",
    "torch",
    "torchvision",
    "onnx",
    "onnxscript",
    "onnxruntime",
)
LEAST = {"mAP@0.5": 0.9, "mAP@0.75": 0.88}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, help="folder to write (fixtures/digits)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7], help="each trains both kinds (7)")
    parser.add_argument("--steps", type=int, default=2100, help="batches of 16 scenes (%(default)s)")
    parser.add_argument("--scenes", type=int, default=6000, help="training scenes (%(default)s)")
    parser.add_argument("--held-out", type=int, default=500, help="scenes to measure on (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="(%(default)s; others may round otherwise)")
    parser.add_argument("--opset", type=int, default=19, help="19 or newer: before, there is no DeformConv")
    parser.add_argument("--check", action="store_true", help="only compare with torchvision")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    require(*PACKAGES)
    from digits import workflow

    workflow.check_training_form(options.threads)
    if options.check:
        return
    metrics = workflow.measure(options)["seeds"][0]["deformable"]
    for name, least in LEAST.items():
        if metrics[name] < least:
            sys.exit(f"{name} is {metrics[name]:.3f}, promised {least}")


if __name__ == "__main__":
    main()

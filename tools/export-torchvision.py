#!/usr/bin/env python3
"""Exports torchvision's networks with seeded random weights at small sizes, and compares runtimes on them.

    tools/export-torchvision.py OUT                       exports, asks onnxruntime, compares it with PyTorch
    tools/export-torchvision.py OUT --run DCN-RUN         and runs each model with dcn-run against onnxruntime
    tools/export-torchvision.py OUT --run DCN-RUN --only 'resnet|vit' --exporter dynamo
    tools/export-torchvision.py OUT --run DCN-RUN --type bfloat16 --only classification

OUT gets NETWORK-EXPORTER.onnx, .input.npz and .expected.npz (3 GB for all). Prints one line for each network
and exporter: nodes, PyTorch against onnxruntime, dcn-run against onnxruntime (greatest difference as a share
of the output's greatest magnitude). Networks that an exporter can't export are named with its reason. Exits 1
when dcn-run fails or differs. With --type float16 or bfloat16 the answers in float32 stand for onnxruntime's,
and dcn-run may be twice as far from them as PyTorch is in that type.
"""

import argparse
import re
import sys
from pathlib import Path

from python_environment import require


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--run", type=Path, metavar="DCN-RUN", help="the built command to compare")
    parser.add_argument("--only", metavar="REGEX", default="", help="networks or kinds whose name matches")
    parser.add_argument("--exporter", choices=("torchscript", "dynamo"), help="only this one")
    parser.add_argument("--type", choices=("float32", "float16", "bfloat16"), default="float32")
    parser.add_argument("--opset", type=int, default=18, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="of weights and inputs (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch and onnxruntime (%(default)s)")
    parser.add_argument("--rtol", type=float, default=1e-3, help="for dcn-run (%(default)s)")
    parser.add_argument("--atol", type=float, default=1e-3, help="for dcn-run (%(default)s)")
    parser.add_argument("--remove", action="store_true", help="remove each model once it was compared")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    require("numpy", "torch", "torchvision", "onnx", "onnxscript", "onnxruntime")
    import torch

    from torchvision_networks import networks

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"{'network':42}{'nodes':>6}{'torch-ort':>11}{'dcn-ort':>11}  result", flush=True)
    chosen = [case for case in networks.CASES if re.search(options.only, f"{case.name} {case.kind}")]
    counts = {"passed": 0, "failed": 0, "exported": 0, "not exported": 0}
    for case in chosen:
        for result in compare(case, options):
            counts[result] += 1
    print(", ".join(f"{count} {result}" for result, count in counts.items() if count))
    sys.exit(1 if counts["failed"] or not chosen else 0)


def compare(case, options):
    """Exports a network each way, runs it and prints a line; yields what came of each."""
    from torchvision_networks import exporting, narrow, running, seeding

    network = seeding.build(case, options.seed)
    for exporter in [options.exporter] if options.exporter else exporting.EXPORTERS:
        name = f"{case.name} {exporter}"
        try:
            made = export(case, network, exporter, options)
        except Exception as error:  # The exporters raise types of every kind.
            print(f"{name:42}{'':28}  not exported: {reason(error)}", flush=True)
            yield "not exported"
            continue
        line, result, remark = f"{name:42}{made.nodes:6}{made.difference:11.1e}", "exported", ""
        if options.run:
            narrow_type = options.type != "float32"
            rtol, atol = (0, narrow.tolerance(made)) if narrow_type else (options.rtol, options.atol)
            verdict = running.run(options.run, made, rtol, atol)
            result = "passed" if verdict.passed else "failed"
            gap = "" if verdict.difference is None else f"{verdict.difference:.1e}"
            line, remark = f"{line}{gap:>11}", "" if verdict.passed else f": {verdict.said}"
        else:
            line = f"{line}{'':11}"
        print(f"{line}  {result}{remark}", flush=True)
        if options.remove:
            for path in (made.model, made.inputs, made.expected):
                path.unlink()
        yield result


def export(case, network, exporter: str, options: argparse.Namespace):
    from torchvision_networks import exporting, narrow

    if options.type == "float32":
        return exporting.export(case, network, exporter, options.opset, options.seed, options.out)
    return narrow.export(case, network, exporter, options.type, options.opset, options.seed, options.out)


def reason(error: BaseException) -> str:
    """The innermost cause in one short line."""
    while error.__cause__:
        error = error.__cause__
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:160]


if __name__ == "__main__":
    main()

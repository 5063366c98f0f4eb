"""What `train-digits.py` does, in order: check, train, measure, export, write down."""

import json
import sys
from argparse import Namespace

import torch

from . import evaluation, export, network, scenes, training

HELD_OUT_SEED = 1007
KEPT_PICTURES = 20
KINDS = {"deformable": True, "plain": False}


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def check_training_form(threads: int) -> None:
    """Fixes the number of threads and raises unless training and export compute the same convolution."""
    torch.set_num_threads(threads)
    network.check_sampled_convolution()
    say("the training form of DeformConv equals torchvision.ops.deform_conv2d")


def measure(options: Namespace) -> dict:
    """Trains both kinds for each seed, writes the fixture after the first and metrics.json after each."""
    options.out.mkdir(parents=True, exist_ok=True)
    tests = scenes.make_scenes(HELD_OUT_SEED, options.held_out, held_out=True)
    metrics = {"held out": {"seed": HELD_OUT_SEED, "pictures": options.held_out}, "seeds": []}
    for seed in options.seeds:
        trained, row = train_both(seed, tests, options)
        metrics["seeds"].append(row)
        if seed == options.seeds[0]:
            metrics["fixture"] = write_fixture(trained["deformable"], tests[:KEPT_PICTURES], options)
        (options.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    return metrics


def train_both(seed: int, tests: list, options: Namespace) -> tuple[dict, dict]:
    """The deformable and the plain network of a seed, trained alike, and how well each does."""
    recipe = training.Recipe(seed=seed, scenes=options.scenes, steps=options.steps)
    lessons, trained, row = training.make_lessons(recipe), {}, {"seed": seed}
    for kind, deformable in KINDS.items():
        name = f"seed {seed}, {kind}"
        trained[kind] = training.train(lessons, recipe, deformable, lambda line: say(f"{name}: {line}"))
        answers = export.answers_of_torch(network.Detector(trained[kind]).eval(), tests)
        row[kind] = evaluation.mean_average_precision(answers, tests)
        row[kind]["parameters"] = sum(parameter.numel() for parameter in trained[kind].parameters())
        say(f"{name}: {json.dumps(row[kind])}")
    return trained, row


def write_fixture(trained: network.Network, tests: list, options: Namespace) -> dict:
    """Exports the detector, writes pictures, truth and expected answers; returns their metrics."""
    path = options.out / "digits.onnx"
    export.export(trained, path, options.opset)
    answers = export.answers_of_torch(network.Detector(trained).eval(), tests)
    others = export.answers_of_onnxruntime(path, tests, options.threads)
    export.write_pictures(tests, options.out)
    export.write_expected(answers, options.out / "expected.npz")
    metrics = {
        "pictures": len(tests),
        "bytes": path.stat().st_size,
        "opset": options.opset,
        "PyTorch": evaluation.mean_average_precision(answers, tests),
        "onnxruntime": evaluation.mean_average_precision(others, tests),
        "greatest difference between them, scores over 0.05": export.compare(answers, others, 0.05),
    }
    say(json.dumps(metrics))
    return metrics

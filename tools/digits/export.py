"""From a trained network to a file that any ONNX runtime reads, and fixtures that say what it answers."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image

from .network import Detector, Network
from .scenes import SIDE, Scene

OUTPUTS = ("boxes", "scores", "labels")


def as_input(scenes: list[Scene]) -> np.ndarray:
    """The pictures as the network takes them: N x 3 x S x S, float32, 0...1."""
    stacked = np.stack([scene.image for scene in scenes]).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(stacked, dtype=np.float32) / np.float32(255)


def separate(outputs: list[np.ndarray]) -> list[tuple]:
    """Batched outputs as one tuple of arrays per picture."""
    return list(zip(*outputs))


def answers_of_torch(detector: Detector, scenes: list[Scene], batch: int = 25) -> list[tuple]:
    """What PyTorch answers for each scene: boxes, scores, labels."""
    answers = []
    for begin in range(0, len(scenes), batch):
        with torch.no_grad():
            outputs = detector(torch.from_numpy(as_input(scenes[begin : begin + batch])))
        answers += separate([output.numpy() for output in outputs])
    return answers


def answers_of_onnxruntime(path: Path, scenes: list[Scene], threads: int, batch: int = 7) -> list[tuple]:
    """What onnxruntime answers, in batches of another size than the exported one, the last one smaller."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    answers = []
    for begin in range(0, len(scenes), batch):
        answers += separate(session.run(list(OUTPUTS), {"image": as_input(scenes[begin : begin + batch])}))
    return answers


def export(network: Network, path: Path, opset: int) -> None:
    """Writes the detector as ONNX with native DeformConv, free batch and weights inside; checks the file."""
    example = torch.zeros(2, 3, SIDE, SIDE)
    torch.onnx.export(
        Detector(network).eval(),
        (example,),
        path,
        dynamo=True,
        opset_version=opset,
        input_names=["image"],
        output_names=list(OUTPUTS),
        external_data=False,
        dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
        verbose=False,
    )
    model = without_traces(onnx.load(path))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without the exporter's notes, which hold paths and source lines of the machine it ran on."""
    for message in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        if hasattr(message, "metadata_props"):
            del message.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    return model


def compare(answers: list[tuple], others: list[tuple], above: float) -> dict:
    """Greatest differences between two runtimes' answers among boxes scored over `above`."""
    box, score, counted, reordered = 0.0, 0.0, 0, 0
    for (boxes, scores, labels), (boxes2, scores2, labels2) in zip(answers, others, strict=True):
        kept = scores > above
        counted += int(kept.sum())
        if not np.array_equal(labels[kept], labels2[kept]):
            reordered += 1
            continue
        box = max(box, float(np.abs(boxes[kept] - boxes2[kept]).max(initial=0)))
        score = max(score, float(np.abs(scores[kept] - scores2[kept]).max(initial=0)))
    return {"boxes": counted, "pictures in other order": reordered, "box": box, "score": score}


def write_pictures(scenes: list[Scene], folder: Path) -> None:
    """The scenes as scene-00.png ... and truth.json with their boxes and labels."""
    truth = []
    for number, scene in enumerate(scenes):
        name = f"scene-{number:02d}.png"
        Image.fromarray(scene.image).save(folder / name, optimize=True)
        boxes = [[int(value) for value in box] for box in scene.boxes]
        truth.append({"picture": name, "boxes": boxes, "labels": [int(label) for label in scene.labels]})
    lines = ",\n".join("  " + json.dumps(entry) for entry in truth)
    (folder / "truth.json").write_text(f"[\n{lines}\n]\n")


def write_expected(answers: list[tuple], path: Path) -> None:
    """PyTorch's outputs of all pictures, stacked in the order of truth.json."""
    stacked = {name: np.stack(values) for name, values in zip(OUTPUTS, zip(*answers))}
    np.savez_compressed(path, **stacked)

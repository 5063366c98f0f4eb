"""The forward time of each deformable network over that of its plain form, beside the paper's."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy
from built_command import built_command

from . import checking, paper

# Seconds that the paper prints, plain and deformable.
SECONDS = {
    ("deeplab", "cityscapes"): (0.610, 0.656),
    ("deeplab", "voc"): (0.084, 0.088),
    ("rpn", "voc"): (0.142, 0.152),
    ("faster-rcnn", "voc"): (0.147, 0.192),
    ("rfcn", "voc"): (0.143, 0.169),
}
# What plain convolutions may be: direct sums only, or Winograd's forms where they are faster.
FORMS = {"exact": "direct", "default": "fastest"}


def written(network, folder: Path) -> tuple[dict[str, Path], Path]:
    """The compiled graphs of a network by accuracy, and a folder of its inputs."""
    source, graphs = network.write(folder), {}
    for accuracy in FORMS:
        graphs[accuracy] = folder / f"{network.name}-{accuracy}.dcn"
        subprocess.run([built_command("dcn-convert", True), str(source), "-o", str(graphs[accuracy]),
                        "--accuracy", accuracy, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    source.unlink()
    inputs = folder / f"{network.name}-inputs"
    inputs.mkdir()
    size = [each.dim_value for each in network.inputs[0].type.tensor_type.shape.dim][2:]
    numpy.save(inputs / "data.npy", checking.picture(size))
    if len(network.inputs) > 1:
        numpy.save(inputs / "im_info.npy", numpy.array([[*size, 1.6]], numpy.float32))
    return graphs, inputs


def ahead_of_others() -> list[str]:
    """What starts a command so that other programs hardly disturb it, where that is allowed: it is for root. Linux
    shares time among sessions first (autogroups), so that niceness alone does nothing for a session."""
    if os.geteuid():
        return []
    script = 'if [ -w /proc/self/autogroup ]; then echo -20 >/proc/self/autogroup; fi; exec nice -n -20 "$@"'
    alone = ["setsid", "-w"] if shutil.which("setsid") else []
    return [*alone, "sh", "-c", script, "sh"]


def samples(graph: Path, inputs: Path, threads: int, repeat: int) -> list[float]:
    """Milliseconds of some runs, after one that is not counted."""
    command = [built_command(release_only=True), str(graph), "--threads", str(threads), "--repeat", str(repeat), "--json"]
    for path in inputs.iterdir():
        command += ["--input", f"{path.stem}={path}"]
    done = subprocess.run([*ahead_of_others(), *command], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["samples_ms"]


def measure(names: list[str], threads: list[int], rounds: int, repeat: int = 3) -> None:
    """Prints a row for each network and number of threads: the least and the median of all samples."""
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; milliseconds, least (median) of "
          f"{rounds} rounds of {repeat}, plain and deformable in turn\n")
    print("| network | threads | convolutions | plain | deformable | ratio | paper |\n"
          "| --- | --- | --- | --- | --- | --- | --- |")
    for (kind, classes), seconds in SECONDS.items():
        if names and not any(name in f"{kind}-{classes}" for name in names):
            continue
        with tempfile.TemporaryDirectory() as name:
            pair = [written(network, Path(name)) for network in paper.both(kind, classes)]
            for count in threads:
                for accuracy, form in FORMS.items():
                    taken = [[], []]
                    for _ in range(rounds):
                        for (graphs, inputs), times in zip(pair, taken, strict=True):
                            times += samples(graphs[accuracy], inputs, count, repeat)
                    plain, deformable = map(min, taken)
                    medians = [statistics.median(times) for times in taken]
                    print(f"| {kind}-{classes} | {count} | {form} | {plain:.0f} ({medians[0]:.0f}) | "
                          f"{deformable:.0f} ({medians[1]:.0f}) | {deformable / plain:.3f} "
                          f"({medians[1] / medians[0]:.3f}) | {seconds[1] / seconds[0]:.3f} |", flush=True)

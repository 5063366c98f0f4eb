#!/usr/bin/env python3
"""Builds the networks of the deformable convolution papers as ONNX files with seeded weights.

    tools/paper-networks.py                          the table of parameters beside the paper's; writes nothing
    tools/paper-networks.py OUT --network rfcn --deformable res5abc --deformable-pool --classes coco
    tools/paper-networks.py OUT --all                the paper's eight pairs, plain and deformable
    tools/paper-networks.py OUT --bench              the networks that speed is measured on

A file holds up to 250 MB of weights. Deformable layers are ONNX DeformConv-19, position-sensitive pooling and
proposals are of the domain org.apache.mxnet. With `--outside-rois` the regions are an input [R, 5], which lets
two heads be compared on the same ones; im_info, otherwise, is (height, width, scale).
"""

import argparse
import sys
from pathlib import Path

from python_environment import require

require("numpy", "onnx")
from networks import bench, heads  # noqa: E402
from networks.inception import aligned_inception_resnet  # noqa: E402
from networks.network import Network  # noqa: E402
from networks.resnet import Options  # noqa: E402

CLASSES = {"voc": 21, "coco": 81, "cityscapes": 19}
# What the paper prints, in millions: plain, deformable.
PAPER = {
    ("deeplab", "cityscapes"): (46.0, 46.1),
    ("rpn", "voc"): (46.0, 46.1),
    ("faster-rcnn", "voc"): (58.3, 59.9),
    ("rfcn", "voc"): (47.1, 49.5),
}
PAIRS = [("deeplab", "voc"), ("deeplab", "cityscapes"), ("rpn", "voc"), ("rpn", "coco"), ("faster-rcnn", "voc"),
         ("faster-rcnn", "coco"), ("rfcn", "voc"), ("rfcn", "coco")]
DETECTORS = {"faster-rcnn": heads.faster_rcnn, "rfcn": heads.rfcn}
SEGMENTS = {"deeplab": heads.deeplab, "rpn": heads.class_aware_rpn}


def usual_size(network: str, classes: str) -> tuple[int, int]:
    """The picture sizes of the paper's timings."""
    if network == "deeplab":
        return (1024, 2048) if classes == "cityscapes" else (360, 480)
    return 600, 1000


def build(network, classes, options: Options, pool=False, size=None, regions=300, outside_rois=False, seed=0):
    """One of the paper's networks; the name says what was chosen."""
    size = size or usual_size(network, classes)
    parts = [network, classes, "deformable" if options.deformable else "", "pool" if pool else ""]
    made = Network("-".join(part for part in parts if part), seed)
    if network in SEGMENTS:
        SEGMENTS[network](made, size, options, CLASSES[classes])
    else:
        DETECTORS[network](made, size, options, CLASSES[classes], regions, pool, outside_rois)
    return made


def both(network, classes, **more):
    """The plain and the fully deformable form."""
    yield build(network, classes, Options(), **more)
    yield build(network, classes, Options(Options.blocks("res5abc")), pool=network in DETECTORS, **more)


def print_table() -> None:
    """Trained parameters in millions, by part, and the paper's totals."""
    print(f"{'network':34}{'backbone':>9}{'rpn':>7}{'head':>7}{'deform':>8}{'sum':>7}{'paper':>7}")
    for network, classes in PAIRS:
        for number, made in enumerate(both(network, classes, size=(64, 64))):
            counts = [made.parameters[part] / 1e6 for part in ("backbone", "rpn", "head", "deformation")]
            paper = PAPER.get((network, classes))
            row = "".join(f"{count:{width}.1f}" for count, width in zip(counts, (9, 7, 7, 8), strict=True))
            printed = f"{paper[number]:.1f}" if paper else ""
            print(f"{made.name:34}{row}{sum(counts):7.1f}{printed:>7}")
    made = Network("aligned-inception-resnet")
    aligned_inception_resnet(made, made.input("data", [1, 3, 64, 64]))
    print(f"{made.name:34}{made.parameters['backbone'] / 1e6:9.1f}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, help="where the files go")
    parser.add_argument("--network", choices=[*SEGMENTS, *DETECTORS, "aligned-inception-resnet"])
    parser.add_argument("--classes", choices=CLASSES, default="voc")
    parser.add_argument("--deformable", default="", metavar="BLOCKS",
                        help="res5c, res5bc, res5abc, res4b20-22, joined by commas; or c3-c5")
    parser.add_argument("--dilation", type=int, default=2, choices=(2, 4, 6, 8), help="of stage 5")
    parser.add_argument("--groups", type=int, default=4, help="offset groups (%(default)s)")
    parser.add_argument("--modulated", action="store_true", help="the second version, with masks")
    parser.add_argument("--deformable-pool", action="store_true", help="deformable RoI pooling")
    parser.add_argument("--size", type=int, nargs=2, metavar=("H", "W"), help="default: the paper's")
    parser.add_argument("--regions", type=int, default=300, help="proposals (%(default)s)")
    parser.add_argument("--outside-rois", action="store_true", help="regions are an input")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="all pairs, plain and deformable")
    parser.add_argument("--bench", action="store_true", help="the networks of the speed targets")
    return parser.parse_args()


def chosen(options: argparse.Namespace):
    """The networks that the options ask for."""
    common = {"regions": options.regions, "outside_rois": options.outside_rois, "seed": options.seed}
    size = tuple(options.size) if options.size else None
    if options.all:
        for network, classes in PAIRS:
            yield from both(network, classes, size=size, **common)
    if options.bench:
        for name, make in bench.NETWORKS.items():
            made = Network(name, options.seed)
            make(made, size or bench.SIZES.get(name, (600, 1000)))
            yield made
    if options.network == "aligned-inception-resnet":
        made = Network(options.network, options.seed)
        features = aligned_inception_resnet(made, made.input("data", [1, 3, *(size or (600, 1000))]))
        made.output(features, "features", [1, 2048, None, None])
        yield made
    elif options.network:
        layers = Options(Options.blocks(options.deformable), options.dilation, False, options.modulated,
                         options.groups)
        yield build(options.network, options.classes, layers, options.deformable_pool, size, **common)


def main() -> int:
    options = arguments()
    if not options.folder:
        print_table()
        return 0
    if not (options.network or options.all or options.bench):
        sys.exit("say which: --network, --all or --bench")
    for made in chosen(options):
        path = made.write(options.folder)
        print(f"{path}  {sum(made.parameters.values()) / 1e6:.1f} M parameters, {path.stat().st_size >> 20} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

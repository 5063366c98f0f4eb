#!/usr/bin/env python3
"""Builds the networks of the deformable convolution papers as ONNX files with seeded weights.

    tools/paper-networks.py                          the table of parameters beside the paper's; writes nothing
    tools/paper-networks.py OUT --network rfcn --deformable res5abc --deformable-pool --classes coco
    tools/paper-networks.py OUT --all                the paper's eight pairs, plain and deformable
    tools/paper-networks.py OUT --bench              the networks that speed is measured on
    tools/paper-networks.py --check [NAME …]         runs them at full size, against torch in float64
    tools/paper-networks.py --overhead               times each deformable one against its plain form

A file holds up to 250 MB of weights. Deformable layers are ONNX DeformConv-19, position-sensitive pooling and
proposals are of the domain org.apache.mxnet. With `--outside-rois` the regions are an input [R, 5], which lets
two heads be compared on the same ones; im_info, otherwise, is (height, width, scale).
"""

import argparse
import sys
from pathlib import Path

from python_environment import require

require("numpy", "onnx")
from networks import bench  # noqa: E402
from networks.network import Network  # noqa: E402
from networks.paper import (CLASSES, DETECTORS, LAST, PAIRS, SEGMENTS, backbone, both, build,  # noqa: E402
                            print_table)
from networks.resnet import Options  # noqa: E402

def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, help="where the files go")
    parser.add_argument("--network", choices=[*SEGMENTS, *DETECTORS, "aligned-inception-resnet"])
    parser.add_argument("--backbone", choices=LAST, default="resnet101")
    parser.add_argument("--classes", choices=CLASSES, default="voc")
    parser.add_argument("--deformable", default="", metavar="BLOCKS",
                        help="res5c, res5bc, res5abc, res4b20-22, joined by commas; c3-c5; or irb5, of the aligned backbone")
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
    parser.add_argument("--check", nargs="*", metavar="NAME", help="compare with torch (parts of names; default: all)")
    parser.add_argument("--overhead", nargs="*", metavar="NAME", help="time plain and deformable forms in turn")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1], help="with --overhead (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="with --overhead (%(default)s)")
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
    layers = Options(Options.blocks(options.deformable), options.dilation, False, options.modulated,
                     options.groups, options.backbone)
    if options.network == "aligned-inception-resnet":
        yield backbone(size or (600, 1000), layers, options.seed)
    elif options.network:
        yield build(options.network, options.classes, layers, options.deformable_pool, size, **common)


def main() -> int:
    options = arguments()
    if options.check is not None:
        require("torch", "torchvision")
        from networks import checking

        return 0 if checking.check(options.check) else 1
    if options.overhead is not None:
        from networks import overhead

        overhead.measure(options.overhead, options.threads, options.rounds)
        return 0
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

"""The systems of the paper by name, and its table of parameters."""

from . import heads
from .inception import aligned_inception_resnet
from .network import Network
from .resnet import Options

CLASSES = {"voc": 21, "coco": 81, "cityscapes": 19}
# What the paper prints, in millions: plain, deformable.
PAPER = {
    ("deeplab", "cityscapes"): (46.0, 46.1),
    ("deeplab", "voc"): (46.0, 46.1),
    ("rpn", "voc"): (46.0, 46.1),
    ("faster-rcnn", "voc"): (58.3, 59.9),
    ("rfcn", "voc"): (47.1, 49.5),
}
PAIRS = [("deeplab", "voc"), ("deeplab", "cityscapes"), ("rpn", "voc"), ("rpn", "coco"), ("faster-rcnn", "voc"),
         ("faster-rcnn", "coco"), ("rfcn", "voc"), ("rfcn", "coco")]
DETECTORS = {"faster-rcnn": heads.faster_rcnn, "rfcn": heads.rfcn}
SEGMENTS = {"deeplab": heads.deeplab, "rpn": heads.class_aware_rpn}
# The last layers with more than one tap, which the paper deforms.
LAST = {"resnet101": "res5abc", "aligned-inception-resnet": "irb5"}


def usual_size(network: str, classes: str) -> tuple[int, int]:
    """The picture sizes of the paper's timings."""
    if network == "deeplab":
        return (1024, 2048) if classes == "cityscapes" else (360, 480)
    return 600, 1000


def build(network, classes, options: Options, pool=False, size=None, regions=300, outside_rois=False, seed=0):
    """One of the paper's networks; the name says what was chosen."""
    size = size or usual_size(network, classes)
    parts = [network, classes, "aligned" if options.backbone != "resnet101" else "",
             "deformable" if options.deformable else "", "pool" if pool else ""]
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


def backbone(size, options: Options, seed=0) -> Network:
    """Aligned-Inception-ResNet alone, with the features of its last stage."""
    made = Network("aligned-inception-resnet" + ("-deformable" if options.deformable else ""), seed)
    features = aligned_inception_resnet(made, made.input("data", [1, 3, *size]), options)[-1]
    made.output(features, "features", [1, 2048, None, None])
    return made


# What three of four offset groups have in res5a, b and c: 54 filters of 3×3×512 and a bias, three times.
THREE_GROUPS = 3 * 54 * (512 * 9 + 1)
# The last layer of a classifier with 1000 classes, which the paper counts with Aligned-Inception-ResNet.
CLASSIFIER = 2049 * 1000


def print_table() -> None:
    """Trained parameters in millions, by part, the sum with one offset group instead of four, and the paper's totals."""
    print(f"{'millions of parameters':34}{'backbone':>9}{'rpn':>6}{'head':>6}{'deform':>8}{'sum':>7}{'1 group':>9}"
          f"{'paper':>7}")
    for network, classes in PAIRS:
        for number, made in enumerate(both(network, classes, size=(64, 64))):
            counts = [made.parameters[part] / 1e6 for part in ("backbone", "rpn", "head", "deformation")]
            row = "".join(f"{count:{width}.1f}" for count, width in zip(counts, (9, 6, 6, 8), strict=True))
            one = f"{sum(counts) - THREE_GROUPS / 1e6:.1f}" if number else ""
            paper = PAPER.get((network, classes))
            printed = f"{paper[number]:.1f}" if paper else ""
            print(f"{made.name:34}{row}{sum(counts):7.1f}{one:>9}{printed:>7}")
    trained = backbone((64, 64), Options()).parameters["backbone"]
    print(f"{'aligned-inception-resnet':34}{trained / 1e6:9.1f}{CLASSIFIER / 1e6:12.1f}"
          f"{(trained + CLASSIFIER) / 1e6:15.1f}{64.3:16.1f}")

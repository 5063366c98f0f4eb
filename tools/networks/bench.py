"""The networks that speed is measured on: ResNet-101 plain and deformable, DeepLabV3."""

from .network import Network
from .resnet import Options, resnet101


def classifier(n: Network, size, options: Options) -> None:
    """The backbone with mean and 1000 classes."""
    x = n.input("data", [1, 3, *size])
    y = resnet101(n, x, options)[-1]
    n.part = "head"
    y = n.append("GlobalAveragePool", [y], "pool5", n.square[y] / 2)
    y = n.append("Flatten", [y], "flat", n.square[y])
    n.output(n.dense("fc1000", y, 2048, 1000), "scores", [1, 1000])


def deeplab_v3(n: Network, size, classes: int = 21) -> None:
    """Stride 8, parallel dilations 12, 24 and 36 beside a 1×1 and the mean, one fusing 3×3."""
    x = n.input("data", [1, 3, *size])
    y = resnet101(n, x, Options(stride8=True))[-1]
    n.part = "head"

    def layer(name, value, channels, kernel=1, dilation=1):
        made = n.conv(name, value, channels, 256, kernel, 1, dilation)
        return n.relu(f"{name}_relu", n.norm(f"{name}_bn", made, 256))

    branches = [layer("aspp0", y, 2048)]
    branches += [layer(f"aspp{k}", y, 2048, 3, 12 * k) for k in (1, 2, 3)]
    mean = n.append("GlobalAveragePool", [y], "aspp_mean", n.square[y] / 2)
    mean = layer("aspp4", mean, 2048)
    place = n.append("Shape", [branches[0]], "aspp_shape")
    branches.append(n.append("Expand", [mean, place], "aspp4_everywhere", n.square[mean]))
    y = n.append("Concat", branches, "aspp", n.square[branches[0]], axis=1)
    y = layer("fuse", layer("project", y, 1280), 256, 3)
    y = n.conv("score", y, 256, classes, bias=True, square=4.0)
    target = n.integers("image_size", [1, classes, *size])
    y = n.append("Resize", [y, "", "", target], "upsampled", mode="linear",
                 coordinate_transformation_mode="half_pixel")
    n.output(y, "scores", [1, classes, *size])


NETWORKS = {
    "resnet101": lambda n, size: classifier(n, size, Options(dilation=1)),
    "resnet101-dcn-v1-res5": lambda n, size: classifier(
        n, size, Options(Options.blocks("res5abc"), groups=1)
    ),
    "resnet101-dcn-v2-c3-c5": lambda n, size: classifier(
        n, size, Options(Options.blocks("c3-c5"), dilation=1, modulated=True, groups=1)
    ),
    "deeplabv3-r101": deeplab_v3,
}
SIZES = {"deeplabv3-r101": (513, 513)}

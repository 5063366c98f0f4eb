"""ResNet-101 as the detectors of the papers use it: stem, four stages of bottlenecks, no classifier."""

from dataclasses import dataclass, field

from .network import Network

STAGES = {2: (3, 64), 3: (4, 128), 4: (23, 256), 5: (3, 512)}


def block_names(stage: int) -> list[str]:
    """The blocks of a stage by their usual names: res5a, res5b, res5c; res4a, res4b1 … res4b22."""
    count = STAGES[stage][0]
    if stage in (3, 4):
        return [f"res{stage}a", *(f"res{stage}b{k}" for k in range(1, count))]
    return [f"res{stage}{'abc'[k]}" for k in range(count)]


@dataclass
class Options:
    """Which blocks are deformable and how. `dilation` belongs to stage 5; it keeps stride 16 unless 1."""

    deformable: set[str] = field(default_factory=set)
    dilation: int = 2
    stride8: bool = False
    modulated: bool = False
    groups: int = 4
    backbone: str = "resnet101"

    @staticmethod
    def blocks(text: str) -> set[str]:
        """Block names from `res5abc`, `res5bc`, `res5c`, `res4b20-22` joined by commas, `c3-c5` or `irb5`."""
        chosen = {
            "": [], "res5c": ["res5c"], "res5bc": ["res5b", "res5c"], "res5abc": block_names(5),
            "res4b20-22": ["res4b20", "res4b21", "res4b22"],
            "irb5": ["irb5_1", "irb5_2", "irb5_3"],
            "c3-c5": [name for stage in (3, 4, 5) for name in block_names(stage)],
        }  # fmt: skip
        return {name for piece in text.split(",") for name in chosen[piece]}


def resnet101(n: Network, x: str, options: Options):
    """Returns the outputs of stages 2 to 5 (256, 512, 1024 and 2048 channels)."""
    y = n.relu("conv1_relu", n.norm("bn_conv1", n.conv("conv1", x, 3, 64, 7, 2), 64))
    y = n.append("MaxPool", [y], "pool1", 2 * n.square[y], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels, answers = 64, []
    for stage in (2, 3, 4, 5):
        stride, dilation = (1 if stage == 2 else 2), 1
        if stage == 5 and options.dilation > 1:
            stride, dilation = 1, options.dilation
        if stage >= 4 and options.stride8:
            stride, dilation = 1, 2 ** (stage - 3)
        for position, name in enumerate(block_names(stage)):
            y = bottleneck(n, name, y, channels, STAGES[stage][1], stride if position == 0 else 1, dilation, options)
            channels = 4 * STAGES[stage][1]
        answers.append(y)
    return answers


def bottleneck(n: Network, name, x, channels, width, stride, dilation, options: Options):
    """1×1, 3×3 (perhaps deformable), 1×1, and the shortcut; the stride lies in the 3×3."""
    outputs, shortcut = 4 * width, x
    if stride > 1 or channels != outputs:
        shortcut = n.norm(f"bn{name}_branch1", n.conv(f"{name}_branch1", x, channels, outputs, 1, stride), outputs)
    y = n.conv(f"{name}_branch2a", x, channels, width)
    y = n.relu(f"{name}_branch2a_relu", n.norm(f"bn{name}_branch2a", y, width))
    if name in options.deformable:
        y = n.deform_conv(f"{name}_branch2b", y, width, width, stride, dilation, options.groups, options.modulated)
    else:
        y = n.conv(f"{name}_branch2b", y, width, width, 3, stride, dilation)
    y = n.relu(f"{name}_branch2b_relu", n.norm(f"bn{name}_branch2b", y, width))
    y = n.norm(f"bn{name}_branch2c", n.conv(f"{name}_branch2c", y, width, outputs), outputs, gain=0.3)
    total = n.append("Add", [shortcut, y], name, n.square[shortcut] + n.square[y])
    # A sum of rectified values is positive for the most part: rectifying it again takes little away.
    return n.append("Relu", [total], f"{name}_relu", n.square[total] * (0.5 if shortcut != x else 0.95))

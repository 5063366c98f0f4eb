"""Aligned-Inception-ResNet: residual blocks of parallel branches, every layer centred on its pixel.

The paper gives the stages (a 7×7 stem and a pool; 3, 4, 23 and 3 blocks of 256, 512, 1024 and 2048 channels), says
that a block holds parallel 1×1 and 3×3 layers, whose results are joined and brought to full width by a 1×1, and
counts 64.3 M parameters. The widths of the branches are ours: two of them, with one and with two 3×3 layers, sized
so that the sum comes near that count.
"""

from .network import Network
from .resnet import Options

STAGES = ((2, 3, 256), (3, 4, 512), (4, 23, 1024), (5, 3, 2048))


def layer(n: Network, name, x, channels, outputs, kernel=1, stride=1, dilation=1):
    """Convolution, normalisation, rectifier."""
    made = n.conv(name, x, channels, outputs, kernel, stride, dilation)
    return n.relu(f"{name}_relu", n.norm(f"bn_{name}", made, outputs))


def square(n: Network, name, x, width, stride, dilation, options: Options):
    """A 3×3 layer, deformable where its block is."""
    if name.rsplit("_", 1)[0] not in options.deformable:
        return layer(n, name, x, width, width, 3, stride, dilation)
    made = n.deform_conv(name, x, width, width, stride, dilation, options.groups, options.modulated)
    return n.relu(f"{name}_relu", n.norm(f"bn_{name}", made, width))


def block(n: Network, name, x, channels, outputs, stride, dilation, options: Options):
    """One 3×3 beside two in a row, joined, 1×1, added to the shortcut."""
    wide, narrow, shortcut = outputs // 4, outputs // 8, x
    if channels != outputs:
        made = n.conv(f"{name}_shortcut", x, channels, outputs, 1, stride)
        shortcut = n.norm(f"bn_{name}_shortcut", made, outputs)
    first = layer(n, f"{name}_a1", x, channels, wide)
    first = square(n, f"{name}_a2", first, wide, stride, dilation, options)
    second = layer(n, f"{name}_b1", x, channels, narrow)
    second = square(n, f"{name}_b2", second, narrow, stride, dilation, options)
    second = square(n, f"{name}_b3", second, narrow, 1, dilation, options)
    joined = n.append("Concat", [first, second], f"{name}_joined", n.square[first], axis=1)
    made = n.norm(f"bn_{name}_out", n.conv(f"{name}_out", joined, wide + narrow, outputs), outputs, gain=0.3)
    total = n.append("Add", [shortcut, made], name, n.square[shortcut] + n.square[made])
    return n.append("Relu", [total], f"{name}_relu", n.square[total] * (0.5 if shortcut != x else 0.95))


def aligned_inception_resnet(n: Network, x: str, options: Options) -> list[str]:
    """The outputs of stages 2 to 5 (256, 512, 1024 and 2048 channels); the last has stride 16 and dilation."""
    y = layer(n, "conv1", x, 3, 64, 7, 2)
    y = n.append("MaxPool", [y], "pool1", 2 * n.square[y], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels, answers = 64, []
    for stage, count, outputs in STAGES:
        for k in range(count):
            stride = 2 if k == 0 and stage in (3, 4) else 1
            y = block(n, f"irb{stage}_{k + 1}", y, channels, outputs, stride,
                      options.dilation if stage == 5 else 1, options)
            channels = outputs
        answers.append(y)
    return answers

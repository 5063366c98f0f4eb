"""The detector: a small residual network with five deformable convolutions and CenterNet's two heads."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import deform_conv2d

from .scenes import CLASSES

STRIDE = 4  # pixels of the picture per cell of the heads
BOXES = 32  # boxes answered per picture


def sampled_convolution(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, stride: int) -> Tensor:
    """`deform_conv2d` of a 3x3 kernel with padding 1, as one `grid_sample` and one product.

    Equal in value; its backward pass on a CPU is about ten times as fast.
    """
    batch, _, height, width = x.shape
    rows, columns = offset.shape[2:]
    offset = offset.reshape(batch, 9, 2, rows, columns)
    tap_y, tap_x = torch.arange(9) // 3 - 1, torch.arange(9) % 3 - 1
    y = offset[:, :, 0] + (torch.arange(rows) * stride).view(1, 1, rows, 1) + tap_y.view(1, 9, 1, 1)
    x_at = offset[:, :, 1] + (torch.arange(columns) * stride).view(1, 1, 1, columns) + tap_x.view(1, 9, 1, 1)
    grid = torch.stack((x_at * (2 / (width - 1)) - 1, y * (2 / (height - 1)) - 1), -1)
    grid = grid.reshape(batch, 9 * rows, columns, 2)
    taps = F.grid_sample(x.contiguous(), grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    taps = taps.reshape(batch, -1, 9, rows, columns) * mask.unsqueeze(1)
    product = torch.matmul(weight.flatten(1), taps.reshape(batch, -1, rows * columns))
    return product.reshape(batch, -1, rows, columns)


class PlainConvolution(nn.Conv2d):
    """An ordinary 3x3 convolution without bias."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__(inputs, outputs, 3, stride, 1, bias=False)
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")


class DeformableConvolution(nn.Module):
    """A 3x3 DeformConv v2: offsets and mask come from a convolution of the same input that begins as zero."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        self.offset = nn.Conv2d(inputs, 27, 3, stride, 1)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)

    def forward(self, x):
        steering = self.offset(x)
        offset, mask = steering[:, :18], torch.sigmoid(steering[:, 18:])
        if self.training:
            return sampled_convolution(x, offset, mask, self.weight, self.stride)
        return deform_conv2d(x, offset, self.weight, None, stride=self.stride, padding=1, mask=mask)


class NormalisedConvolution(nn.Sequential):
    """Convolution, batch normalisation, rectifier."""

    def __init__(self, inputs, outputs, stride=1, convolution=PlainConvolution):
        super().__init__(convolution(inputs, outputs, stride), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class ResidualBlock(nn.Module):
    """Two convolutions added to their input; the second is of the kind given."""

    def __init__(self, channels, convolution=PlainConvolution):
        super().__init__()
        self.first = NormalisedConvolution(channels, channels)
        self.second = convolution(channels, channels)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.relu(x + self.norm(self.second(self.first(x))))


class Network(nn.Module):
    """Picture (N x 3 x S x S, 0...1) to heat map (N x 10 x S/4 x S/4, logits) and boxes (N x 4 x S/4 x S/4).

    The four box channels are width and height in cells and the centre's place within its cell.
    With `deformable` false the same architecture has ordinary convolutions in the same five places.
    """

    def __init__(self, deformable=True, widths=(16, 32, 64, 96), head=48):
        super().__init__()
        bending = DeformableConvolution if deformable else PlainConvolution
        half, quarter, eighth, sixteenth = widths
        self.to_half = NormalisedConvolution(3, half, 2)
        self.to_quarter = nn.Sequential(NormalisedConvolution(half, quarter, 2), ResidualBlock(quarter))
        self.to_eighth = nn.Sequential(
            NormalisedConvolution(quarter, eighth, 2), ResidualBlock(eighth), ResidualBlock(eighth, bending)
        )
        self.to_sixteenth = nn.Sequential(
            NormalisedConvolution(eighth, sixteenth, 2),
            ResidualBlock(sixteenth, bending),
            ResidualBlock(sixteenth, bending),
        )
        self.up_to_eighth = NormalisedConvolution(sixteenth, eighth, convolution=bending)
        self.beside_eighth = nn.Conv2d(eighth, eighth, 1)
        self.up_to_quarter = NormalisedConvolution(eighth, head, convolution=bending)
        self.beside_quarter = nn.Conv2d(quarter, head, 1)
        self.merge = NormalisedConvolution(head, head)
        self.before_heat = NormalisedConvolution(head, head)
        self.before_box = NormalisedConvolution(head, head)
        self.heat, self.box = nn.Conv2d(head, CLASSES, 1), nn.Conv2d(head, 4, 1)
        self._begin_heads()

    def _begin_heads(self):
        """Heads begin by saying: nothing anywhere, and a box of common size."""
        nn.init.constant_(self.heat.bias, -3.5)
        nn.init.normal_(self.heat.weight, 0, 0.01)
        nn.init.normal_(self.box.weight, 0, 0.01)
        with torch.no_grad():
            self.box.bias.copy_(torch.tensor([6.0, 7.0, 0.5, 0.5]))

    def forward(self, image):
        quarter = self.to_quarter(self.to_half((image - 0.5) * 4))
        eighth = self.to_eighth(quarter)
        x = self.up_to_eighth(self.to_sixteenth(eighth))
        x = F.interpolate(x, scale_factor=2.0, mode="nearest") + self.beside_eighth(eighth)
        x = self.up_to_quarter(F.relu(x))
        x = F.interpolate(x, scale_factor=2.0, mode="nearest") + self.beside_quarter(quarter)
        x = self.merge(F.relu(x))
        return self.heat(self.before_heat(x)), self.box(self.before_box(x))


class Detector(nn.Module):
    """Network and decoding: image -> boxes (N x 32 x 4, pixels), scores (N x 32), labels (N x 32, int64)."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        heat, box = self.network(image)
        width, cells = heat.shape[3], heat.shape[2] * heat.shape[3]
        heat = heat.sigmoid()
        peaks = heat * (F.max_pool2d(heat, 3, 1, 1) == heat).to(heat.dtype)
        scores, place = peaks.flatten(1).topk(BOXES)
        # In floats: integer // and % are exported as chains of Less, Mod, And and Cast.
        place = place.to(heat.dtype)
        label = torch.floor((place + 0.5) * (1 / cells))
        cell = place - label * cells
        row = torch.floor((cell + 0.5) * (1 / width))
        column = cell - row * width
        where = cell.to(torch.int64).unsqueeze(1).expand(-1, 4, -1)
        w, h, inner_x, inner_y = box.flatten(2).gather(2, where).unbind(1)
        x, y = column + inner_x, row + inner_y
        boxes = torch.stack((x - w / 2, y - h / 2, x + w / 2, y + h / 2), 2) * STRIDE
        return boxes, scores, label.to(torch.int64)


def check_sampled_convolution() -> None:
    """Raises unless `sampled_convolution` equals `deform_conv2d`, in value and in all four gradients."""
    random = torch.Generator().manual_seed(1)

    def noise(*shape: int, scale: float = 1) -> Tensor:
        return (torch.randn(shape, generator=random, dtype=torch.float64) * scale).requires_grad_()

    cases = ((2, 3, 5, 7, 9, 1), (1, 4, 2, 8, 6, 2), (3, 1, 1, 2, 2, 1))
    for batch, inputs, outputs, height, width, stride in cases:
        rows, columns = (height - 1) // stride + 1, (width - 1) // stride + 1
        x, weight = noise(batch, inputs, height, width), noise(outputs, inputs, 3, 3)
        offset, mask = noise(batch, 18, rows, columns, scale=3), noise(batch, 9, rows, columns)
        ours = sampled_convolution(x, offset, mask, weight, stride)
        theirs = deform_conv2d(x, offset, weight, None, stride=stride, padding=1, mask=mask)
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
        upstream = noise(*ours.shape)
        variables = (x, offset, mask, weight)
        for mine, yours in zip(
            torch.autograd.grad(ours, variables, upstream), torch.autograd.grad(theirs, variables, upstream)
        ):
            torch.testing.assert_close(mine, yours, rtol=1e-8, atol=1e-8)

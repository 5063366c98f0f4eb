"""Deformable convolution and the weightless aggregation of DCNv3 and DCNv4."""

import math

import numpy

from .sampling import clamp_inside, zero_corner


def output_size(size, kernel, stride, dilation, before, after):
    return (size + before + after - (dilation * (kernel - 1) + 1)) // stride + 1


def deform_conv(x, weight, offset, bias=None, mask=None, *, strides=(1, 1), pads=(0, 0, 0, 0),
                dilations=(1, 1), group=1, offset_group=1, border="zero"):
    """y[o, p] = bias[o] + Σ weight[o, c, k] · mask[g(c), k, p] · x[c, p·stride − pad + k·dilation + offset[g(c), k, p]]

    x [N, C, H, W], weight [O, C/group, kH, kW], offset [N, offset_group·kH·kW·2, oH, oW] with (y, x) per tap,
    mask [N, offset_group·kH·kW, oH, oW], pads (top, left, bottom, right); `border` is "zero" or "clamp".
    """
    x, weight, offset = (numpy.asarray(array, numpy.float64) for array in (x, weight, offset))
    sample = {"zero": zero_corner, "clamp": clamp_inside}[border]
    batch, channels, height, width = x.shape
    outputs, _, rows, columns = weight.shape
    taps, share = rows * columns, channels // offset_group
    out_h = output_size(height, rows, strides[0], dilations[0], pads[0], pads[2])
    out_w = output_size(width, columns, strides[1], dilations[1], pads[1], pads[3])
    shift = offset.reshape(batch, offset_group, taps, 2, out_h, out_w)
    if mask is None:
        mask = numpy.ones((batch, offset_group * taps, out_h, out_w))
    weigh = numpy.asarray(mask, numpy.float64).reshape(batch, offset_group, taps, out_h, out_w)
    sampled = numpy.zeros((batch, channels, taps, out_h, out_w))
    for n, g, t, oy, ox in numpy.ndindex(batch, offset_group, taps, out_h, out_w):
        i, j = divmod(t, columns)
        y = oy * strides[0] - pads[0] + i * dilations[0] + shift[n, g, t, 0, oy, ox]
        u = ox * strides[1] - pads[1] + j * dilations[1] + shift[n, g, t, 1, oy, ox]
        part = slice(g * share, (g + 1) * share)
        sampled[n, part, t, oy, ox] = weigh[n, g, t, oy, ox] * sample(x[n, part], y, u)
    grouped = sampled.reshape(batch, group, channels // group, taps, out_h, out_w)
    kernels = weight.reshape(group, outputs // group, channels // group, taps)
    answer = numpy.einsum("gock,ngckhw->ngohw", kernels, grouped).reshape(batch, outputs, out_h, out_w)
    return answer if bias is None else answer + numpy.asarray(bias, numpy.float64)[:, None, None]


def deform_aggregate(x, offset, mask, *, kernel, strides=(1, 1), pads=(0, 0), dilations=(1, 1), group=1,
                     offset_scale=1.0, remove_center=False):
    """DCNv3: a masked sum of samples per group, without weights; everything lies channels last.

    x [N, H, W, C]; offset [N, oH, oW, group·K·2] with (x, y) per tap; mask [N, oH, oW, group·K]. The taps run
    column by column; with `remove_center` the middle one has no entry.
    """
    x, offset, mask = (numpy.asarray(array, numpy.float64) for array in (x, offset, mask))
    batch, height, width, channels = x.shape
    rows, columns = kernel
    out_h = output_size(height, rows, strides[0], dilations[0], pads[0], pads[0])
    out_w = output_size(width, columns, strides[1], dilations[1], pads[1], pads[1])
    middle_y, middle_x = dilations[0] * (rows - 1) // 2, dilations[1] * (columns - 1) // 2
    taps = [(i, j) for i in range(columns) for j in range(rows)
            if not (remove_center and i == columns // 2 and j == rows // 2)]
    shift = offset.reshape(batch, out_h, out_w, group, len(taps), 2)
    weigh = mask.reshape(batch, out_h, out_w, group, len(taps))
    planes = x.transpose(0, 3, 1, 2)
    share = channels // group
    answer = numpy.zeros((batch, out_h, out_w, channels))
    for n, oy, ox, g in numpy.ndindex(batch, out_h, out_w, group):
        part = slice(g * share, (g + 1) * share)
        for t, (i, j) in enumerate(taps):
            u = ox * strides[1] - pads[1] + middle_x
            u += offset_scale * (i * dilations[1] - middle_x + shift[n, oy, ox, g, t, 0])
            y = oy * strides[0] - pads[0] + middle_y
            y += offset_scale * (j * dilations[0] - middle_y + shift[n, oy, ox, g, t, 1])
            answer[n, oy, ox, part] += weigh[n, oy, ox, g, t] * zero_corner(planes[n, part], y, u)
    return answer


def split_offset_mask(offset_mask, group, taps):
    """DCNv4's one tensor [N, H, W, D] as offset [N, H, W, group·taps·2] and mask [N, H, W, group·taps]."""
    used = offset_mask[..., : group * taps * 3]
    blocks = used.reshape(*offset_mask.shape[:-1], group, taps * 3)
    offset = blocks[..., : 2 * taps].reshape(*offset_mask.shape[:-1], group * taps * 2)
    return offset, blocks[..., 2 * taps :].reshape(*offset_mask.shape[:-1], group * taps)


def offset_mask_width(group, taps):
    """The last extent of DCNv4's tensor: three values per tap, filled up to a multiple of eight."""
    return math.ceil(group * taps * 3 / 8) * 8

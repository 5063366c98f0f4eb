"""The other custom operators of the mmcv and mmdeploy libraries."""

import math

import numpy

from .sampling import align, zero_corner


def unnormalise(value, size, align_corners):
    return (value + 1) / 2 * (size - 1) if align_corners else ((value + 1) * size - 1) / 2


def reflect(position, low, high):
    """Folds a coordinate back into [low, high] by mirroring at both ends."""
    if low == high:
        return 0.0
    span = high - low
    offset = abs(position - low) % (2 * span)
    return low + (offset if offset <= span else 2 * span - offset)


def padded(position, size, padding, align_corners):
    """A coordinate after `padding`: "zeros" leaves it, "border" clamps, "reflection" mirrors and clamps."""
    if padding == "border":
        return min(max(position, 0), size - 1)
    if padding == "reflection":
        low, high = (0, size - 1) if align_corners else (-0.5, size - 0.5)
        return min(max(reflect(position, low, high), 0), size - 1)
    return position


def pixel(features, y, x):
    height, width = features.shape[-2:]
    inside = 0 <= y < height and 0 <= x < width
    return features[..., int(y), int(x)] if inside else numpy.zeros(features.shape[:-2])


def cubic_weights(t, a=-0.75):
    """The four weights of cubic convolution at distance `t` past the second tap."""
    near = lambda d: ((a + 2) * d - (a + 3)) * d * d + 1  # noqa: E731
    far = lambda d: ((a * d - 5 * a) * d + 8 * a) * d - 4 * a  # noqa: E731
    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def grid_sample(x, grid, mode="bilinear", padding="zeros", align_corners=False):
    """x [N, C, H, W], grid [N, h, w, 2] of (x, y) in −1…1."""
    batch, channels, height, width = x.shape
    answer = numpy.zeros((batch, channels, *grid.shape[1:3]))
    for n, oy, ox in numpy.ndindex(*grid.shape[:3]):
        u = unnormalise(float(grid[n, oy, ox, 0]), width, align_corners)
        y = unnormalise(float(grid[n, oy, ox, 1]), height, align_corners)
        if mode == "bicubic":
            y0, x0 = math.floor(y), math.floor(u)
            for i, wy in enumerate(cubic_weights(y - y0)):
                for j, wx in enumerate(cubic_weights(u - x0)):
                    row = padded(y0 - 1 + i, height, padding, align_corners)
                    column = padded(x0 - 1 + j, width, padding, align_corners)
                    answer[n, :, oy, ox] += wy * wx * pixel(x[n], row, column)
            continue
        y, u = padded(y, height, padding, align_corners), padded(u, width, padding, align_corners)
        if mode == "nearest":
            answer[n, :, oy, ox] = pixel(x[n], numpy.round(y), numpy.round(u))
        else:
            answer[n, :, oy, ox] = zero_corner(x[n].astype(numpy.float64), y, u)
    return answer


def deformable_attention(value, shapes, starts, locations, weights):
    """Multi-scale deformable attention. value [N, S, M, D], locations [N, Q, M, L, P, 2], weights [N, Q, M, L, P]."""
    batch, _, heads, depth = value.shape
    _, queries, _, levels, points, _ = locations.shape
    answer = numpy.zeros((batch, queries, heads, depth))
    for n, m, level in numpy.ndindex(batch, heads, levels):
        height, width = map(int, shapes[level])
        rows = value[n, starts[level] : starts[level] + height * width, m].astype(numpy.float64)
        plane = rows.reshape(height, width, depth).transpose(2, 0, 1)
        for q, p in numpy.ndindex(queries, points):
            u, y = locations[n, q, m, level, p] * (width, height) - 0.5
            answer[n, q, m] += weights[n, q, m, level, p] * zero_corner(plane, y, u)
    return answer.reshape(batch, queries, heads * depth)


def referenced_attention(value, shapes, references, offsets, weights):
    """BEVFormer's form: offsets in cells about points of reference, weights before the softmax.

    references [N, Q, 1, 2·G], offsets [N, Q, M, 2·L·P], weights [N, Q, M, L·P] → [N, Q, M, D].
    """
    batch, queries, heads, count = weights.shape
    levels, depth, groups = len(shapes), value.shape[3], references.shape[3] // 2
    points = count // levels
    moves = offsets.reshape(batch, queries, heads, levels, points, 2).astype(numpy.float64)
    places = numpy.zeros_like(moves)
    for level, p in numpy.ndindex(levels, points):
        about = references[:, :, 0].reshape(batch, queries, 1, groups, 2)[..., p % groups, :]
        places[..., level, p, :] = about + moves[..., level, p, :] / shapes[level][::-1]
    shares = numpy.exp(weights.astype(numpy.float64))
    shares = (shares / shares.sum(-1, keepdims=True)).reshape(batch, queries, heads, levels, points)
    return located_attention(value, shapes, places, shares).reshape(batch, queries, heads, depth)


def located_attention(value, shapes, locations, weights):
    """`deformable_attention` of levels that lie one behind the other."""
    starts = numpy.cumsum([0, *(int(h) * int(w) for h, w in shapes[:-1])])
    return deformable_attention(value, shapes, starts, locations, weights)


def corner_pool(x, mode):
    """Running maxima: 0 from the bottom up, 1 from the top down, 2 from right to left, 3 from left to right."""
    axis, backwards = (2, 2, 3, 3)[mode], mode in (0, 2)
    turned = numpy.flip(x, axis) if backwards else x
    running = numpy.maximum.accumulate(turned, axis)
    return numpy.flip(running, axis) if backwards else running


def cumulative(x, axis, better):
    """Running extreme and its index along an axis; of equal values the later index."""
    rows = numpy.moveaxis(x, axis, -1)
    values, indices = rows.copy(), numpy.zeros(rows.shape, numpy.int64)
    for place in numpy.ndindex(*rows.shape[:-1]):
        best = 0
        for k in range(rows.shape[-1]):
            if better(rows[place][k], rows[place][best]):
                best = k
            values[place][k], indices[place][k] = rows[place][best], best
    return numpy.moveaxis(values, -1, axis), numpy.moveaxis(indices, -1, axis)


def rotated_feature_align(features, boxes, scale, points):
    """Adds samples at the centre, and with 5 points at the corners, of a turned box per pixel: (y, x, w, h, a)."""
    answer = features.astype(numpy.float64)
    for n, y, x in numpy.ndindex(*boxes.shape[:3]):
        cy, cx, w, h = (float(v) * scale for v in boxes[n, y, x, :4])
        angle = float(boxes[n, y, x, 4])
        wx, wy = math.cos(angle) * w / 2, math.sin(angle) * w / 2
        hx, hy = -math.sin(angle) * h / 2, math.cos(angle) * h / 2
        places = [(cy, cx)]
        if points == 5:
            places += [(cy + a * wy + b * hy, cx + a * wx + b * hx) for a in (1, -1) for b in (1, -1)]
        plane = features[n].astype(numpy.float64)
        answer[n, :, y, x] += sum(align(plane, *place) for place in places)
    return answer


def border_align(x, boxes, pool):
    """The largest of pool + 1 samples on each side of a box: x [N, 4C, H, W], boxes [N, K, 4] → [N, C, K, 4]."""
    batch, channels = x.shape[0], x.shape[1] // 4
    answer = numpy.zeros((batch, channels, boxes.shape[1], 4))
    for n, k in numpy.ndindex(batch, boxes.shape[1]):
        x1, y1, x2, y2 = map(float, boxes[n, k])
        w, h = (x2 - x1) / pool, (y2 - y1) / pool
        sides = [(y1, x1, 0, w), (y1, x1, h, 0), (y2, x2, 0, -w), (y2, x2, -h, 0)]
        for side, (y, u, dy, dx) in enumerate(sides):
            plane = x[n, side * channels : (side + 1) * channels].astype(numpy.float64)
            samples = [align(plane, y + i * dy, u + i * dx) for i in range(pool + 1)]
            answer[n, :, k, side] = numpy.max(samples, 0)
    return answer


def carafe(x, masks, kernel, groups, factor):
    """Content-aware upsampling: each output pixel weighs the neighbourhood of its source pixel."""
    batch, channels, height, width = x.shape
    out_h, out_w = masks.shape[2:]
    answer = numpy.zeros((batch, channels, out_h, out_w))
    for n, c, y, u in numpy.ndindex(*answer.shape):
        first = c // (channels // groups) * kernel * kernel
        for i, j in numpy.ndindex(kernel, kernel):
            row, column = y // factor + i - kernel // 2, u // factor + j - kernel // 2
            if 0 <= row < height and 0 <= column < width:
                answer[n, c, y, u] += float(x[n, c, row, column]) * masks[n, first + i * kernel + j, y, u]
    return answer


def masked_conv(x, mask, weight, bias, padding, stride=1):
    """Convolution where the mask is positive; zero elsewhere, bias included."""
    wide = numpy.pad(x.astype(numpy.float64), ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    rows, columns = weight.shape[2:]
    out_h = (wide.shape[2] - rows) // stride + 1
    out_w = (wide.shape[3] - columns) // stride + 1
    answer = numpy.zeros((x.shape[0], weight.shape[0], out_h, out_w))
    for n, y, u in numpy.ndindex(x.shape[0], out_h, out_w):
        if mask[n if mask.shape[0] > 1 else 0, y, u] > 0:
            window = wide[n, :, y * stride : y * stride + rows, u * stride : u * stride + columns]
            answer[n, :, y, u] = numpy.einsum("ocij,cij->o", weight, window) + bias
    return answer


def psa_mask(x, kind, size):
    """Spreads (kind 1) or collects (kind 0) a mask of `size` cells around each pixel over the whole map."""
    batch, _, height, width = x.shape
    answer = numpy.zeros((batch, height * width, height, width))
    for n, h, w, i, j in numpy.ndindex(batch, height, width, *size):
        y, u = h + i - (size[0] - 1) // 2, w + j - (size[1] - 1) // 2
        if 0 <= y < height and 0 <= u < width:
            value = x[n, i * size[1] + j, h, w]
            if kind == 1:
                answer[n, h * width + w, y, u] = value
            else:
                answer[n, y * width + u, h, w] = value
    return answer


def precise_roi_pool(x, rois, pooled, scale):
    """The exact mean over each bin of the bilinear surface (zero outside); separable per axis."""
    answer = numpy.zeros((len(rois), x.shape[1], *pooled))
    for r, (batch, *corners) in enumerate(rois):
        xs, ys, xe, ye = (float(value) * scale for value in corners)
        bin_h, bin_w = max(ye - ys, 0) / pooled[0], max(xe - xs, 0) / pooled[1]
        for ph, pw in numpy.ndindex(*pooled):
            if bin_h * bin_w > 0:
                rows = [hat_integral(i, ys + ph * bin_h, ys + (ph + 1) * bin_h) for i in range(x.shape[2])]
                columns = [hat_integral(i, xs + pw * bin_w, xs + (pw + 1) * bin_w) for i in range(x.shape[3])]
                total = numpy.einsum("chw,h,w->c", x[int(batch)].astype(numpy.float64), rows, columns)
                answer[r, :, ph, pw] = total / (bin_h * bin_w)
    return answer


def hat_integral(centre, start, end):
    """∫ max(0, 1 − |t − centre|) dt from start to end."""

    def primitive(t):
        t = min(max(t - centre, -1), 1)
        return t + 0.5 + t * t / 2 if t < 0 else 0.5 + t - t * t / 2

    return primitive(end) - primitive(start)


def grid_priors(base, rows, columns, stride_h, stride_w):
    """Anchor boxes at every cell, in the order (h, w, anchor)."""
    shifts = [[w * stride_w, h * stride_h] * 2 for h in range(rows) for w in range(columns)]
    return (numpy.array(shifts)[:, None, :] + base[None]).reshape(-1, 4)


def gather_topk(x, indices):
    """Gathers along the axis after the axes that `indices` shares with x."""
    leading = indices.shape[:-1]
    return numpy.stack([x[place][indices[place]] for place in numpy.ndindex(*leading)]).reshape(
        *leading, indices.shape[-1], *x.shape[len(leading) + 1 :]
    )

"""The forms made of GridSample: deformable convolution, DCNv3's own PyTorch code, multi-scale attention."""

from references.custom import deformable_attention
from references.deform import deform_aggregate

from .build import eighths, numpy, scattered
from .chain import Chain
from .deform import Case

FLOAT = numpy.float32


def tap_positions(case, out, axis):
    """Position of every tap before its offset: [1, 1, taps, oH, oW], in the coordinates of the unpadded image."""
    taps = numpy.indices(case.kernel).reshape(2, -1)[axis]
    places = numpy.indices(out)[axis]
    start = -case.pads[axis]
    grid = taps[:, None, None] * case.dilations[axis] + places[None] * case.strides[axis] + start
    return grid[None, None].astype(FLOAT)


def normalised(g, position, size, align):
    """Pixel coordinates as GridSample counts them."""
    if align:
        return g.Sub(g.Div(g.Mul(position, 2.0), float(size - 1)), 1.0)
    return g.Sub(g.Div(g.Add(g.Mul(position, 2.0), 1.0), float(size)), 1.0)


def by_grid_sample(case, align, normalise=None, padding="zeros", ending="conv"):
    """All taps folded into the height of one grid; `normalise` may disagree with `align` (then it is no
    deformable convolution)."""
    batch, channels, height, width = case.x.shape
    taps, groups = case.kernel[0] * case.kernel[1], case.offset_group
    share, out = channels // groups, case.offset.shape[2:]
    normalise = align if normalise is None else normalise
    g = Chain({"x": case.x, "offset": case.offset, "mask": case.mask}, 16)
    shift = g.Reshape("offset", [batch, groups, taps, 2, *out])
    axes = []
    for axis, size in ((0, height), (1, width)):
        moved = g.Add(g.Gather(shift, axis, axis=3), g.constant(tap_positions(case, out, axis)))
        axes.append(g.Unsqueeze(normalised(g, moved, size, normalise), [5]))
    grid = g.Reshape(g.Concat(axes[1], axes[0], axis=5), [batch * groups, taps * out[0], out[1], 2])
    planes = g.Reshape("x", [batch * groups, share, height, width])
    sampled = g.GridSample(planes, grid, mode="bilinear", padding_mode=padding, align_corners=int(align))
    sampled = g.Reshape(sampled, [batch, groups, share, taps, *out])
    sampled = g.Mul(sampled, g.Reshape("mask", [batch, groups, 1, taps, *out]))
    if ending == "matmul":
        columns = g.Reshape(sampled, [batch, channels * taps, out[0] * out[1]])
        answer = g.MatMul(case.weight.reshape(case.weight.shape[0], -1), columns)
        return g, g.Reshape(answer, [batch, case.weight.shape[0], *out])
    tiles = g.Reshape(sampled, [batch, channels, *case.kernel, *out])
    tiles = g.Transpose(tiles, perm=[0, 1, 4, 2, 5, 3])
    image = g.Reshape(tiles, [batch, channels, out[0] * case.kernel[0], out[1] * case.kernel[1]])
    return g, g.Conv(image, case.weight, kernel_shape=case.kernel, strides=case.kernel, group=case.group)


def generic():
    settings = {"offset_group": 2, "strides": (2, 1), "dilations": (1, 2), "pads": (1, 2, 1, 2), "bias": False}
    for name, seed, options in (
        ("align-corners", 1400, {"align": True}),
        ("half-pixel", 1410, {"align": False}),
        ("matmul", 1420, {"align": True, "ending": "matmul"}),
        ("refuse-mixed", 1430, {"align": False, "normalise": True}),
        ("refuse-border", 1440, {"align": True, "padding": "border"}),
    ):
        case = Case(seed, **settings)
        g, result = by_grid_sample(case, **options)
        refused = name.startswith("refuse")
        yield g.fixture(name.replace("refuse-", "refuse-grid-sample-") if refused else f"grid-sample-{name}",
                        result, None if refused else case.answer())


def dcnv3(removed, scale):
    """The core operator as DCNv3's authors write it without their extension; channels last."""
    group, share, pad, high, wide = 2, 3, 1, 5, 6
    kernel, taps = (3, 3), 9 - removed
    x = eighths(1500, 1, high, wide, group * share)
    offset = eighths(1501, 1, high, wide, group * taps * 2, low=-3, high=3)
    mask = eighths(1502, 1, high, wide, group * taps, low=0, high=1)
    tall, broad = high + 2 * pad, wide + 2 * pad
    g = Chain({"x": x, "offset": offset, "mask": mask}, 16)
    data = g.Pad("x", [0, pad, pad, 0, 0, pad, pad, 0])
    rows, columns = numpy.meshgrid((numpy.arange(high) + 1.5) / tall, (numpy.arange(wide) + 1.5) / broad,
                                   indexing="ij")
    reference = numpy.stack([columns, rows], -1).reshape(1, high, wide, 1, 2)
    steps = [[(i - 1) / broad, (j - 1) / tall] for i in range(3) for j in range(3)
             if not (removed and i == j == 1)]
    ring = numpy.array(steps * group).reshape(1, 1, 1, group * taps, 2) * scale
    norm = numpy.array([broad, tall] * (group * taps), FLOAT).reshape(1, 1, 1, -1)
    places = g.Reshape(g.constant(reference + ring), [1, high, wide, group * taps * 2])
    moves = g.Mul("offset", float(scale)) if scale != 1 else "offset"
    grid = g.Sub(g.Mul(g.Add(places, g.Div(moves, g.constant(norm))), 2.0), 1.0)
    grid = g.Transpose(g.Reshape(grid, [1, high * wide, group, taps, 2]), perm=[0, 2, 1, 3, 4])
    grid = g.Reshape(grid, [group, high * wide, taps, 2])
    planes = g.Transpose(g.Reshape(data, [1, tall * broad, group * share]), perm=[0, 2, 1])
    planes = g.Reshape(planes, [group, share, tall, broad])
    sampled = g.GridSample(planes, grid, mode="bilinear", padding_mode="zeros", align_corners=0)
    weigh = g.Transpose(g.Reshape("mask", [1, high * wide, group, taps]), perm=[0, 2, 1, 3])
    product = g.Mul(sampled, g.Reshape(weigh, [group, 1, high * wide, taps]))
    total = g.Reshape(g.ReduceSum(product, [-1], keepdims=0), [1, group * share, high * wide])
    answer = g.Reshape(g.Transpose(total, perm=[0, 2, 1]), [1, high, wide, group * share])
    expected = deform_aggregate(x, offset, mask, kernel=kernel, pads=(pad, pad), group=group, offset_scale=scale,
                                remove_center=removed)
    name = f"dcnv3-scale-{scale:g}{'-without-center' if removed else ''}"
    fixture = g.fixture(name, answer, expected)
    # The grid is normalised and back in float32: half a pixel in a few million.
    fixture.smallest = 2e-3
    return fixture


def attention():
    """Multi-scale deformable attention, one GridSample per level."""
    heads, depth, queries, points, sizes = 2, 3, 4, 2, [(4, 5), (2, 3)]
    value = scattered(1600, 1, sum(h * w for h, w in sizes), heads, depth)
    places = scattered(1601, 1, queries, heads, len(sizes), points, 2, low=-0.1, high=1.1)
    weights = scattered(1602, 1, queries, heads, len(sizes), points, low=0.1, high=1)
    g = Chain({"value": value, "locations": places, "weights": weights}, 16)
    counts = [h * w for h, w in sizes]
    levels = g.append("Split", "value", counts, count=len(sizes), axis=1)
    grids = g.Sub(g.Mul("locations", 2.0), 1.0)
    sampled = []
    for level, (high, wide) in enumerate(sizes):
        rows = g.Transpose(g.Reshape(levels[level], [1, high * wide, heads * depth]), perm=[0, 2, 1])
        plane = g.Reshape(rows, [heads, depth, high, wide])
        grid = g.Transpose(g.Gather(grids, level, axis=3), perm=[0, 2, 1, 3, 4])
        grid = g.Reshape(grid, [heads, queries, points, 2])
        made = g.GridSample(plane, grid, mode="bilinear", padding_mode="zeros", align_corners=0)
        sampled.append(g.Unsqueeze(made, [3]))
    stacked = g.Reshape(g.Concat(*sampled, axis=3), [heads, depth, queries, len(sizes) * points])
    weigh = g.Transpose("weights", perm=[0, 2, 1, 3, 4])
    weigh = g.Reshape(weigh, [heads, 1, queries, len(sizes) * points])
    total = g.ReduceSum(g.Mul(stacked, weigh), [-1], keepdims=0)
    answer = g.Transpose(g.Reshape(total, [1, heads * depth, queries]), perm=[0, 2, 1])
    starts = numpy.cumsum([0, *counts[:-1]])
    return g.fixture("deformable-attention", answer,
                     deformable_attention(value, numpy.array(sizes), starts, places, weights))


def fixtures():
    yield from generic()
    for removed, scale in ((False, 1.0), (False, 2.0), (True, 1.0)):
        yield dcnv3(removed, scale)
    yield attention()

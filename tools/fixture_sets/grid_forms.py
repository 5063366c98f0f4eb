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
    if ending != "conv":
        return g, with_columns(g, case, sampled, out, ending)
    tiles = g.Reshape(sampled, [batch, channels, *case.kernel, *out])
    tiles = g.Transpose(tiles, perm=[0, 1, 4, 2, 5, 3])
    image = g.Reshape(tiles, [batch, channels, out[0] * case.kernel[0], out[1] * case.kernel[1]])
    return g, g.Conv(image, case.weight, kernel_shape=case.kernel, strides=case.kernel, group=case.group)


def with_columns(g, case, sampled, out, ending):
    """The product of samples [batch, groups, share, taps, oH, oW] with the weights, in other ways than a convolution."""
    batch, channels = case.x.shape[:2]
    outputs, taps, places = len(case.weight), case.kernel[0] * case.kernel[1], out[0] * out[1]
    flat = case.weight.reshape(outputs, -1)
    if ending == "lines":
        columns = g.Transpose(g.Reshape(sampled, [batch, channels * taps, places]), perm=[0, 2, 1])
        answer = g.Add(g.MatMul(columns, numpy.ascontiguousarray(flat.T)), case.bias)
        return g.Reshape(g.Transpose(answer, perm=[0, 2, 1]), [batch, outputs, *out])
    if ending == "stacked":
        columns = g.Transpose(g.Reshape(sampled, [batch, channels, taps, *out]), perm=[0, 2, 1, 3, 4])
        weight = case.weight.reshape(outputs, channels, taps).transpose(0, 2, 1).reshape(outputs, -1, 1, 1)
        return g.Conv(g.Reshape(columns, [batch, taps * channels, *out]), weight, case.bias)
    if ending == "einsum":
        columns = g.Reshape(sampled, [batch, channels * taps, places])
        return g.Reshape(g.Einsum(flat, columns, equation="ok,nkp->nop"), [batch, outputs, *out])
    columns = g.Reshape(sampled, [batch, channels, *case.kernel, *out])
    answer = g.Einsum(columns, case.weight, equation="ncijhw,ocij->nohw")
    return g.Add(answer, case.bias.reshape(outputs, 1, 1))


def by_tap(case, padding="zeros"):
    """A GridSample and a convolution 1 × 1 for each tap, summed."""
    batch, _, height, width = case.x.shape
    taps, out = case.kernel[0] * case.kernel[1], case.offset.shape[2:]
    g = Chain({"x": case.x, "offset": case.offset, "mask": case.mask}, 16)
    total = None
    for tap in range(taps):
        axes = []
        for axis, size in ((0, height), (1, width)):
            moved = g.Add(g.slice("offset", 2 * tap + axis, 2 * tap + axis + 1, 1),
                          g.constant(tap_positions(case, out, axis)[:, :, tap]))
            axes.append(g.Unsqueeze(normalised(g, g.Squeeze(moved, [1]), size, True), [3]))
        sampled = g.GridSample("x", g.Concat(axes[1], axes[0], axis=3), mode="bilinear", padding_mode=padding,
                               align_corners=1)
        sampled = g.Mul(sampled, g.slice("mask", tap, tap + 1, 1))
        part = g.Conv(sampled, case.weight[:, :, tap // case.kernel[1], tap % case.kernel[1], None, None].copy())
        total = part if total is None else g.Add(total, part)
    return g, g.Add(total, case.bias.reshape(1, -1, 1, 1))


def symbolic(padding="zeros"):
    """A graph for batches and images of any extents, as exporters write it: all of them follow from shapes."""
    case = Case(1570, batch=2, bias=False)
    channels, outputs, taps = 4, 4, 9
    g = Chain({"x": case.x, "offset": case.offset, "mask": case.mask}, 16)
    shape = g.Shape("x")
    batch, high, wide = (g.slice(shape, axis, axis + 1, 0) for axis in (0, 2, 3))
    shift = g.Reshape("offset", g.Concat(batch, [taps, 2], high, wide, axis=0))
    axes = []
    for axis, size in ((0, high), (1, wide)):
        count = g.Squeeze(size, [0])
        places = g.Cast(g.Range(g.constant(0), count, g.constant(1)), to=1)
        places = g.Reshape(places, [-1, 1] if axis == 0 else [1, -1])
        start = numpy.indices((3, 3))[axis].reshape(1, taps, 1, 1) - 1.0
        moved = g.Add(g.Add(g.Gather(shift, axis, axis=2), places), g.constant(start))
        scaled = g.Div(g.Mul(moved, 2.0), g.Sub(g.Cast(count, to=1), 1.0))
        axes.append(g.Unsqueeze(g.Sub(scaled, 1.0), [4]))
    rows = g.Mul(high, [taps])
    grid = g.Reshape(g.Concat(axes[1], axes[0], axis=4), g.Concat(batch, rows, wide, [2], axis=0))
    sampled = g.GridSample("x", grid, mode="bilinear", padding_mode=padding, align_corners=1)
    places = g.Mul(high, wide)
    columns = g.Reshape(sampled, g.Concat(batch, [channels, taps], places, axis=0))
    columns = g.Mul(columns, g.Reshape("mask", g.Concat(batch, [1, taps], places, axis=0)))
    columns = g.Reshape(columns, g.Concat(batch, [channels * taps], places, axis=0))
    answer = g.MatMul(case.weight.reshape(outputs, -1), columns)
    answer = g.Reshape(answer, g.Concat(batch, [outputs], high, wide, axis=0))
    names = {name: ("batch", array.shape[1], "height", "width") for name, array in g.inputs.items()}
    name = "grid-sample-symbolic" if padding == "zeros" else "refuse-grid-sample-symbolic"
    return g.fixture(name, answer, case.answer() if padding == "zeros" else None, names)


def products():
    """Other ends than a convolution in strides of its kernel, and kernels that are no squares."""
    for seed, ending, kernel, bias in ((1450, "lines", (3, 3), True), (1460, "stacked", (2, 3), True),
                                       (1470, "einsum", (3, 2), False), (1480, "einsum-apart", (3, 3), True)):
        case = Case(seed, strides=(2, 1), pads=(1, 2, 1, 2), bias=bias, kernel=kernel)
        g, result = by_grid_sample(case, True, ending=ending)
        yield g.fixture(f"grid-sample-{ending}", result, case.answer())
    for seed, kernel, name, padding in ((1485, (3, 3), "grid-sample-by-tap", "zeros"),
                                        (1490, (1, 3), "grid-sample-by-tap-in-a-row", "zeros"),
                                        (1495, (2, 2), "refuse-grid-sample-by-tap-border", "border")):
        case = Case(seed, kernel=kernel, pads=(0, 1, 0, 1), dilations=(1, 2))
        g, result = by_tap(case, padding)
        yield g.fixture(name, result, case.answer() if padding == "zeros" else None)


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


def dcnv3(removed, scale, kernel=(3, 3), seed=1500):
    """The core operator as DCNv3's authors write it without their extension; channels last."""
    group, share, pad, high, wide = 2, 3, 1, 5, 6
    taps = kernel[0] * kernel[1] - removed
    x = eighths(seed, 1, high, wide, group * share)
    high, wide = high + 3 - kernel[0], wide + 3 - kernel[1]
    offset = eighths(seed + 1, 1, high, wide, group * taps * 2, low=-3, high=3)
    mask = eighths(seed + 2, 1, high, wide, group * taps, low=0, high=1)
    tall, broad = x.shape[1] + 2 * pad, x.shape[2] + 2 * pad
    middle = [(size - 1) // 2 for size in kernel]
    g = Chain({"x": x, "offset": offset, "mask": mask}, 16)
    data = g.Pad("x", [0, pad, pad, 0, 0, pad, pad, 0])
    rows, columns = numpy.meshgrid((numpy.arange(high) + middle[0] + 0.5) / tall,
                                   (numpy.arange(wide) + middle[1] + 0.5) / broad, indexing="ij")
    reference = numpy.stack([columns, rows], -1).reshape(1, high, wide, 1, 2)
    steps = [[(i - middle[1]) / broad, (j - middle[0]) / tall] for i in range(kernel[1]) for j in range(kernel[0])
             if not (removed and [j, i] == middle)]
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
    shape = "" if kernel == (3, 3) else f"-{kernel[0]}-by-{kernel[1]}"
    name = f"dcnv3-scale-{scale:g}{'-without-center' if removed else ''}{shape}"
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
    yield from products()
    for removed, scale in ((False, 1.0), (False, 2.0), (True, 1.0)):
        yield dcnv3(removed, scale)
    yield symbolic()
    yield symbolic("border")
    for seed, removed, scale, kernel in ((1510, False, 2.0, (3, 5)), (1520, True, 1.0, (5, 3)),
                                         (1540, False, 1.0, (1, 5))):
        yield dcnv3(removed, scale, kernel, seed)
    yield attention()

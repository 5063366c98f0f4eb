"""Graphs that exporters and users write instead of one deformable operator, each beside what it must equal."""

from references.deform import deform_conv

from . import grid_forms, level_forms
from .build import eighths, numpy
from .chain import Chain
from .deform import Case


def tap_grid(case, out, start=(0, 0)):
    """The constant positions [2, taps, oH, oW] of all taps, first rows and then columns."""
    rows, columns = case.kernel
    taps = numpy.indices(case.kernel).reshape(2, rows * columns, 1, 1)
    places = numpy.indices(out).reshape(2, 1, *out)
    steps, strides = numpy.array(case.dilations), numpy.array(case.strides)
    shape = (2, 1, 1, 1)
    return taps * steps.reshape(shape) + places * strides.reshape(shape) + numpy.array(start).reshape(shape)


def columns_to_convolution(g, case, columns, out):
    """[b, C, kH, kW, oH, oW] as an image of kernel-sized tiles, convolved tile by tile."""
    batch, channels = case.x.shape[:2]
    rows, width = case.kernel
    tiles = g.Transpose(g.Reshape(columns, [batch, channels, rows, width, *out]), perm=[0, 1, 4, 2, 5, 3])
    image = g.Reshape(tiles, [batch, channels, out[0] * rows, out[1] * width])
    return g.Conv(image, case.weight, kernel_shape=case.kernel, strides=case.kernel, group=case.group)


def exporter_package(case, gather, shifted=True):
    """The form of the deform_conv2d_onnx_exporter package: floor, four clipped gathers, products, sum."""
    batch, channels, height, width = case.x.shape
    taps, groups, share = case.kernel[0] * case.kernel[1], case.offset_group, channels // case.offset_group
    out = case.offset.shape[2:]
    extra = [int(case.pads[axis] == 0) for axis in (0, 1)]
    border = [case.pads[axis] + extra[axis] for axis in (0, 1)]
    high, wide = height + 2 * border[0], width + 2 * border[1]
    g = Chain({"x": case.x, "offset": case.offset} | ({"mask": case.mask} if case.mask is not None else {}))
    grid = tap_grid(case, out, extra if shifted else (0, 0)).transpose(1, 0, 2, 3)[None, None]
    shift = g.Reshape("offset", [batch, groups, taps, 2, *out])
    position = g.Add(shift, g.constant(grid, numpy.float32))
    floor = g.Floor(position)
    corner = g.Cast(floor, to=7)
    top, left = g.slice(corner, 0, 1, 3), g.slice(corner, 1, 2, 3)
    bottom, right = g.Add(top, [1]), g.Add(left, [1])
    top, bottom = (g.Clip(v, 0, high - 1) for v in (top, bottom))
    left, right = (g.Clip(v, 0, wide - 1) for v in (left, right))
    part = g.Sub(position, floor)
    dy, dx = g.slice(part, 0, 1, 3), g.slice(part, 1, 2, 3)
    rest_y, rest_x = g.Sub([1.0], dy), g.Sub([1.0], dx)
    data = g.Pad("x", [0, 0, *border, 0, 0, *border])
    data = g.Reshape(data, [batch, groups, share, high, wide])
    if gather == "nd":
        data = g.Transpose(data, perm=[0, 1, 3, 4, 2])
    else:
        data = g.Reshape(data, [batch, groups, share, high * wide])
    terms = []
    for y, x, wy, wx in ((top, left, rest_y, rest_x), (bottom, right, dy, dx),
                         (bottom, left, dy, rest_x), (top, right, rest_y, dx)):
        if gather == "nd":
            count = [batch, groups, taps * out[0] * out[1], 1]
            index = g.Concat(g.Reshape(y, count), g.Reshape(x, count), axis=3)
            value = g.Transpose(g.GatherND(data, index, batch_dims=2), perm=[0, 1, 3, 2])
        else:
            index = g.Reshape(g.Add(g.Mul(y, [wide]), x), [batch, groups, 1, taps * out[0] * out[1]])
            index = g.Expand(index, [batch, groups, share, taps * out[0] * out[1]])
            value = g.GatherElements(data, index, axis=3)
        value = g.Reshape(value, [batch, groups, share, taps, *out])
        weight = g.Reshape(g.Mul(wx, wy), [batch, groups, 1, taps, *out])
        terms.append(g.Mul(value, weight))
    sampled = g.Sum(*terms)
    if case.mask is not None:
        sampled = g.Mul(sampled, g.Reshape("mask", [batch, groups, 1, taps, *out]))
    answer = columns_to_convolution(g, case, sampled, out)
    return g, g.Add(answer, g.Unsqueeze(g.constant(case.bias), [0, 2, 3]))


def torch_by_gather(case, border, padding, interleaved=False, opset=13):
    """The pure PyTorch form: rows and columns of offsets in halves, channel last, GatherElements.

    With `interleaved` the offsets come as Paddle's exporter takes them: pairs, taken apart by strided slices.
    """
    batch, channels, height, width = case.x.shape
    size = case.kernel[0]
    taps, out = size * size, case.offset.shape[2:]
    high, wide = height + 2 * padding, width + 2 * padding
    g = Chain({"x": case.x, "offset": case.offset} | ({"mask": case.mask} if case.mask is not None else {}), opset)
    data = g.Pad("x", [0, 0, padding, padding, 0, 0, padding, padding]) if padding else "x"
    start = 0 if interleaved else 1 - (size - 1) // 2
    grid = tap_grid(case, out, (start, start)).reshape(1, 2 * taps, *out)
    offset = "offset"
    if interleaved:
        halves = [g.slice("offset", k, 2 * taps, 1, 2) for k in (0, 1)]
        offset = g.Concat(*halves, axis=1)
    p = g.Transpose(g.Add(offset, g.constant(grid, numpy.float32)), perm=[0, 2, 3, 1])
    floor = g.Floor(p)
    after = g.Add(floor, [1.0])
    limits = (high, wide)

    def halves_of(value):
        return [g.slice(value, half * taps, (half + 1) * taps, 3) for half in (0, 1)]

    def clipped(value):
        return [g.Clip(part, 0.0, float(limits[half] - 1)) for half, part in enumerate(halves_of(value))]

    first, second = clipped(floor), clipped(after)
    if border:
        pieces = []
        for half, part in enumerate(halves_of(p)):
            below = g.Less(part, float(padding))
            above = g.Greater(part, float(limits[half] - 1 - padding))
            beyond = g.Cast(g.Or(below, above), to=1)
            kept = g.Mul(part, g.Sub(1.0, beyond))
            pieces.append(g.Add(kept, g.Mul(g.Floor(part), beyond)))
        p = g.Concat(*pieces, axis=3)
    place = clipped(p)
    near = [g.Add(1.0, g.Sub(first[k], place[k])) for k in (0, 1)]
    far = [g.Sub(1.0, g.Sub(second[k], place[k])) for k in (0, 1)]
    flat = g.Reshape(data, [batch, channels, high * wide])
    terms = []
    for rows, columns, weights in ((first[0], first[1], (near[0], near[1])),
                                   (second[0], second[1], (far[0], far[1])),
                                   (first[0], second[1], (near[0], far[1])),
                                   (second[0], first[1], (far[0], near[1]))):
        index = g.Add(g.Mul(g.Cast(rows, to=7), [wide]), g.Cast(columns, to=7))
        index = g.Reshape(index, [batch, 1, *out, taps])
        index = g.Expand(index, [batch, channels, *out, taps])
        index = g.Reshape(index, [batch, channels, out[0] * out[1] * taps])
        value = g.Reshape(g.GatherElements(flat, index, axis=2), [batch, channels, *out, taps])
        terms.append(g.Mul(g.Reshape(g.Mul(*weights), [batch, 1, *out, taps]), value))
    sampled = g.Add(g.Add(terms[0], terms[1]), g.Add(terms[2], terms[3]))
    if case.mask is not None:
        mask = g.Reshape(g.Transpose("mask", perm=[0, 2, 3, 1]), [batch, 1, *out, taps])
        sampled = g.Mul(sampled, g.Concat(*[mask] * channels, axis=1))
    strips = [g.Reshape(g.slice(sampled, s, s + size, 4), [batch, channels, out[0], out[1] * size])
              for s in range(0, taps, size)]
    image = g.Reshape(g.Concat(*strips, axis=3), [batch, channels, out[0] * size, out[1] * size])
    return g, g.Conv(image, case.weight, kernel_shape=case.kernel, strides=case.kernel, group=case.group)


def package_fixtures():
    full = {"group": 2, "offset_group": 2, "strides": (2, 1), "dilations": (1, 2), "batch": 2}
    for name, case in (("grouped", Case(1000, **full, pads=(1, 2, 1, 2))),
                       ("plain", Case(1010, mask=False)),
                       ("without-pad", Case(1020, pads=(0, 0, 0, 0)))):
        for gather in ("nd", "elements"):
            g, result = exporter_package(case, gather)
            yield g.fixture(f"gather-{gather}-{name}", result, case.answer())
    # One revision of the package forgets that it has padded by one more.
    g, result = exporter_package(Case(1020, pads=(0, 0, 0, 0)), "nd", shifted=False)
    yield g.fixture("refuse-gather-nd-unshifted", result, None)


def halves(case):
    """The offsets of a case with all rows before all columns."""
    batch, channels, *out = case.offset.shape
    pairs = case.offset.reshape(batch, channels // 2, 2, *out)
    return numpy.ascontiguousarray(pairs.transpose(0, 2, 1, 3, 4)).reshape(case.offset.shape)


def torch_fixtures():
    for name, padding, border, mask, size in (
        ("zero-border", 1, False, True, 3), ("clamped-border", 1, True, True, 3),
        ("clamped-border-plain", 1, True, False, 3), ("five-taps", 2, False, True, 5),
        ("refuse-zero-border-without-pad", 0, False, True, 3),
        ("refuse-clamped-border-without-pad", 0, True, True, 3),
    ):
        # The grid starts at 1 − (size − 1) / 2 whatever the padding.
        start = 1 - (size - 1) // 2
        pad = padding - start
        case = Case(1100 + 10 * size, pads=(pad,) * 4, mask=mask, bias=False, size=(6, 7), kernel=(size, size))
        answer = None if name.startswith("refuse") else case.answer("clamp" if border else "zero")
        case.offset = halves(case)
        g, result = torch_by_gather(case, border, padding)
        yield g.fixture(name if answer is None else f"torch-{name}", result, answer)


def paddle_fixtures():
    for name, padding, settings in (("", 1, {"strides": (2, 2), "group": 2}), ("-dilated", 2, {"dilations": (2, 2)}),
                                    ("-without-pad", 0, {})):
        case = Case(1200, pads=(padding,) * 4, bias=False, size=(6, 6), **settings)
        g, result = torch_by_gather(case, False, padding, interleaved=True, opset=11)
        yield g.fixture(f"{'paddle' if padding else 'refuse-paddle'}{name}", result, case.answer() if padding else None)


def split_producer():
    """The whole idiom of detectors: one convolution makes offsets and mask, as a split, for a gather form."""
    case = Case(1300, bias=False)
    weight, bias = eighths(1301, 27, 4, 3, 3, low=-0.25, high=0.25), eighths(1302, 27, low=-1, high=1)
    g, result = torch_by_gather(case, False, 1)
    made = Chain({"x": case.x})
    both = made.Conv("x", weight, bias, pads=[1, 1, 1, 1])
    offset, mask = made.slice(both, 0, 18, 1), made.Sigmoid(made.slice(both, 18, 27, 1))
    names = {"offset": offset, "mask": mask} | {key: f"g_{key}" for key in g.constants}
    names |= {output: f"g_{output}" for node in g.nodes for output in node.output}
    for node in g.nodes:
        node.input[:] = [names.get(value, value) for value in node.input]
        node.output[:] = [names[value] for value in node.output]
        node.name = f"g_{node.name}"
    made.nodes += g.nodes
    made.constants |= {f"g_{key}": value for key, value in g.constants.items()}
    wide = numpy.pad(case.x.astype(numpy.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    raw = sum(numpy.einsum("nchw,oc->nohw", wide[:, :, i : i + 5, j : j + 6], weight[:, :, i, j])
              for i in range(3) for j in range(3)) + bias[:, None, None]
    pairs = numpy.stack([raw[:, :9], raw[:, 9:18]], 2).reshape(1, 18, 5, 6)
    answer = deform_conv(case.x, case.weight, pairs, None, 1 / (1 + numpy.exp(-raw[:, 18:])), pads=case.pads)
    yield made.fixture("torch-with-producer", names[result], answer)


def fixtures():
    for family in (package_fixtures, torch_fixtures, paddle_fixtures, split_producer, grid_forms.fixtures,
                   level_forms.fixtures):
        yield from family()

"""Poolings of many regions: the formulas of `tools/references`, whole arrays at a time.

`agree()` holds them against the slow forms there.
"""

import numpy
from references import position_sensitive as slow
from references.roi import max_roi_pool as slow_max


def round_away(values):
    """Rounding with halves away from zero."""
    return numpy.sign(values) * numpy.floor(numpy.abs(values) + 0.5)


def max_roi_pool(x, rois, _=None, *, pooled_shape, spatial_scale):
    """The maximum of each bin, whose limits are float32: x [N, C, H, W], rois [R, 5] → [R, C, rows, columns]."""
    limit = numpy.array(x.shape[2:])
    pooled = numpy.array(pooled_shape)
    scaled = round_away(rois[:, 1:].astype(numpy.float32) * numpy.float32(spatial_scale)).astype(int)
    low, high = scaled[:, [1, 0]], scaled[:, [3, 2]]
    step = numpy.maximum(high - low + 1, 1).astype(numpy.float32) / pooled.astype(numpy.float32)
    index = numpy.arange(pooled.max(), dtype=numpy.float32)[:, None, None]
    first = numpy.clip(numpy.floor(index * step).astype(int) + low, 0, limit)
    last = numpy.clip(numpy.ceil((index + 1) * step).astype(int) + low, 0, limit)
    answer = numpy.zeros((len(rois), x.shape[1], *pooled))
    for r, i, j in numpy.ndindex(len(rois), *pooled):
        (y0, y1), (x0, x1) = (first[i, r, 0], last[i, r, 0]), (first[j, r, 1], last[j, r, 1])
        if y1 > y0 and x1 > x0:
            answer[r, :, i, j] = x[int(rois[r, 0]), :, y0:y1, x0:x1].max((1, 2))
    return answer


def ps_roi_pool(x, rois, _=None, *, spatial_scale, output_dim, pooled_size, group_size):
    """Each bin averages its own map: x [N, output_dim·group², H, W], rois [R, 5] → [R, output_dim, P, P]."""
    height, width = x.shape[2:]
    scale, pooled = numpy.float32(spatial_scale), numpy.float32(pooled_size)
    low = round_away(rois[:, 1:3].astype(numpy.float32)) * scale
    high = (round_away(rois[:, 3:].astype(numpy.float32)) + 1) * scale
    step = numpy.maximum(high - low, numpy.float32(0.1)) / pooled
    index = numpy.arange(pooled_size, dtype=numpy.float32)[:, None, None]
    limit = numpy.array([width, height])
    first = numpy.clip(numpy.floor(index * step + low), 0, limit).astype(int)
    last = numpy.clip(numpy.ceil((index + 1) * step + low), 0, limit).astype(int)
    maps = x.reshape(len(x), output_dim, group_size, group_size, height, width)
    answer = numpy.zeros((len(rois), output_dim, pooled_size, pooled_size))
    for r, i, j in numpy.ndindex(len(rois), pooled_size, pooled_size):
        (y0, y1), (x0, x1) = (first[i, r, 1], last[i, r, 1]), (first[j, r, 0], last[j, r, 0])
        if y1 > y0 and x1 > x0:
            cell = maps[int(rois[r, 0]), :, i * group_size // pooled_size, j * group_size // pooled_size]
            answer[r, :, i, j] = cell[:, y0:y1, x0:x1].mean((1, 2), dtype=numpy.float64)
    return answer


def deform_ps_roi_pool(x, rois, trans=None, *, spatial_scale, output_dim, group_size, pooled_size, part_size,
                       sample_per_part, trans_std, no_trans=0, doubtful=None):
    """The paper's: every bin moved by trans · trans_std · size of the region, the mean of samples inside.

    Regions with a sample so near the border of the map that rounding decides whether it counts are added to the
    set `doubtful`.
    """
    pooled, part, samples = pooled_size, part_size or pooled_size, sample_per_part
    kinds = 1 if trans is None or no_trans else trans.shape[1] // 2
    bins, points = numpy.arange(pooled), numpy.arange(samples)
    cell = bins * group_size // pooled
    depth = numpy.arange(output_dim)[:, None, None]
    channel = ((depth * group_size + cell[:, None]) * group_size + cell)[..., None, None]
    answer = numpy.zeros((len(rois), output_dim, pooled, pooled))
    for r, (batch, *corners) in enumerate(rois.astype(numpy.float64)):
        corners = round_away(numpy.array(corners))
        low = corners[:2] * spatial_scale - 0.5
        size = numpy.maximum((corners[2:] + 1) * spatial_scale - 0.5 - low, 0.1)
        step = size / pooled
        # [kinds, rows, columns]: by how much bins move along x and along y.
        move = numpy.zeros((2, kinds, pooled, pooled))
        if trans is not None and not no_trans:
            places = bins * part // pooled
            moves = trans[r].reshape(kinds, 2, part, part)[:, :, places[:, None], places]
            move = moves.transpose(1, 0, 2, 3) * trans_std * size[:, None, None, None]
        left = bins * step[0] + low[0] + move[0]
        top = (bins * step[1] + low[1])[:, None] + move[1]
        u = left[..., None, None] + points * step[0] / samples
        y = top[..., None, None] + points[:, None] * step[1] / samples
        if kinds > 1:
            whole = (kinds, pooled, pooled, samples, samples)
            y, u = (numpy.repeat(numpy.broadcast_to(v, whole), output_dim // kinds, 0) for v in (y, u))
        answer[r] = mean_inside(x[int(batch)], channel, y, u)
        if doubtful is not None and on_border(y, x.shape[2]) | on_border(u, x.shape[3]):
            doubtful.add(r)
    return answer


def on_border(places, extent) -> bool:
    """Whether one of the places lies as near to −0.5 or extent − 0.5 as float32 tells places apart."""
    return bool((numpy.minimum(numpy.abs(places + 0.5), numpy.abs(places - extent + 0.5)) < 3e-5).any())


def mean_inside(planes, channel, y, u):
    """The mean over the last two axes of samples at −0.5 ≤ y ≤ H − 0.5, likewise u; zero where there are none."""
    height, width = planes.shape[1:]
    inside = (y >= -0.5) & (y <= height - 0.5) & (u >= -0.5) & (u <= width - 0.5)
    y, u = numpy.clip(y, 0, height - 1), numpy.clip(u, 0, width - 1)
    y0, u0 = numpy.floor(y).astype(int), numpy.floor(u).astype(int)
    y1, u1 = numpy.ceil(y).astype(int), numpy.ceil(u).astype(int)
    ly, lu = y - y0, u - u0
    upper = planes[channel, y0, u0] * (1 - lu) + planes[channel, y0, u1] * lu
    lower = planes[channel, y1, u0] * (1 - lu) + planes[channel, y1, u1] * lu
    total = numpy.where(inside, upper * (1 - ly) + lower * ly, 0.0).sum((-1, -2))
    return total / numpy.maximum(inside.sum((-1, -2)), 1)


def agree(cases: int = 4) -> float:
    """The greatest difference between these and the slow forms on small random cases."""
    worst = 0.0
    for seed in range(cases):
        random = numpy.random.default_rng(seed)
        group, depth, kinds = 2 + seed % 2, 4, (1, 2, 4)[seed % 3]
        x = random.standard_normal((2, depth * group * group, 9, 12))
        corners = random.uniform(-30, 160, (6, 4)).astype(numpy.float32)
        corners[:, 2:] = numpy.maximum(corners[:, 2:], corners[:, :2] - 1)
        rois = numpy.concatenate([random.integers(0, 2, (6, 1)), corners], 1).astype(numpy.float32)
        trans = random.uniform(-2, 2, (6, 2 * kinds, group, group))
        got = max_roi_pool(x, rois, pooled_shape=(7, 5), spatial_scale=1 / 16)
        worst = max(worst, numpy.abs(got - slow_max(x, rois, (7, 5), 1 / 16)).max())
        common = {"spatial_scale": 1 / 16, "output_dim": depth, "group_size": group, "pooled_size": group}
        got = ps_roi_pool(x, rois, **common)
        worst = max(worst, numpy.abs(got - slow.ps_roi_pool(x, rois, depth, group, 1 / 16, group)).max())
        for moves in (None, trans):
            got = deform_ps_roi_pool(x, rois, moves, **common, part_size=group, sample_per_part=3, trans_std=0.1)
            expected = slow.deform_ps_roi_pool(x, rois, moves, scale=1 / 16, output_dim=depth, group=group,
                                               pooled=group, part=group, samples=3, trans_std=0.1)
            worst = max(worst, numpy.abs(got - expected).max())
    return worst

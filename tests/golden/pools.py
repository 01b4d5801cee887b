"""Pools, over windows and over all there is."""
import torch
from torch.nn import functional as F

from convolutions import around
from golden import net


def steps_before(lengths, time):
    """[rows, time, 1]: whether a step is one of its row's."""
    return torch.arange(time).reshape(1, -1, 1) < torch.tensor(lengths).reshape(-1, 1, 1)


def pool(x, size, strides, same, mean, inside):
    """x [rows, places…, channels]; inside [rows, places…, 1]: what counts. Where nothing does: 0."""
    axes = x.dim() - 2
    pads = [around(x.shape[1 + a], size[a], strides[a], 1, same) for a in range(axes)]
    pads = [side for pair in reversed(pads) for side in pair]
    run = {(1, False): F.max_pool1d, (2, False): F.max_pool2d, (1, True): F.avg_pool1d, (2, True): F.avg_pool2d}[axes, mean]
    there = F.pad(inside.double().movedim(-1, 1), pads)
    x = x.movedim(-1, 1)
    if mean:
        total, count = (run(F.pad(t, pads) * there, tuple(size), tuple(strides)) for t in (x, torch.ones_like(x)))
        y = torch.where(count > 0, total / count.clamp(min=1e-9), 0.)
    else:
        y = run(torch.where(there > 0, F.pad(x, pads), -1e30), tuple(size), tuple(strides))
        y = torch.where(y > -1e29, y, 0.)
    return y.movedim(1, -1)


def case(shape, rows, size, strides=None, padding="valid", lengths=None):
    axes = len(shape) - 1
    for kind in ("max", "avg"):
        layer = {"type": f"{kind}_pool{axes}d", "pool_size": size, "padding": padding}
        if strides is not None:
            layer["strides"] = strides
        wide = [n if isinstance(n, list) else [n] * axes for n in (size, strides or size)]
        inside = torch.ones(rows, *shape[:-1], 1) if lengths is None else steps_before(lengths, shape[0])
        net([layer], shape, rows, {}, lambda x, w: pool(x, *wide, padding == "same", kind == "avg", inside),
            lengths=lengths)


def over_all():
    for kind in ("avg", "max"):
        layers = [{"type": f"global_{kind}_pool"}]
        for shape in ([3, 2, 4], [5, 4]):
            net(layers, shape, 3, {}, lambda x, w: x.flatten(1, -2).mean(1) if kind == "avg" else x.flatten(1, -2).amax(1))
        lengths = [5, 2, 0, 1]
        inside = steps_before(lengths, 5)

        def run(x, _):
            if kind == "avg":
                return (x * inside).sum(1) / torch.tensor(lengths).clamp(min=1).reshape(-1, 1)
            return torch.where(inside.any(1), torch.where(inside, x, -1e30).amax(1), 0.)
        net(layers, [5, 3], 4, {}, run, lengths=lengths)


def make():
    case([6, 4, 3], 2, 2)
    case([5, 7, 2], 2, 3, 2)
    case([5, 6, 2], 2, 3, 2, "same")
    case([5, 6, 2], 2, [3, 2], [1, 3], "same")
    case([7, 3], 3, 2)
    case([7, 3], 3, 3, 1, "same")
    case([8, 2], 4, 3, 2, lengths=[8, 4, 0, 1])
    case([7, 2], 4, 2, padding="same", lengths=[7, 4, 0, 1])
    over_all()

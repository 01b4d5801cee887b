"""Convolutions, with TensorFlow's "same" padding laid around the input by hand."""
import torch
from torch.nn import functional as F

from golden import draw, net
from layers import ACTIVATIONS


def around(n, size, stride, dilation, same):
    """Zeros before and behind n places."""
    reach = dilation * (size - 1) + 1
    missing = max((-(-n // stride) - 1) * stride + reach - n, 0) if same else 0
    return missing // 2, missing - missing // 2


def mask(x, lengths):
    """Zeros behind each row's steps."""
    if lengths is None:
        return x
    steps = torch.arange(x.shape[1]).reshape(1, -1, 1)
    return x * (steps < torch.tensor(lengths).reshape(-1, 1, 1))


def convolve(x, kernel, bias, strides, dilation, groups, same):
    """x [rows, places…, channels], kernel [places…, channels / groups, filters]."""
    axes = x.dim() - 2
    pads = [around(x.shape[1 + a], kernel.shape[a], strides[a], dilation[a], same) for a in range(axes)]
    x = F.pad(x.movedim(-1, 1), [side for pair in reversed(pads) for side in pair])
    kernel = kernel.movedim((-1, -2), (0, 1))
    run = F.conv1d if axes == 1 else F.conv2d
    return run(x, kernel, bias, tuple(strides), 0, tuple(dilation), groups).movedim(1, -1)


def case(shape, rows, filters, size, strides=1, padding="valid", dilation=1, groups=1, bias=True, lengths=None,
         activation=None):
    axes = len(shape) - 1
    name = f"conv{axes}d_1"
    layer = {"type": name[:-2], "filters": filters, "kernel_size": size, "strides": strides, "padding": padding,
             "dilation": dilation, "groups": groups, "use_bias": bias}
    if activation is not None:
        layer["activation"] = activation
    after = ACTIVATIONS[activation or "linear"]
    wide = [n if isinstance(n, list) else [n] * axes for n in (size, strides, dilation)]
    weights = {f"{name}.kernel": draw(*wide[0], shape[-1] // groups, filters, scale=0.5)}
    if bias:
        weights[f"{name}.bias"] = draw(filters)
    net([layer], shape, rows, weights,
        lambda x, w: after(convolve(mask(x, lengths), w[f"{name}.kernel"], w.get(f"{name}.bias"), wide[1], wide[2],
                                    groups, padding == "same")), lengths=lengths)


def make():
    case([7, 6, 1], 2, 6, 5)
    case([6, 5, 2], 2, 3, 3, padding="same")
    case([6, 5, 2], 2, 3, [4, 2], [2, 3], "same")
    case([7, 6, 2], 2, 3, 3, 2)
    case([6, 7, 3], 2, 2, 3, dilation=2, bias=False)
    case([5, 6, 3], 2, 2, 3, padding="same", dilation=[2, 3])
    case([5, 4, 4], 2, 6, 3, padding="same", groups=2)
    case([4, 3, 18], 2, 18, 3, padding="same", groups=18)
    case([6, 7, 4], 2, 4, [2, 3], 2, groups=4, dilation=2)
    case([4, 4, 3], 2, 6, 2, groups=3)
    case([3, 4, 6], 2, 4, 1)
    case([3, 4, 6], 2, 4, 1, 2)
    case([3, 3, 6], 2, 4, 1, groups=2)
    case([8, 3], 3, 4, 3)
    case([8, 3], 3, 4, 4, 3, "same")
    case([9, 4], 3, 6, 3, padding="same", dilation=3, groups=2)
    case([9, 4], 3, 4, 3, 2, groups=4)
    case([9, 3], 4, 2, 4, padding="same", lengths=[9, 4, 0, 1])
    case([9, 3], 4, 2, 3, 2, lengths=[9, 4, 0, 1])
    case([9, 3], 4, 3, 3, padding="same", groups=3, lengths=[9, 4, 0, 1])
    case([5, 4, 3], 2, 4, 3, padding="same", activation="gelu")
    case([8, 3], 3, 4, 3, bias=False, activation="relu")
    case([8, 3], 3, 3, 2, groups=3, activation="tanh")

"""Normalisations, products of layers, and skips with a stride."""
import torch
from torch.nn import functional as F

from convolutions import convolve
from golden import dense, draw, net, product
from pools import steps_before


def scales(name, channels, shift=True):
    weights = {f"{name}.gamma": draw(channels, low=0.5)}
    if shift:
        weights[f"{name}.beta"] = draw(channels)
    return weights


def groups():
    for shape, count in (([6], 2), ([3, 6], 3), ([2, 3, 6], 1), ([2, 3, 6], 6)):
        def run(x, w, n=count):
            y = F.group_norm(x.movedim(-1, 1), n, w["group_norm_1.gamma"], w["group_norm_1.beta"], 1e-5)
            return y.movedim(1, -1)
        net([{"type": "group_norm", "groups": count}], shape, 4, scales("group_norm_1", shape[-1]), run)
    lengths = [5, 2, 0, 1]

    def ragged(x, w):
        rows = [F.group_norm(row[:n].t()[None], 2, w["group_norm_1.gamma"], w["group_norm_1.beta"], 1e-5)[0].t()
                if n > 0 else row[:0] for row, n in zip(x, lengths)]
        return torch.stack([F.pad(row, (0, 0, 0, 5 - len(row))) for row in rows])
    net([{"type": "group_norm", "groups": 2}], [5, 4], 4, scales("group_norm_1", 4), ragged, lengths=lengths)


def root_mean_square():
    for shape in ([6], [3, 11]):
        net([{"type": "rms_norm"}], shape, 4, scales("rms_norm_1", shape[-1], False),
            lambda x, w: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * w["rms_norm_1.gamma"])


def ragged_batches():
    lengths = [5, 2, 0, 1]
    inside = steps_before(lengths, 5)[..., 0]
    for training in (True, False):
        weights = {**scales("batch_norm_1", 3), "batch_norm_1.moving_mean": draw(3),
                   "batch_norm_1.moving_variance": draw(3, low=0.5)}
        mean, variance = (weights[f"batch_norm_1.moving_{n}"].clone() for n in ("mean", "variance"))

        def run(x, w, t=training, m=mean, v=variance):
            y = torch.zeros_like(x)
            y[inside] = F.batch_norm(x[inside], m, v, w["batch_norm_1.gamma"], w["batch_norm_1.beta"], t, 0.1, 1e-5)
            return y
        net([{"type": "batch_norm"}], [5, 3], 4, weights, run, training=training, lengths=lengths,
            states={"batch_norm_1.moving_mean": mean, "batch_norm_1.moving_variance": variance})


def settings():
    """Another epsilon, another momentum, which is the weight of the old (PyTorch's: of the new)."""
    for training in (True, False):
        weights = {**scales("batch_norm_1", 3), "batch_norm_1.moving_mean": draw(3),
                   "batch_norm_1.moving_variance": draw(3, low=0.5)}
        mean, variance = (weights[f"batch_norm_1.moving_{n}"].clone() for n in ("mean", "variance"))
        net([{"type": "batch_norm", "momentum": 0.7, "epsilon": 0.1}], [3], 5, weights,
            lambda x, w, t=training, m=mean, v=variance: F.batch_norm(
                x, m, v, w["batch_norm_1.gamma"], w["batch_norm_1.beta"], t, 0.3, 0.1),
            training=training, states={"batch_norm_1.moving_mean": mean, "batch_norm_1.moving_variance": variance})
    net([{"type": "layer_norm", "epsilon": 0.1}], [3, 6], 3, scales("layer_norm_1", 6),
        lambda x, w: F.layer_norm(x, (6,), w["layer_norm_1.gamma"], w["layer_norm_1.beta"], 0.1))
    net([{"type": "rms_norm", "epsilon": 0.1}], [3, 6], 3, scales("rms_norm_1", 6, False),
        lambda x, w: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 0.1) * w["rms_norm_1.gamma"])
    net([{"type": "group_norm", "groups": 2, "epsilon": 0.1}], [5, 4], 3, scales("group_norm_1", 4),
        lambda x, w: F.group_norm(x.movedim(-1, 1), 2, w["group_norm_1.gamma"], w["group_norm_1.beta"], 0.1).movedim(1, -1))


def products():
    weights = {**dense("dense_1", 3, 4), **dense("dense_2", 3, 4), **dense("dense_3", 8, 2)}
    net([{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "dense", "units": 4, "inputs": ["input"]},
         {"type": "multiply", "inputs": ["dense_1", "dense_2"]}, {"type": "reshape", "shape": [1, 8]},
         {"type": "dense", "units": 2}], [2, 3], 4, weights,
        lambda x, w: product((torch.tanh(product(x, w, "dense_1")) * product(x, w, "dense_2")).reshape(-1, 1, 8), w,
                             "dense_3"))


def skips():
    for shape, strides in (([5, 4, 2], [2, 2]), ([5, 4, 2], [1, 2]), ([7, 2], [3])):
        axes = len(shape) - 1
        name = f"conv{axes}d_1"
        layer = {"type": f"conv{axes}d", "filters": 3, "kernel_size": 3, "strides": strides, "padding": "same"}
        weights = {f"{name}.kernel": draw(*[3] * axes, 2, 3, scale=0.5), f"{name}.bias": draw(3),
                   "residual_1.projection.kernel": draw(2, 3)}

        def run(x, w, n=name, s=tuple(strides)):
            skip = x[:, ::s[0]] if len(s) == 1 else x[:, ::s[0], ::s[1]]
            return (convolve(x, w[f"{n}.kernel"], w[f"{n}.bias"], s, [1] * len(s), 1, True)
                    + skip @ w["residual_1.projection.kernel"])
        net([{"type": "residual", "layers": [layer]}], shape, 3, weights, run)


def make():
    groups()
    root_mean_square()
    ragged_batches()
    products()
    skips()
    settings()

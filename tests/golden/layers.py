"""The activations, and layers and nets without a topic of their own."""
import torch
from torch import nn
from torch.nn import functional as F

from golden import dense, draw, net, product

ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "swish": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "softmax": lambda x: F.softmax(x, dim=-1),
}


def activations():
    # Scaled by 3, so that the tails are met too.
    for name, function in ACTIVATIONS.items():
        weights = {"dense_1.kernel": draw(5, 7, scale=1.5)}
        net([{"type": "dense", "units": 7, "use_bias": False, "activation": name}], [5], 6, weights,
            lambda x, w, f=function: f(product(x, w, "dense_1")))
    net([{"type": "activation", "function": "elu", "alpha": 0.5}, {"type": "dense", "units": 2}], [6], 4,
        dense("dense_1", 6, 2), lambda x, w: product(F.elu(x, 0.5), w, "dense_1"))
    net([{"type": "activation", "function": "prelu"}], [3, 4], 5, {"activation_1.alpha": draw(4, scale=0.3)},
        lambda x, w: torch.where(x > 0, x, w["activation_1.alpha"] * x))


def composed():
    net([{"type": "dense", "units": 4}], [6], 5, dense("dense_1", 6, 4), lambda x, w: product(x, w, "dense_1"))
    net([{"type": "dense", "units": 4}], [3, 6], 5, dense("dense_1", 6, 4), lambda x, w: product(x, w, "dense_1"))

    for shape in ([4], [3, 4], [2, 3, 4]):
        for training in (True, False):
            weights = {"batch_norm_1.gamma": draw(4, low=0.5), "batch_norm_1.beta": draw(4),
                       "batch_norm_1.moving_mean": draw(4), "batch_norm_1.moving_variance": draw(4, low=0.5)}
            norm = nn.BatchNorm1d(4, momentum=0.1)  # PyTorch's momentum is the weight of the new
            norm.running_mean.copy_(weights["batch_norm_1.moving_mean"])
            norm.running_var.copy_(weights["batch_norm_1.moving_variance"])

            def run(x, w, n=norm, t=training):
                y = F.batch_norm(x.reshape(-1, 4), n.running_mean, n.running_var, w["batch_norm_1.gamma"],
                                 w["batch_norm_1.beta"], t, 0.1, 1e-5)
                return y.reshape(x.shape)
            net([{"type": "batch_norm"}], shape, 6, weights, run, training=training,
                states={"batch_norm_1.moving_mean": norm.running_mean,
                        "batch_norm_1.moving_variance": norm.running_var})

    for shape in ([6], [3, 6]):
        weights = {"layer_norm_1.gamma": draw(6, low=0.5), "layer_norm_1.beta": draw(6)}
        net([{"type": "layer_norm"}], shape, 5, weights,
            lambda x, w: F.layer_norm(x, (6,), w["layer_norm_1.gamma"], w["layer_norm_1.beta"], 1e-5))

    weights = {**dense("dense_1", 4, 6), **dense("dense_2", 6, 3), "residual_1.projection.kernel": draw(4, 3)}
    net([{"type": "residual", "layers": [{"type": "dense", "units": 6, "activation": "tanh"},
                                         {"type": "dense", "units": 3}]}], [4], 5, weights,
        lambda x, w: product(torch.tanh(product(x, w, "dense_1")), w, "dense_2")
        + x @ w["residual_1.projection.kernel"])

    weights = {**dense("dense_1", 3, 4), **dense("dense_2", 3, 4), **dense("dense_3", 22, 2)}

    def branches(x, w):
        a, b = torch.relu(product(x, w, "dense_1")), product(x, w, "dense_2")
        return product(torch.cat([a + b, x, b], dim=-1).flatten(1), w, "dense_3")
    net([{"type": "dense", "units": 4, "name": "dense_1", "activation": "relu"},
         {"type": "dense", "units": 4, "inputs": ["input"]},
         {"type": "add", "inputs": ["dense_1", "dense_2"]},
         {"type": "concat", "inputs": ["add_1", "input", "dense_2"]},
         {"type": "flatten"},
         {"type": "dense", "units": 2}], [2, 3], 5, weights, branches)


def settings():
    """What an entry can be told beside its defaults."""
    for name, function in (("elu", lambda x, w: F.elu(x, 0.6)), ("leaky_relu", lambda x, w: F.leaky_relu(x, 0.2)),
                           ("prelu", lambda x, w: torch.where(x > 0, x, w["dense_1.alpha"] * x))):
        weights = {"dense_1.kernel": draw(5, 4), "dense_1.bias": draw(4)}
        if name == "prelu":
            weights["dense_1.alpha"] = draw(4, scale=0.3)
        net([{"type": "dense", "units": 4, "activation": {"type": name, "alpha": {"elu": 0.6}.get(name, 0.2)}}], [5], 6,
            weights, lambda x, w, f=function: f(product(x, w, "dense_1"), w))

    # Outside training nothing is dropped; which numbers are in training, PyTorch cannot say (see core/ops's tests).
    net([{"type": "dropout", "rate": 0.4}, {"type": "dense", "units": 3}], [5], 6, dense("dense_1", 5, 3),
        lambda x, w: product(F.dropout(x, 0.4, False), w, "dense_1"), training=False)

    for axis in (0, 1, -1):
        net([{"type": "dense", "units": 4, "activation": "tanh"},
             {"type": "concat", "axis": axis, "inputs": ["dense_1", "input", "dense_1"]}], [2, 3, 4], 3,
            dense("dense_1", 4, 4),
            lambda x, w, a=axis: torch.cat([torch.tanh(product(x, w, "dense_1")), x, torch.tanh(product(x, w, "dense_1"))],
                                           a + 1 if a >= 0 else a))


def make():
    activations()
    composed()
    settings()

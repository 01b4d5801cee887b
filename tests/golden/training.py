"""A whole run: the losses of ten steps of Adam on one batch."""
import torch
from torch.nn import functional as F

from golden import array, case, dense, draw, product


def make():
    layers = [{"type": "dense", "units": 8, "activation": "relu"}, {"type": "batch_norm"},
              {"type": "dense", "units": 3}]
    spec = {"model": {"layers": layers}, "shape": [4],
            "optimizer": {"type": "adam", "learning_rate": 0.05}}
    case("training", spec)
    x, classes = draw(16, 4), torch.arange(16) % 3
    weights = {**dense("dense_1", 4, 8), "batch_norm_1.gamma": torch.ones(8), "batch_norm_1.beta": torch.zeros(8),
               **dense("dense_2", 8, 3)}
    array("input", x)
    array("targets", classes)
    for name, weight in weights.items():
        array(name, weight)
        weight.requires_grad_()
    adam = torch.optim.Adam(list(weights.values()), lr=0.05)
    values = []
    for _ in range(10):
        hidden = torch.relu(product(x, weights, "dense_1"))
        hidden = F.batch_norm(hidden, None, None, weights["batch_norm_1.gamma"], weights["batch_norm_1.beta"], True)
        value = F.cross_entropy(product(hidden, weights, "dense_2"), classes)
        adam.zero_grad()
        value.backward()
        adam.step()
        values.append(value.item())
    array("losses", values)

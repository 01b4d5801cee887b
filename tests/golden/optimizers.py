"""Optimizers: ten steps with given gradients."""
import torch
from torch import nn

from golden import array, case, draw


def optimizer(spec, make):
    steps, count = 10, 12
    case("optimizer", spec)
    weights, gradients = draw(count), draw(steps, count)
    gradients[3] = 0  # moments alone move the weights
    array("weights", weights)
    array("gradients", gradients)
    parameter = nn.Parameter(weights.clone())
    chosen = make([parameter])
    after = []
    for step in range(steps):
        parameter.grad = gradients[step].clone()
        chosen.step()
        after.append(parameter.detach().clone())
    array("after", torch.stack(after))


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023, Symbolic Discovery of Optimization Algorithms; PyTorch has none."""

    def __init__(self, parameters, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for w in group["params"]:
                m = self.state[w].setdefault("m", torch.zeros_like(w))
                c = beta1 * m + (1 - beta1) * w.grad
                m.copy_(beta2 * m + (1 - beta2) * w.grad)
                w -= group["lr"] * (torch.sign(c) + group["weight_decay"] * w)


def make():
    o = torch.optim
    for momentum, nesterov, decay in ((0, False, 0), (0, False, 0.1), (0.9, False, 0), (0.9, False, 0.1),
                                      (0.8, True, 0), (0.8, True, 0.1)):
        optimizer({"type": "sgd", "learning_rate": 0.05, "momentum": momentum, "nesterov": nesterov,
                   "weight_decay": decay},
                  lambda p: o.SGD(p, lr=0.05, momentum=momentum, nesterov=nesterov, weight_decay=decay))
    for decay in (0, 0.1):
        optimizer({"type": "adam", "learning_rate": 0.01, "weight_decay": decay},
                  lambda p: o.Adam(p, lr=0.01, weight_decay=decay))
        optimizer({"type": "adam", "learning_rate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4,
                   "weight_decay": decay},
                  lambda p: o.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=decay))
        optimizer({"type": "adamw", "learning_rate": 0.01, "weight_decay": decay},
                  lambda p: o.AdamW(p, lr=0.01, weight_decay=decay))
        optimizer({"type": "rmsprop", "learning_rate": 0.01, "decay": 0.9, "weight_decay": decay},
                  lambda p: o.RMSprop(p, lr=0.01, alpha=0.9, weight_decay=decay))
        optimizer({"type": "rmsprop", "learning_rate": 0.02, "decay": 0.6, "epsilon": 1e-3, "weight_decay": decay},
                  lambda p: o.RMSprop(p, lr=0.02, alpha=0.6, eps=1e-3, weight_decay=decay))
        optimizer({"type": "adamw", "learning_rate": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4,
                   "weight_decay": decay},
                  lambda p: o.AdamW(p, lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=decay))
        optimizer({"type": "adagrad", "learning_rate": 0.05, "weight_decay": decay},
                  lambda p: o.Adagrad(p, lr=0.05, weight_decay=decay))
        optimizer({"type": "adagrad", "learning_rate": 0.05, "epsilon": 0.01, "weight_decay": decay},
                  lambda p: o.Adagrad(p, lr=0.05, eps=0.01, weight_decay=decay))
        optimizer({"type": "lion", "learning_rate": 0.01, "weight_decay": decay},
                  lambda p: Lion(p, lr=0.01, weight_decay=decay))
        optimizer({"type": "lion", "learning_rate": 0.02, "beta1": 0.7, "beta2": 0.8, "weight_decay": decay},
                  lambda p: Lion(p, lr=0.02, betas=(0.7, 0.8), weight_decay=decay))

#!/usr/bin/python3
"""Writes golden.txt: what PyTorch says of nets, losses, optimizers and schedules.

    /usr/bin/python3 tests/golden/make_golden.py        (Debian: apt install python3-torch; made with 1.13)

PyTorch computes in double precision from inputs that are exact in single precision; test_golden.c compares at 1e-5.
The file is a list of cases, read line by line:

    case KIND JSON          KIND: net, loss, optimizer, schedule; JSON: what the core is asked to do
    NAME COUNT NUMBERS…     an array; what is given and what must come out, by name (see test_golden.c)
"""
import json
import os
import sys

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(7)
lines = []


def draw(*shape, scale=1.0, low=None):
    """Normal numbers (uniform from `low` to 1 where given) that are exact in single precision."""
    values = torch.randn(*shape, generator=generator) * scale
    if low is not None:
        values = low + (1 - low) * torch.rand(*shape, generator=generator)
    return values.float().double()


def case(kind, spec):
    lines.append(f"case {kind} {json.dumps(spec)}")


def array(name, values):
    flat = torch.as_tensor(values).detach().reshape(-1).tolist()
    lines.append(f"{name} {len(flat)} " + " ".join(f"{x:.9g}" for x in flat))


# ---- nets: f = sum(objective * output); every weight's and the input's gradient ----

def net(layers, shape, rows, weights, run, states=None, training=True):
    """weights: {"layer.weight": tensor}; run(x, weights) gives the output; states: {name: function of nothing} after it."""
    case("net", {"model": {"layers": layers}, "shape": shape, "training": training})
    x = draw(rows, *shape)
    array("input", x)
    x.requires_grad_()
    for name, weight in weights.items():
        array(name, weight)
        if "moving" not in name:
            weight.requires_grad_()
    output = run(x, weights)
    objective = draw(*output.shape)
    array("objective", objective)
    (objective * output).sum().backward()
    array("output", output)
    array("gradient:input", x.grad)
    for name, weight in weights.items():
        if weight.grad is not None:
            array("gradient:" + name, weight.grad)
    for name, value in (states or {}).items():
        array("after:" + name, value)


def dense(name, inputs, units, bias=True):
    weights = {f"{name}.kernel": draw(inputs, units, scale=inputs ** -0.5)}
    if bias:
        weights[f"{name}.bias"] = draw(units, scale=0.3)
    return weights


def product(x, weights, name):
    y = x @ weights[f"{name}.kernel"]
    return y + weights[f"{name}.bias"] if f"{name}.bias" in weights else y


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


# ---- losses ----

def loss(spec, outputs, targets, value, class_weights=None):
    case("loss", spec)
    outputs = outputs.clone().requires_grad_()
    array("outputs", outputs)
    array("targets", targets)
    if class_weights is not None:
        array("class_weights", class_weights)
    result = value(outputs, targets)
    result.backward()
    array("value", result)
    array("gradient", outputs.grad)


def losses():
    logits, classes = draw(7, 5, scale=3), torch.tensor([0, 4, 2, 2, 1, 3, 0])
    large = (logits * 40).float().double()
    weights = draw(5, low=0.2)
    for smoothing in (0, 0.1):
        for weight in (None, weights):
            spec = {"type": "cross_entropy", "label_smoothing": smoothing}
            loss(spec, logits, classes,
                 lambda x, t, s=smoothing, w=weight: F.cross_entropy(x, t, weight=w, label_smoothing=s), weight)
    loss({"type": "cross_entropy"}, large, classes, F.cross_entropy)
    targets = draw(7, 5, low=0)
    loss({"type": "binary_cross_entropy"}, logits, targets, F.binary_cross_entropy_with_logits)
    loss({"type": "binary_cross_entropy"}, large, targets.round(), F.binary_cross_entropy_with_logits)
    loss({"type": "mse"}, logits, targets, F.mse_loss)
    loss({"type": "mae"}, logits, targets, F.l1_loss)
    loss({"type": "huber"}, logits, targets, F.huber_loss)
    loss({"type": "huber", "delta": 0.5}, logits, targets, lambda x, t: F.huber_loss(x, t, delta=0.5))


# ---- optimizers: ten steps with given gradients ----

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


def optimizers():
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


# ---- schedules: the factor of each step ----

def schedule(spec, steps, steps_per_epoch, make):
    case("schedule", {"schedule": spec, "steps": steps, "steps_per_epoch": steps_per_epoch})
    chosen = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(chosen)
    factors = []
    for step in range(1, steps + 1):
        factors.append(chosen.param_groups[0]["lr"])
        chosen.step()
        if scheduler is not None and (not isinstance(scheduler, S.StepLR) or step % steps_per_epoch == 0):
            scheduler.step()
    array("factors", factors)


S = torch.optim.lr_scheduler


def schedules():
    schedule({"type": "constant"}, 8, 2, lambda o: None)
    schedule({"type": "step", "every": 2, "factor": 0.5}, 30, 3, lambda o: S.StepLR(o, 2, 0.5))
    schedule({"type": "cosine"}, 20, 4, lambda o: S.CosineAnnealingLR(o, 20))
    schedule({"type": "cosine", "final_factor": 0.1}, 20, 4, lambda o: S.CosineAnnealingLR(o, 20, eta_min=0.1))
    # Warm-up by hand, as model.md has it: linear from 0, step s of w at s / w.
    schedule({"type": "constant", "warmup_steps": 5}, 10, 2,
             lambda o: S.LambdaLR(o, lambda done: min((done + 1) / 5, 1)))


# ---- a whole run: loss and weights of ten steps of Adam on one batch ----

def training():
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


def main():
    for make in (activations, composed, losses, optimizers, schedules, training):
        make()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.txt")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{path}: {len(lines)} lines, PyTorch {torch.__version__}", file=sys.stderr)


main()

#!/usr/bin/python3
"""Writes trace.json: bodies of POST /v1/trace and what PyTorch gives for each, in double precision.

    /usr/bin/python3 tests/golden/make_trace.py    (Debian: apt install python3-torch; made with 1.13)

tests/http/test_trace.py asks the service and compares every number at 1e-9.
"""
import json
import os

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator()
generator.manual_seed(11)


def draw(*shape):
    return (torch.randn(*shape, generator=generator) * 1e4).round() / 1e4  # short in JSON


def classifier():
    """4-6-5-3, two activations, weighed and smoothed classes, AdamW."""
    names = ["dense_1", "dense_2", "dense_3"]
    sizes = [4, 6, 5, 3]
    x = draw(7, 4).requires_grad_()
    targets = [0, 2, 1, 1, 0, 2, 2]
    weights = {name: {"kernel": draw(a, b).requires_grad_(), "bias": draw(b).requires_grad_()}
               for name, a, b in zip(names, sizes, sizes[1:])}
    body = {
        "model": {"layers": [{"type": "dense", "units": 6, "activation": "tanh"},
                             {"type": "dense", "units": 5, "activation": "gelu"},
                             {"type": "dense", "units": 3}]},
        "loss": {"type": "cross_entropy", "label_smoothing": 0.1}, "class_weight": [1, 2, 0.5],
        "optimizer": {"type": "adamw", "learning_rate": 0.02, "weight_decay": 0.1},
        "inputs": x.tolist(), "targets": targets,
        "weights": {name: {key: value.tolist() for key, value in of.items()} for name, of in weights.items()},
    }
    parameters = [value for of in weights.values() for value in of.values()]
    optimizer = torch.optim.AdamW(parameters, lr=0.02, weight_decay=0.1)
    values, forward = x, []
    for name, function in zip(names, [torch.tanh, F.gelu, lambda z: z]):
        before = values
        pre = before @ weights[name]["kernel"] + weights[name]["bias"]
        values = function(pre)
        for one in (before, pre, values):
            one.retain_grad()
        forward.append((name, before, pre, values))
    loss = F.cross_entropy(values, torch.tensor(targets), weight=torch.tensor([1, 2, 0.5]), label_smoothing=0.1)
    loss.backward()
    start = {name: {key: value.tolist() for key, value in of.items()} for name, of in weights.items()}
    optimizer.step()
    return {"body": body, "answer": {
        "forward": [{"layer": name, "type": "dense", "input": before.tolist(), "pre_activation": pre.tolist(),
                     "output": after.tolist()} for name, before, pre, after in forward],
        "loss": {"type": "cross_entropy", "value": loss.item()},
        "backward": [{"layer": name, "type": "dense", "gradient_output": after.grad.tolist(),
                      "gradient_pre_activation": pre.grad.tolist(), "gradient_input": before.grad.tolist(),
                      "gradients": {key: value.grad.tolist() for key, value in weights[name].items()}}
                     for name, before, pre, after in reversed(forward)],
        "update": {name: {key: {"before": start[name][key], "after": value.tolist()} for key, value in of.items()}
                   for name, of in weights.items()}}}


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "trace.json"), "w", encoding="ascii") as file:
    json.dump([classifier()], file)
    file.write("\n")

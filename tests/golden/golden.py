"""What the topics share: seeded numbers, and the lines of the file being made.

A file is a list of cases, read line by line:

    case KIND JSON          KIND: net, loss, optimizer, schedule, training; JSON: what the core is asked to do
    NAME COUNT NUMBERS…     an array; what is given and what must come out, by name (see test_golden.c)
"""
import json

import torch

torch.set_default_dtype(torch.float64)
generator = torch.Generator()
lines = []


def begin():
    """A new file: its numbers do not depend on any other's."""
    generator.manual_seed(7)
    lines.clear()


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

def net(layers, shape, rows, weights, run, states=None, training=True, lengths=None, vocabulary=None,
        graphs=None):
    """weights: {"layer.weight": tensor}; run(x, weights) gives the output; states: {name: function of nothing} after it;
    lengths: of the rows, sequences [time, …]; vocabulary: the input is ids below it; graphs: whose nodes the rows are,
    [{"nodes": n, "edges": [[source, target], …]}, …]: one, with targets for its nodes, or several."""
    spec = {"model": {"layers": layers}, "shape": shape, "training": training}
    if graphs is not None:
        spec.update({"graph": graphs[0]} if len(graphs) == 1 else {"graphs": graphs})
    case("net", spec)
    if lengths is not None:
        array("lengths", lengths)
    x = draw(rows, *shape)
    if vocabulary is not None:
        x = torch.randint(vocabulary, (rows, *shape), generator=generator).double()
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
    array("gradient:input", torch.zeros_like(x) if x.grad is None else x.grad)
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

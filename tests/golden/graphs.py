"""Graph layers, by their papers' formulas on dense adjacency matrices."""
import torch
from torch.nn import functional as F

from golden import draw, net, product

RING = {"nodes": 7, "edges": [[0, 1], [1, 2], [2, 3], [3, 0], [1, 3], [3, 4], [4, 5], [5, 1]]}  # node 6 is alone
FLOW = {"nodes": 6, "directed": True,  # nothing comes into node 5
        "edges": [[0, 1], [2, 1], [3, 1], [1, 4], [4, 1], [0, 4], [2, 0], [4, 0], [5, 0], [1, 3], [5, 3], [4, 2], [0, 2]]}
PAIR = {"nodes": 2, "edges": [[0, 1]]}


def matrix(graphs):
    """A[v, u] = 1 where an edge leads from u to v."""
    blocks = []
    for graph in graphs:
        a = torch.zeros(graph["nodes"], graph["nodes"])
        for u, v in graph["edges"]:
            a[v, u] = 1
            if not graph.get("directed"):
                a[u, v] = 1
        blocks.append(a)
    return torch.block_diag(*blocks)


def gcn(x, w, name, a):
    loops = a + torch.eye(len(a))
    d = loops.sum(1) ** -0.5
    return product(d[:, None] * loops * d[None, :] @ x, w, name)


def sage(x, w, name, a, aggregator):
    if aggregator == "mean":
        near = a @ x / a.sum(1, keepdim=True).clamp(min=1)
    else:
        spread = x[None].expand(len(a), *x.shape).masked_fill(a[:, :, None] == 0, -torch.inf).max(1).values
        near = torch.where(a.sum(1, keepdim=True) > 0, spread, torch.zeros(()))
    return x @ w[name + ".self_kernel"] + near @ w[name + ".neighbor_kernel"] + w[name + ".bias"]


def gat(x, w, name, a, heads, concat=True, slope=0.2):
    h = (x @ w[name + ".kernel"]).reshape(len(a), heads, -1)
    source = (h * w[name + ".source_attention"]).sum(-1)
    target = (h * w[name + ".target_attention"]).sum(-1)
    scores = F.leaky_relu(source[None] + target[:, None], slope)  # [target, source, heads]
    absent = (a + torch.eye(len(a)) == 0)[:, :, None]
    attention = scores.masked_fill(absent, -torch.inf).softmax(1)
    out = torch.einsum("vuh,uhc->vhc", attention, h)
    return (out.flatten(1) if concat else out.mean(1)) + w[name + ".bias"]


def gin(x, w, name, a):
    return product((1 + w[name + ".epsilon"]) * x + a @ x, w, name)


def kernel(name, inputs, units):
    return {f"{name}.kernel": draw(inputs, units, scale=inputs ** -0.5), f"{name}.bias": draw(units, scale=0.3)}


def sage_weights(name, inputs, units):
    return {f"{name}.self_kernel": draw(inputs, units, scale=inputs ** -0.5),
            f"{name}.neighbor_kernel": draw(inputs, units, scale=inputs ** -0.5), f"{name}.bias": draw(units, scale=0.3)}


def gat_weights(name, inputs, units, heads, concat=True):
    return {f"{name}.kernel": draw(inputs, heads * units, scale=inputs ** -0.5),
            f"{name}.source_attention": draw(heads, units), f"{name}.target_attention": draw(heads, units),
            f"{name}.bias": draw(heads * units if concat else units, scale=0.3)}


def make():
    for graphs in ([RING], [FLOW], [FLOW, PAIR, {"nodes": 1, "edges": []}]):
        a = matrix(graphs)
        nodes = len(a)
        # Narrower (the product goes first), then wider.
        net([{"type": "gcn_conv", "units": 3, "activation": "tanh"}, {"type": "gcn_conv", "units": 5}], [4], nodes,
            {**kernel("gcn_conv_1", 4, 3), **kernel("gcn_conv_2", 3, 5)},
            lambda x, w: gcn(torch.tanh(gcn(x, w, "gcn_conv_1", a)), w, "gcn_conv_2", a), graphs=graphs)
        for aggregator in ("mean", "max"):
            net([{"type": "sage_conv", "units": 3, "aggregator": aggregator, "activation": "tanh"},
                 {"type": "sage_conv", "units": 18, "aggregator": aggregator}], [4], nodes,
                {**sage_weights("sage_conv_1", 4, 3), **sage_weights("sage_conv_2", 3, 18)},
                lambda x, w: sage(torch.tanh(sage(x, w, "sage_conv_1", a, aggregator)), w, "sage_conv_2", a, aggregator),
                graphs=graphs)
        net([{"type": "gat_conv", "units": 3, "heads": 2, "activation": "tanh"}, {"type": "gat_conv", "units": 4}], [4],
            nodes, {**gat_weights("gat_conv_1", 4, 3, 2), **gat_weights("gat_conv_2", 6, 4, 1)},
            lambda x, w: gat(torch.tanh(gat(x, w, "gat_conv_1", a, 2)), w, "gat_conv_2", a, 1), graphs=graphs)
        net([{"type": "gat_conv", "units": 3, "heads": 4, "concat": False, "negative_slope": 0.05}], [5], nodes,
            gat_weights("gat_conv_1", 5, 3, 4, False), lambda x, w: gat(x, w, "gat_conv_1", a, 4, False, 0.05),
            graphs=graphs)
        net([{"type": "gin_conv", "units": 3, "activation": "tanh"}, {"type": "gin_conv", "units": 17}], [4], nodes,
            {"gin_conv_1.epsilon": draw(1, scale=0.3), **kernel("gin_conv_1", 4, 3),
             "gin_conv_2.epsilon": draw(1, scale=0.3), **kernel("gin_conv_2", 3, 17)},
            lambda x, w: gin(torch.tanh(gin(x, w, "gin_conv_1", a)), w, "gin_conv_2", a), graphs=graphs)
    # Dropout acts in training alone.
    a = matrix([RING])
    net([{"type": "gat_conv", "units": 3, "heads": 2, "dropout": 0.4}], [4], len(a), gat_weights("gat_conv_1", 4, 3, 2),
        lambda x, w: gat(x, w, "gat_conv_1", a, 2), graphs=[RING], training=False)

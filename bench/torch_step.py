"""The workloads in PyTorch, as its users write them, timed in windows of steps that the caller asks for.

    torch_step.py NAME THREADS        speaks as bench/step.c does: a line of input is a number of steps

Needs nothing but torch; the environment (OPENBLAS_CORETYPE, OMP_NUM_THREADS, LD_LIBRARY_PATH) is the caller's.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional

BATCHES = 8


def stack(widths, norm=False):
    parts = []
    for k, n in zip(widths[:-2], widths[1:]):
        parts += [nn.Linear(k, n), *([nn.BatchNorm1d(n)] if norm else []), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(*widths[-2:]))


def lenet():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), *stack([400, 120, 84, 10]))


class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(channels, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters), nn.ReLU(),
                                  nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters))
        self.skip = nn.Identity() if channels == filters else nn.Sequential(
            nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        return functional.relu(self.main(x) + self.skip(x))


def resnet():
    shapes = [(32, 32, 1), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1)]
    return nn.Sequential(nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
                         *[Block(*shape) for shape in shapes], nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


class Characters(nn.Module):
    def __init__(self, kind, vocabulary=65):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 64)
        self.recurrent = kind(64, 256, batch_first=True)
        self.head = nn.Linear(256, vocabulary)

    def forward(self, x):
        return self.head(self.recurrent(self.embedding(x))[0])


class Attention(nn.Module):
    """Pre-norm block with causal attention and a feed-forward net four times as wide."""

    def __init__(self, width, heads, steps):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.register_buffer("future", torch.ones(steps, steps, dtype=torch.bool).triu(1))

    def forward(self, x):
        batch, steps, width = x.shape
        parts = self.qkv(self.norm_1(x)).view(batch, steps, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = (query @ key.transpose(-2, -1) * self.scale).masked_fill(self.future, float("-inf"))
        x = x + self.out((scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, steps, width))
        return x + self.narrow(functional.gelu(self.wide(self.norm_2(x))))


class Transformer(nn.Module):
    def __init__(self, blocks=4, heads=4, width=128, steps=64, vocabulary=65):
        super().__init__()
        self.token, self.place = nn.Embedding(vocabulary, width), nn.Embedding(steps, width)
        self.blocks = nn.Sequential(*[Attention(width, heads, steps) for _ in range(blocks)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, x):
        places = torch.arange(x.shape[1])
        return self.head(self.norm(self.blocks(self.token(x) + self.place(places))))


class GraphNet(nn.Module):
    """Two graph convolutions (Kipf and Welling) on a fixed graph, features dense."""

    def __init__(self, nodes=2708, edges=5278, features=1433):
        super().__init__()
        ends = torch.randint(nodes, (2, edges))
        places = torch.cat([ends, ends.flip(0), torch.arange(nodes).repeat(2, 1)], 1)
        matrix = torch.sparse_coo_tensor(places, torch.ones(places.shape[1]), (nodes, nodes)).coalesce()
        degree = torch.sparse.sum(matrix, 1).to_dense()
        row, column = matrix.indices()
        self.matrix = torch.sparse_coo_tensor(matrix.indices(), matrix.values() / (degree[row] * degree[column]).sqrt(),
                                              (nodes, nodes)).coalesce()
        self.first, self.second = nn.Linear(features, 16), nn.Linear(16, 7)

    def spread(self, layer, x):
        return torch.sparse.mm(self.matrix, x @ layer.weight.t()) + layer.bias

    def forward(self, x):
        return self.spread(self.second, functional.relu(self.spread(self.first, x)))


def classified(shape, batch, classes=10):
    return lambda: [(torch.randn(batch, *shape), torch.randint(classes, (batch,))) for _ in range(BATCHES)]


def texts(batch, steps=64, vocabulary=65):
    return lambda: [torch.randint(vocabulary, (2, batch, steps)).unbind() for _ in range(BATCHES)]


def citations(nodes=2708, features=1433):
    words = (torch.rand(nodes, features) < 0.0127).float()
    return [(words / words.sum(1, keepdim=True).clamp(min=1), (torch.randperm(nodes)[:140], torch.randint(7, (140,))))]


def row_loss(output, targets):
    return functional.cross_entropy(output, targets)


def token_loss(output, targets):
    return functional.cross_entropy(output.flatten(0, 1), targets.flatten())


def node_loss(output, targets):
    nodes, classes = targets
    return functional.cross_entropy(output[nodes], classes)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-6)


def adamw(parameters):
    return torch.optim.AdamW(parameters, lr=1e-6, betas=(0.9, 0.99), weight_decay=0.1)


def momentum(parameters):
    return torch.optim.SGD(parameters, lr=1e-4, momentum=0.9)


# name: net, data, loss, optimizer, bound of the gradient's norm
WORKLOADS = {
    "mlp_tiny": (lambda: stack([4, 16, 3]), classified([4], 16, 3), row_loss, momentum, None),
    "mlp_mnist": (lambda: stack([784, 256, 128, 10]), classified([784], 64), row_loss, adam, None),
    "mlp_wide": (lambda: stack([784, 1024, 1024, 1024, 10]), classified([784], 128), row_loss, adam, None),
    "mlp_deep": (lambda: stack([64] + [128] * 30 + [10], norm=True), classified([64], 128), row_loss, adam, None),
    "cnn_lenet": (lenet, classified([1, 28, 28], 64), row_loss, adam, None),
    "cnn_bn_res": (resnet, classified([3, 32, 32], 64), row_loss, momentum, None),
    "rnn_tanh": (lambda: Characters(nn.RNN), texts(32), token_loss, adam, 1.0),
    "gru": (lambda: Characters(nn.GRU), texts(32), token_loss, adam, 1.0),
    "lstm": (lambda: Characters(nn.LSTM), texts(32), token_loss, adam, 1.0),
    "transformer": (Transformer, texts(12), token_loss, adamw, None),
    "gcn_cora": (GraphNet, citations, node_loss, adam, None),
}


def peak_bytes():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def say(**fields):
    print(json.dumps(fields), flush=True)


def main(name, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    make_net, make_data, loss_of, make_optimizer, bound = WORKLOADS[name]
    net, data = make_net(), make_data()
    parameters = list(net.parameters())
    optimizer = make_optimizer(parameters)

    def step(number):
        inputs, targets = data[number % len(data)]
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(net(inputs), targets)
        loss.backward()
        if bound:
            nn.utils.clip_grad_norm_(parameters, bound)
        optimizer.step()
        return loss

    step(0).item()
    say(ready=True, parameters=sum(p.numel() for p in parameters))
    for line in sys.stdin:
        steps = int(line)
        begin, processor = time.perf_counter(), time.process_time()
        for number in range(steps):
            loss = step(number)
        last = loss.item()
        seconds = time.perf_counter() - begin
        say(steps=steps, seconds=seconds, cpu_seconds=time.process_time() - processor, memory_bytes=peak_bytes(), loss=last)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

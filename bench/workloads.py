"""What is timed: for each workload the job as a user posts it, its synthetic data, and the arithmetic of one step.

`torch_step.py` has the same nets in PyTorch. Learning rates are tiny on purpose: the arithmetic is the same, and thousands of
steps over eight batches cannot memorise them and drive the gradients into denormal numbers.

The arithmetic of a step is a list of the matrix products of its forward pass, (m, n, k, times); a convolution counts as the
product of its patches. Operations a step are three times those of the forward pass, as is the custom, whoever does less.
"""
import json
import random

BATCHES = 8
ADAM = {"type": "adam", "learning_rate": 1e-6}
ADAMW = {"type": "adamw", "learning_rate": 1e-6, "beta2": 0.99, "weight_decay": 0.1}
MOMENTUM = {"type": "sgd", "learning_rate": 1e-4, "momentum": 0.9}
RECORD_EVERY = 10  # what a job of 20,000 steps gets by default


class Workload:
    """`sparse`: most of its inputs are zeros, and nobody has to multiply by them."""

    def __init__(self, layers, data, batch, optimizer, products, sparse=False, **training):
        self.layers, self.data, self.batch, self.sparse = layers, data, batch, sparse
        self.optimizer, self.products, self.training = optimizer, products, training
        self.embedded = layers[0]["type"] == "embedding"

    @property
    def operations(self):
        return 3 * sum(2 * m * n * k * times for m, n, k, times in self.products)

    def job(self, record_every=RECORD_EVERY):
        return {"model": {"layers": self.layers},
                "training": {"steps": 10**9, "batch_size": self.batch, "validation_split": 0, "seed": 1,
                             "record_every": record_every, "optimizer": self.optimizer, **self.training}}

    def step_products(self):
        """All the products of a step as (transpose_a, transpose_b, m, n, k, times). Where the first layer reads the job's inputs,
        these need no gradient."""
        for i, (m, n, k, times) in enumerate(self.products):
            yield 0, 0, m, n, k, times
            yield 1, 0, k, n, m, times
            if i > 0 or self.embedded:
                yield 0, 1, m, k, n, times


# ---- data: JSON text as a user would post it ----

def numbers(chance, count):
    return [round(chance.gauss(0, 1), 3) for _ in range(count)]


def rows(shape, classes, batch):
    def make(batches):
        chance = random.Random(1)

        def fill(dims):
            return numbers(chance, dims[0]) if len(dims) == 1 else [fill(dims[1:]) for _ in range(dims[0])]
        count = batches * batch
        return {"inputs": [fill(shape) for _ in range(count)],
                "targets": [f"c{i % classes}" for i in range(count)]}
    return make


def corpus(tokens, vocabulary=65):
    """`tokens` a batch."""
    def make(batches):
        chance = random.Random(1)
        letters = [chr(0x30 + i) for i in range(vocabulary)]
        return {"text": "".join(letters + chance.choices(letters, k=batches * tokens + 1 - vocabulary)), "tokenizer": "char"}
    return make


def citations(nodes=2708, edges=5278, features=1433, classes=7, filled=0.0127, train=140):
    """A graph of Cora's size: its features are words that a paper has, each row scaled to sum 1."""
    def make(_):
        chance = random.Random(1)
        indices, values = [], []
        for node in range(nodes):
            words = [word for word in range(features) if chance.random() < filled]
            indices += [[node, word] for word in words]
            values += [round(1 / len(words), 6)] * len(words)
        return {"graph": {
            "nodes": {"shape": [nodes, features], "indices": indices, "values": values},
            "edges": [[chance.randrange(nodes), chance.randrange(nodes)] for _ in range(edges)],
            "targets": [f"c{node % classes}" for node in range(nodes)],
            "splits": {"train": sorted(chance.sample(range(nodes), train)), "validation": [], "test": []}}}
    return make


# ---- nets ----

def layer(kind, /, **more):
    return {"type": kind, **more}


def dense_products(batch, widths):
    return [(batch, n, k, 1) for k, n in zip(widths, widths[1:])]


def mlp(widths, batch, optimizer):
    layers = [layer("dense", units=n, activation="relu") for n in widths[1:-1]] + [layer("dense", units=widths[-1])]
    return Workload(layers, rows([widths[0]], widths[-1], batch), batch, optimizer, dense_products(batch, widths))


def deep(batch=128):
    widths = [64] + [128] * 30 + [10]
    layers = [part for n in widths[1:-1] for part in (layer("dense", units=n), layer("batch_norm"),
                                                      layer("activation", function="relu"))] + [layer("dense", units=10)]
    return Workload(layers, rows([64], 10, batch), batch, ADAM, dense_products(batch, widths))


def lenet(batch=64):
    layers = [layer("conv2d", filters=6, kernel_size=5, padding="same", activation="relu"), layer("max_pool2d"),
              layer("conv2d", filters=16, kernel_size=5, activation="relu"), layer("max_pool2d"), layer("flatten"),
              layer("dense", units=120, activation="relu"), layer("dense", units=84, activation="relu"),
              layer("dense", units=10)]
    products = [(28 * 28, 6, 25, batch), (10 * 10, 16, 150, batch), *dense_products(batch, [400, 120, 84, 10])]
    return Workload(layers, rows([28, 28, 1], 10, batch), batch, ADAM, products)


def resnet(batch=64):
    """ResNet-14: three stages of two blocks; where a block changes the shape, the skip is a convolution with batch norm."""
    def conv(filters, kernel, strides=1, **more):
        return layer("conv2d", filters=filters, kernel_size=kernel, strides=strides, padding="same", use_bias=False, **more)

    relu = layer("activation", function="relu")
    layers = [conv(32, 3), layer("batch_norm"), {**relu, "name": "block_0"}]
    products, channels, side = [(32 * 32, 32, 27, batch)], 32, 32
    for number, (filters, strides) in enumerate([(32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)], 1):
        side //= strides
        before = skip = f"block_{number - 1}"
        main = f"main_{number}"
        layers += [conv(filters, 3, strides, inputs=[before]), layer("batch_norm"), relu, conv(filters, 3),
                   layer("batch_norm", name=main)]
        products += [(side * side, filters, 9 * channels, batch), (side * side, filters, 9 * filters, batch)]
        if filters != channels:
            skip = f"skip_{number}"
            layers += [conv(filters, 1, strides, inputs=[before]), layer("batch_norm", name=skip)]
            products.append((side * side, filters, channels, batch))
        layers += [layer("add", inputs=[main, skip]), {**relu, "name": f"block_{number}"}]
        channels = filters
    layers += [layer("global_avg_pool"), layer("dense", units=10)]
    return Workload(layers, rows([32, 32, 3], 10, batch), batch, MOMENTUM, products + dense_products(batch, [128, 10]))


def characters(kind, gates, batch=32, steps=64, units=256, embedding=64, vocabulary=65):
    layers = [layer("embedding", units=embedding), layer(kind, units=units, return_sequences=True),
              layer("dense", units=vocabulary)]
    products = [(batch * steps, gates * units, embedding, 1), (batch, gates * units, units, steps),
                (batch * steps, vocabulary, units, 1)]
    return Workload(layers, corpus(batch * steps, vocabulary), batch, ADAM, products, sequence_length=steps,
                    clip_norm=1)


def transformer(blocks=4, heads=4, width=128, steps=64, batch=12, vocabulary=65):
    layers = [layer("embedding", units=width), layer("positional_embedding"),
              *[layer("transformer_block", heads=heads, causal=True) for _ in range(blocks)], layer("layer_norm"),
              layer("dense", units=vocabulary, use_bias=False)]
    tokens, head = batch * steps, width // heads
    products = [(tokens, 3 * width, width, blocks), (tokens, width, width, blocks),
                (tokens, 4 * width, width, blocks), (tokens, width, 4 * width, blocks),
                (steps, steps, head, blocks * heads * batch), (steps, head, steps, blocks * heads * batch),
                (tokens, vocabulary, width, 1)]
    return Workload(layers, corpus(tokens, vocabulary), batch, ADAMW, products, sequence_length=steps)


def cora(nodes=2708, features=1433, hidden=16, classes=7):
    layers = [layer("gcn_conv", units=hidden, activation="relu"), layer("gcn_conv", units=classes)]
    return Workload(layers, citations(), "full", ADAM, dense_products(nodes, [features, hidden, classes]), sparse=True)


WORKLOADS = {
    "mlp_tiny": mlp([4, 16, 3], 16, MOMENTUM),
    "mlp_mnist": mlp([784, 256, 128, 10], 64, ADAM),
    "mlp_wide": mlp([784, 1024, 1024, 1024, 10], 128, ADAM),
    "mlp_deep": deep(),
    "cnn_lenet": lenet(),
    "cnn_bn_res": resnet(),
    "rnn_tanh": characters("rnn", 1),
    "gru": characters("gru", 3),
    "lstm": characters("lstm", 4),
    "transformer": transformer(),
    "gcn_cora": cora(),
}


def write(workload, folder, batches=BATCHES):
    """The job's file, and the dataset's where it is not yet there."""
    (folder / "datasets").mkdir(parents=True, exist_ok=True)
    job, data = folder / "job.json", folder / "data.json"
    job.write_text(json.dumps(workload.job()), encoding="utf-8")
    if not data.exists():
        data.write_text(json.dumps(workload.data(batches)), encoding="utf-8")
    return job, data

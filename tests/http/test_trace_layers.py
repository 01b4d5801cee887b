"""POST /v1/trace for every layer that GET /v1/layers names, with every weight given by its name and shape in the contract."""
import random
import unittest

from harness import LiveTest

ROWS = 4


def layer(kind, /, **more):
    return {"type": kind, **more}


def bidirectional(weights):
    return {side + name: shape for side in ("forward_", "backward_") for name, shape in weights.items()}


def recurrent(gates, biases=()):
    return {"kernel": [3, gates * 2], "recurrent_kernel": [2, gates * 2], "bias": [*biases, gates * 2]}


def attention(width, units):
    sizes = {"query": [width, units], "key": [width, units], "value": [width, units], "output": [units, width]}
    return {f"{part}_{name}": shape if name == "kernel" else shape[1:] for part, shape in sizes.items()
            for name in ("kernel", "bias")}


def within(part, weights):
    return {f"{part}.{name}": shape for name, shape in weights.items()}


NORM = {"gamma": [4], "beta": [4]}
HEAD, HEAD_WEIGHTS = layer("dense", units=2, name="head"), {"kernel": None, "bias": [2]}
POOL = layer("global_avg_pool")

# What the rows are, the layers, and the weights of those that have some: the table of the contract, with sizes.
ROW, SEQUENCE, PIXELS, TOKENS, GRAPH = [4], [5, 3], [4, 4, 2], [5], "graph"
CASES = [
    (ROW, [layer("dense", units=3, activation="tanh")], {"dense_1": {"kernel": [4, 3], "bias": [3]}}),
    (SEQUENCE, [layer("dense", units=3, use_bias=False), layer("flatten")], {"dense_1": {"kernel": [3, 3]}}),
    (ROW, [layer("activation", function="prelu"), layer("dropout", rate=0.3)], {"activation_1": {"alpha": [4]}}),
    (PIXELS, [layer("conv2d", filters=3, kernel_size=[3, 2], padding="same", activation="prelu"), layer("max_pool2d"),
              layer("global_max_pool")], {"conv2d_1": {"kernel": [3, 2, 2, 3], "bias": [3], "alpha": [3]}}),
    (PIXELS, [layer("conv2d", filters=4, kernel_size=2, groups=2), layer("avg_pool2d"), layer("flatten")],
     {"conv2d_1": {"kernel": [2, 2, 1, 4], "bias": [4]}}),
    (SEQUENCE, [layer("conv1d", filters=4, kernel_size=2), layer("max_pool1d"), POOL],
     {"conv1d_1": {"kernel": [2, 3, 4], "bias": [4]}}),
    (SEQUENCE, [layer("conv1d", filters=3, kernel_size=3, groups=3, dilation=2, padding="same"), layer("avg_pool1d"), POOL],
     {"conv1d_1": {"kernel": [3, 1, 3], "bias": [3]}}),
    (ROW, [layer("batch_norm")], {"batch_norm_1": {**NORM, "moving_mean": [4], "moving_variance": [4]}}),
    (ROW, [layer("layer_norm")], {"layer_norm_1": NORM}),
    (ROW, [layer("group_norm", groups=2)], {"group_norm_1": NORM}),
    (ROW, [layer("rms_norm")], {"rms_norm_1": {"gamma": [4]}}),
    (ROW, [layer("reshape", shape=[2, 2]), layer("flatten")], {}),
    (TOKENS, [layer("embedding", vocabulary=6, units=3), layer("positional_embedding"), POOL],
     {"embedding_1": {"embeddings": [6, 3]}, "positional_embedding_1": {"embeddings": [5, 3]}}),
    (TOKENS, [layer("embedding", vocabulary=6, units=3), layer("positional_embedding", kind="sinusoidal"), POOL],
     {"embedding_1": {"embeddings": [6, 3]}}),
    (SEQUENCE, [layer("rnn", units=2)], {"rnn_1": recurrent(1)}),
    (SEQUENCE, [layer("rnn", units=2, bidirectional=True, activation="relu")], {"rnn_1": bidirectional(recurrent(1))}),
    (SEQUENCE, [layer("lstm", units=2)], {"lstm_1": recurrent(4)}),
    (SEQUENCE, [layer("lstm", units=2, bidirectional=True, return_sequences=True), POOL], {"lstm_1": bidirectional(recurrent(4))}),
    (SEQUENCE, [layer("gru", units=2)], {"gru_1": recurrent(3, [2])}),
    (SEQUENCE, [layer("gru", units=2, bidirectional=True)], {"gru_1": bidirectional(recurrent(3, [2]))}),
    (SEQUENCE, [layer("gru", units=2, reset_after=False, bidirectional=True, return_sequences=True), POOL],
     {"gru_1": bidirectional(recurrent(3))}),
    (SEQUENCE, [layer("multi_head_attention", heads=2, units=4, causal=True), POOL], {"multi_head_attention_1": attention(3, 4)}),
    (SEQUENCE, [layer("dense", units=4, use_bias=False), layer("transformer_block", heads=2, ff_units=5), POOL],
     {"dense_1": {"kernel": [3, 4]}, "transformer_block_1": {
         **within("norm_1", NORM), **within("norm_2", NORM), **within("attention", attention(4, 4)),
         "dense_1.kernel": [4, 5], "dense_1.bias": [5], "dense_2.kernel": [5, 4], "dense_2.bias": [4]}}),
    (ROW, [layer("residual", layers=[layer("dense", units=4)])], {"dense_1": {"kernel": [4, 4], "bias": [4]}}),
    (PIXELS, [layer("residual", layers=[layer("conv2d", filters=3, kernel_size=3, strides=2, padding="same")]), layer("flatten")],
     {"conv2d_1": {"kernel": [3, 3, 2, 3], "bias": [3]}, "residual_1": {"projection.kernel": [2, 3]}}),
    (ROW, [layer("dense", units=3, name="a"), layer("dense", units=3, name="b", inputs=["input"]),
           layer("add", inputs=["a", "b"]), layer("multiply", inputs=["add_1", "a"]), layer("concat", inputs=["multiply_1", "input"])],
     {"a": {"kernel": [4, 3], "bias": [3]}, "b": {"kernel": [4, 3], "bias": [3]}}),
    (GRAPH, [layer("gcn_conv", units=3)], {"gcn_conv_1": {"kernel": [4, 3], "bias": [3]}}),
    (GRAPH, [layer("sage_conv", units=3, aggregator="max")],
     {"sage_conv_1": {"self_kernel": [4, 3], "neighbor_kernel": [4, 3], "bias": [3]}}),
    (GRAPH, [layer("gat_conv", units=3, heads=2)],
     {"gat_conv_1": {"kernel": [4, 6], "source_attention": [2, 3], "target_attention": [2, 3], "bias": [6]}}),
    (GRAPH, [layer("gat_conv", units=3, heads=2, concat=False)],
     {"gat_conv_1": {"kernel": [4, 6], "source_attention": [2, 3], "target_attention": [2, 3], "bias": [3]}}),
    (GRAPH, [layer("gin_conv", units=3)], {"gin_conv_1": {"epsilon": [1], "kernel": [4, 3], "bias": [3]}}),
]


def flat(values):
    return [number for value in values for number in flat(value)] if isinstance(values, list) else [values]


def shape_of(values):
    return [len(values), *shape_of(values[0])] if isinstance(values, list) else []


class EveryLayer(LiveTest):
    def setUp(self):
        self.random = random.Random(5)

    def draw(self, shape, low=-1.0):
        """Random numbers; ones that cannot be told apart would hide a transposed kernel."""
        return [self.draw(shape[1:], low) for _ in range(shape[0])] if shape else self.random.uniform(low, 1)

    def ids(self, shape):
        return [self.ids(shape[1:]) for _ in range(shape[0])] if shape else self.random.randrange(6)

    def body(self, kind, layers):
        body = {"model": {"layers": [*layers, HEAD]}, "targets": [row % 2 for row in range(ROWS)], "dropout": True,
                "optimizer": {"type": "sgd", "learning_rate": 0.25}}
        if kind is GRAPH:
            body["graph"] = {"nodes": self.draw([ROWS, 4]), "edges": [[0, 1], [1, 2], [2, 0], [2, 3]]}
        else:
            body["inputs"] = self.ids([ROWS, *kind]) if kind is TOKENS else self.draw([ROWS, *kind])
        return body

    def trace(self, body):
        answer = self.server.post("/v1/trace", body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def check_case(self, kind, layers, weights):
        body = self.body(kind, layers)
        drawn = self.trace(body)
        shapes = {name: {key: shape_of(change["before"]) for key, change in of.items()} for name, of in drawn["update"].items()}
        head = shapes["head"]["kernel"]
        self.assertEqual(shapes, {**weights, "head": {**HEAD_WEIGHTS, "kernel": [head[0], 2]}})
        # A variance is not negative.
        body["weights"] = {name: {key: self.draw(shape, 0.1 if key == "moving_variance" else -1) for key, shape in of.items()}
                           for name, of in shapes.items()}
        answer = self.trace(body)
        self.assertNotEqual(answer["loss"]["value"], drawn["loss"]["value"])
        self.check_update(body, answer)
        self.check_numeric(answer)
        # The order in which the layers ran, turned round.
        self.assertEqual([entry["layer"] for entry in answer["backward"]], [entry["layer"] for entry in answer["forward"]][::-1])
        self.assertEqual({entry["type"] for entry in answer["forward"]}, types_of([*layers, HEAD]))

    def check_update(self, body, answer):
        """before is what was given, and after a step of gradient descent from it; states move by themselves."""
        gradients = {entry["layer"]: entry["gradients"] for entry in answer["backward"] if "gradients" in entry}
        for name, given in body["weights"].items():
            for key, values in given.items():
                change = answer["update"][name][key]
                self.assertEqual(flat(change["before"]), flat(values), f"{name}.{key}")
                if key.startswith("moving"):
                    self.assertNotEqual(change["after"], change["before"])
                    continue
                for before, after, gradient in zip(flat(values), flat(change["after"]), flat(gradients[name][key]), strict=True):
                    self.assertAlmostEqual(after, before - 0.25 * gradient, places=14)

    def check_numeric(self, answer):
        self.assertLess(answer["check"]["max_relative_error"], 1e-6)
        for name, of in answer["update"].items():
            for key, change in of.items():
                if not key.startswith("moving"):
                    numeric = answer["check"]["weights"][name][key]["numeric"]
                    self.assertEqual(shape_of(numeric), shape_of(change["before"]), f"{name}.{key}")
                    self.assertTrue(all(isinstance(number, (int, float)) for number in flat(numeric)))

    def test_takes_each_weight_by_its_name_and_tells_every_number(self):
        for kind, layers, weights in CASES:
            with self.subTest([one["type"] for one in layers]):
                self.check_case(kind, layers, weights)

    def test_no_layer_is_forgotten(self):
        there = {entry["name"] for entry in self.server.get("/v1/layers").json["layers"]}
        self.assertEqual(there, set().union(*(types_of(layers) for _, layers, _ in CASES)))


def types_of(layers):
    return {one["type"] for one in layers}.union(*(types_of(one.get("layers", [])) for one in layers))


if __name__ == "__main__":
    unittest.main()

"""POST /v1/trace: a net worked by hand, PyTorch's numbers, what is refused; and its twin on the command line."""
import copy
import json
import math
import os
import subprocess
import tempfile
import unittest

from harness import BINARY, LiveTest, ROOT


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


class Alike(LiveTest):
    def assert_alike(self, got, expected, tolerance, place=""):
        """Every member of `expected` is in `got`, and every number is near."""
        if isinstance(expected, dict):
            for key, value in expected.items():
                self.assertIn(key, got, place)
                self.assert_alike(got[key], value, tolerance, f"{place}/{key}")
        elif isinstance(expected, list):
            self.assertEqual(len(got), len(expected), place)
            for i, value in enumerate(expected):
                self.assert_alike(got[i], value, tolerance, f"{place}/{i}")
        elif isinstance(expected, str):
            self.assertEqual(got, expected, place)
        else:
            self.assertLessEqual(abs(got - expected), tolerance * max(1, abs(expected)), f"{place}: {got}, {expected}")


# Two inputs, two hidden sigmoids, one sigmoid output, one row: examples/learn/README.md works through the same.
with open(os.path.join(ROOT, "examples", "learn", "two_two_one.json"), encoding="ascii") as example:
    BY_HAND = json.load(example)
[X], [TARGET], RATE = BY_HAND["inputs"], BY_HAND["targets"], BY_HAND["optimizer"]["learning_rate"]
W1, B1 = BY_HAND["weights"]["dense_1"]["kernel"], BY_HAND["weights"]["dense_1"]["bias"]
W2, B2 = BY_HAND["weights"]["dense_2"]["kernel"], BY_HAND["weights"]["dense_2"]["bias"]


def by_hand():
    """The chain rule, written out."""
    z1 = [sum(X[i] * W1[i][j] for i in range(2)) + B1[j] for j in range(2)]
    a1 = [sigmoid(z) for z in z1]
    z2 = a1[0] * W2[0][0] + a1[1] * W2[1][0] + B2[0]
    y = sigmoid(z2)
    dy = 2 * (y - TARGET)                               # L = (y − t)²
    dz2 = dy * y * (1 - y)                              # σ' = σ (1 − σ)
    da1 = [dz2 * W2[j][0] for j in range(2)]
    dz1 = [da1[j] * a1[j] * (1 - a1[j]) for j in range(2)]
    dx = [sum(dz1[j] * W1[i][j] for j in range(2)) for i in range(2)]
    dw2, dw1 = [[dz2 * a] for a in a1], [[dz * x for dz in dz1] for x in X]
    step = lambda weights, gradients: [
        step(w, g) if isinstance(w, list) else w - RATE * g for w, g in zip(weights, gradients)]
    return {
        "forward": [
            {"layer": "dense_1", "type": "dense", "input": [X], "pre_activation": [z1], "output": [a1]},
            {"layer": "dense_2", "type": "dense", "input": [a1], "pre_activation": [[z2]], "output": [[y]]}],
        "loss": {"type": "mse", "value": (y - TARGET) ** 2},
        "backward": [
            {"layer": "dense_2", "gradient_output": [[dy]], "gradient_pre_activation": [[dz2]],
             "gradient_input": [da1], "gradients": {"kernel": dw2, "bias": [dz2]}},
            {"layer": "dense_1", "gradient_output": [da1], "gradient_pre_activation": [dz1],
             "gradient_input": [dx], "gradients": {"kernel": dw1, "bias": dz1}}],
        "update": {"dense_1": {"kernel": {"before": W1, "after": step(W1, dw1)},
                               "bias": {"before": B1, "after": step(B1, dz1)}},
                   "dense_2": {"kernel": {"before": W2, "after": step(W2, dw2)},
                               "bias": {"before": B2, "after": step(B2, [dz2])}}},
    }, {"dense_1": {"kernel": {"numeric": dw1}, "bias": {"numeric": dz1}},
        "dense_2": {"kernel": {"numeric": dw2}, "bias": {"numeric": [dz2]}}}


def body(**more):
    return copy.deepcopy({**BY_HAND, **more})


class Trace(Alike):
    def trace(self, body):
        answer = self.server.post("/v1/trace", body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_a_small_net_agrees_with_the_chain_rule_by_hand(self):
        answer = self.trace(body())
        expected, numeric = by_hand()
        self.assert_alike(answer, expected, 1e-14)
        self.assert_alike(answer["check"]["weights"], numeric, 1e-9)
        self.assertLess(answer["check"]["max_relative_error"], 1e-6)
        self.assertEqual(set(answer), {"forward", "loss", "backward", "update", "check"})

    def test_agrees_with_pytorch(self):
        with open(os.path.join(ROOT, "tests", "golden", "trace.json"), encoding="ascii") as file:
            for case in json.load(file):
                answer = self.trace(case["body"])
                self.assert_alike(answer, case["answer"], 1e-9)
                self.assertLess(answer["check"]["max_relative_error"], 1e-6)

    def test_the_default_is_a_step_of_sgd_by_a_tenth_of_the_gradient(self):
        answer = self.trace(body(optimizer=None))
        bias = answer["update"]["dense_2"]["bias"]
        gradient = answer["backward"][0]["gradients"]["bias"][0]
        self.assertAlmostEqual(bias["after"][0], bias["before"][0] - 0.1 * gradient, places=15)

    def test_weights_left_out_come_from_the_seed(self):
        start = lambda seed: self.trace(body(weights={}, seed=seed))["update"]["dense_1"]["kernel"]["before"]
        self.assertEqual(start(1), start(1))
        self.assertNotEqual(start(1), start(2))

    def test_every_mistake_comes_at_once_with_its_place(self):
        wrong = body(optimizer="sgdd", seeds=1, targets=[1, 2])
        wrong["model"]["layers"][0]["unit"] = 2
        wrong["inputs"] = [[1, "two"]]
        answer = self.server.post("/v1/trace", wrong)
        self.assertEqual(answer.status, 422)
        self.assertEqual({error["pointer"] for error in answer.json["errors"]},
                         {"/optimizer", "/seeds", "/inputs/0/1", "/model/layers/0/unit"})

    def test_a_body_that_is_no_object(self):
        self.assertEqual(self.server.post("/v1/trace", [1]).status, 422)
        self.assertEqual(self.server.post("/v1/trace", "{", headers={"Content-Type": "application/json"}).status, 400)

    def test_bounds(self):
        for wrong, pointer in ((body(inputs=[X] * 65, targets=[1] * 65), "/inputs"),
                               ({**body(weights={}), "model": {"layers": [{"type": "dense", "units": 5000},
                                                                          {"type": "dense", "units": 1}]}}, "/model")):
            answer = self.server.post("/v1/trace", wrong)
            self.assertEqual(answer.status, 422)
            self.assertEqual([error["pointer"] for error in answer.json["errors"]], [pointer])

    def test_the_largest_net_takes_seconds(self):
        layers = [{"type": "dense", "units": 64, "activation": "relu"}, {"type": "dense", "units": 64},
                  {"type": "dense", "units": 10}]
        rows = [[math.sin(i * j) for j in range(70)] for i in range(64)]
        answer = self.server.post("/v1/trace", {"model": {"layers": layers}, "inputs": rows,
                                                "targets": [i % 10 for i in range(64)]}, timeout=60)
        self.assertEqual(answer.status, 200, answer)
        self.assertLess(answer.json["check"]["max_relative_error"], 1e-6)
        numeric = answer.json["check"]["weights"]["dense_1"]["kernel"]["numeric"]  # every element of it
        self.assertTrue(all(isinstance(number, (int, float)) for row in numeric for number in row))


class Command(Alike):
    def run_trace(self, given, status):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(given, file)
            file.flush()
            done = subprocess.run([BINARY, "trace", file.name], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def test_prints_what_the_server_answers(self):
        self.assertEqual(json.loads(self.run_trace(body(), 0)), self.server.post("/v1/trace", body()).json)

    def test_prints_every_problem(self):
        out = self.run_trace(body(targets=[], seeds=1), 1)
        self.assertIn("/seeds: ", out)
        self.assertIn("/targets: ", out)


if __name__ == "__main__":
    unittest.main()

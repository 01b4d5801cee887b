"""Texts over HTTP: taken in with their test rows, told apart, predicted; and padding, which nothing sees."""
import math
import random
import unittest

from harness import LiveTest

EMBED = {"type": "embedding", "units": 6}
POOL = {"type": "global_avg_pool"}
TWO = {"type": "dense", "units": 2}


def sentences(count, longest, seed=1):
    """Texts of 1 to `longest` words, and whether "alpha" is among them."""
    draw = random.Random(seed)
    words = "alpha beta gamma delta epsilon zeta eta theta".split()
    texts = [" ".join(draw.choice(words) for _ in range(draw.randint(1, longest))) for _ in range(count)]
    return texts, ["yes" if "alpha" in text.split() else "no" for text in texts]


class TextTest(LiveTest):
    def train(self, dataset, layers, **training):
        job = self.server.wait(self.server.submit({"dataset": dataset, "model": {"layers": layers}, "training": training}))
        self.assertEqual(job["status"], "succeeded", job["error"])
        return job

    def predict(self, job, body):
        answer = self.server.post(f"/v1/models/{job['model']}/predict", body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json


class Texts(TextTest):
    def test_they_are_told_apart_and_predicted(self):
        texts, targets = sentences(200, 6)
        adam = {"type": "adam", "learning_rate": 0.03}
        for tokenizer, length in (("word", 8), ("char", 48), ("byte", 48)):
            with self.subTest(tokenizer):
                job = self.train({"texts": texts[:160], "targets": targets[:160], "test_inputs": texts[160:],
                                  "test_targets": targets[160:], "tokenizer": tokenizer, "max_length": length},
                                 [EMBED, {"type": "conv1d", "filters": 8, "kernel_size": 1 if tokenizer == "word" else 5,
                                          "activation": "relu"}, {"type": "global_max_pool"}, TWO],
                                 epochs=20, optimizer=adam, seed=2)
                self.assertGreaterEqual(job["metrics"]["test_accuracy"], 0.9, job["metrics"])
                said = self.predict(job, {"texts": texts[160:]})
                right = sum(a == b for a, b in zip(said["predictions"], targets[160:])) / 40
                self.assertAlmostEqual(right, job["metrics"]["test_accuracy"])
                for logits, probabilities in zip(said["outputs"], said["probabilities"]):
                    exps = [math.exp(x - max(logits)) for x in logits]
                    self.assertAlmostEqual(probabilities[0], exps[0] / sum(exps), places=5)
                # Empty, unknown, and longer than max_length: each has an answer.
                odd = self.predict(job, {"texts": ["", "Ωmega 漢字 !!", "beta " * 100]})
                self.assertEqual(len(odd["predictions"]), 3)

    def test_numbers_come_in_their_own_unit(self):
        texts, _ = sentences(120, 6)
        job = self.train({"texts": texts, "targets": [1000.5 + 50 * len(text.split()) for text in texts], "max_length": 6},
                         [EMBED, {"type": "flatten"}, {"type": "dense", "units": 1}],
                         epochs=40, optimizer={"type": "adam", "learning_rate": 0.02})
        said = self.predict(job, {"texts": ["beta", "beta gamma delta eta zeta"]})
        self.assertEqual(said["outputs"], said["predictions"])
        self.assertLess(abs(said["predictions"][0][0] - 1050.5), 30)
        self.assertLess(abs(said["predictions"][1][0] - 1250.5), 30)

    def test_what_is_no_text_is_named(self):
        texts, targets = sentences(20, 4)
        job = self.train({"texts": texts, "targets": targets}, [EMBED, POOL, TWO], epochs=1)
        path = f"/v1/models/{job['model']}/predict"
        for body, pointers in (({"texts": ["a", 5, None]}, ["/texts/1", "/texts/2"]), ({"texts": []}, ["/texts"]),
                               ({"texts": "a"}, ["/texts"]), ({}, ["/texts"]), ({"text": ["a"]}, ["/text", "/texts"]),
                               ({"inputs": [[1, 2, 3]]}, ["/inputs", "/texts"])):
            with self.subTest(body):
                problem = self.assertProblem(self.server.post(path, body), 422)
                self.assertEqual([error["pointer"] for error in problem["errors"]], pointers)

    def test_ids_are_no_quantities(self):
        texts, targets = sentences(20, 4)
        for layers, place in (([TWO], "/model/layers/0"), ([{"type": "reshape", "shape": [128, 1]}, {"type": "gru", "units": 3},
                                                            TWO], "/model/layers/1")):
            job = {"dataset": {"texts": texts, "targets": targets}, "model": {"layers": layers}}
            problem = self.assertProblem(self.server.post("/v1/jobs?dry_run=true", job), 422)
            self.assertEqual([error["pointer"] for error in problem["errors"]], [place])
            self.assertIn("put an embedding before it", problem["errors"][0]["detail"])

    def test_a_language_model_tells_its_perplexity(self):
        job = self.train({"text": "abcd" * 200}, [EMBED, {"type": "gru", "units": 6, "return_sequences": True},
                                                  {"type": "dense", "units": 4}],
                         epochs=3, sequence_length=16, early_stopping={"metric": "val_perplexity", "patience": 3})
        self.assertAlmostEqual(job["metrics"]["val_perplexity"], math.exp(job["metrics"]["val_loss"]))
        series = self.server.get(f"/v1/jobs/{job['id']}/metrics?series=val_perplexity,val_loss&points=all").json["series"]
        self.assertEqual(series["val_perplexity"]["step"], series["val_loss"]["step"])

    def test_a_language_model_is_tested_on_a_text_of_its_own(self):
        dataset = self.server.post("/v1/datasets", {"text": "abcd" * 200, "test_inputs": "dcba" * 30}).json
        self.assertEqual(dataset["rows"], 920)
        layers = [EMBED, {"type": "gru", "units": 6, "return_sequences": True}, {"type": "dense", "units": 4}]
        job = self.train(dataset["id"], layers, epochs=20, sequence_length=16,
                         optimizer={"type": "adam", "learning_rate": 0.03})
        self.assertGreater(job["metrics"]["val_accuracy"], 0.95)
        self.assertLess(job["metrics"]["test_accuracy"], 0.5)  # the other way round
        evaluate = lambda **more: self.server.post(f"/v1/models/{job['model']}/evaluate",
                                                   {"dataset": dataset["id"], **more}).json["metrics"]
        self.assertAlmostEqual(evaluate(split="test")["loss"], job["metrics"]["test_loss"], 5)
        self.assertGreater(evaluate(split="train")["accuracy"], 0.9)


class Padding(TextTest):
    """A net that sees no padding learns the same whether rows are padded to 12 steps or to 40: the same losses on the way and
    the same answers; and a text is told the same alone as among longer ones."""

    NETS = {
        "mean": [POOL],
        "maximum": [{"type": "global_max_pool"}],
        "rnn": [{"type": "rnn", "units": 5}],
        "lstm, both ways": [{"type": "lstm", "units": 5, "bidirectional": True}],
        "gru on gru, both ways": [{"type": "gru", "units": 5, "bidirectional": True, "return_sequences": True},
                                  {"type": "gru", "units": 3, "bidirectional": True}],
        "attention": [{"type": "multi_head_attention", "heads": 2}, POOL],
        "causal attention": [{"type": "multi_head_attention", "heads": 2, "causal": True}, {"type": "global_max_pool"}],
        "transformer": [{"type": "positional_embedding", "kind": "sinusoidal"}, {"type": "transformer_block", "heads": 2}, POOL],
        "batch_norm": [{"type": "batch_norm"}, POOL],
        "layer_norm": [{"type": "layer_norm"}, {"type": "rms_norm"}, {"type": "group_norm", "groups": 2}, POOL],
        "conv1d same": [{"type": "conv1d", "filters": 6, "kernel_size": 4, "padding": "same"}, {"type": "batch_norm"},
                        {"type": "activation", "function": "prelu"}, {"type": "global_max_pool"}],
        "conv1d valid": [{"type": "conv1d", "filters": 6, "kernel_size": 3, "activation": "relu"}, POOL],
        "conv1d in strides": [{"type": "conv1d", "filters": 6, "kernel_size": 4, "strides": 2, "padding": "same"},
                              {"type": "lstm", "units": 4}],
        "depthwise, dilated": [{"type": "conv1d", "filters": 6, "kernel_size": 3, "groups": 6, "dilation": 2,
                                "padding": "same"}, POOL],
        "pools": [{"type": "max_pool1d", "padding": "same"}, {"type": "avg_pool1d", "pool_size": 3, "strides": 1,
                                                              "padding": "same"}, {"type": "gru", "units": 4}],
        "residual": [{"type": "residual", "layers": [{"type": "conv1d", "filters": 6, "kernel_size": 3, "padding": "same",
                                                      "activation": "gelu"}, {"type": "layer_norm"}]}, POOL],
        "joined": [{"type": "gru", "units": 6, "return_sequences": True, "name": "g"},
                   {"type": "multiply", "inputs": ["embedding_1", "g"]}, {"type": "concat", "inputs": ["multiply_1", "g"]},
                   {"type": "dense", "units": 4, "activation": "tanh"}, POOL],
    }

    def test_nothing_sees_it(self):
        texts, targets = sentences(40, 12, seed=3)
        texts[5], texts[6] = "", "!!"
        datasets = {length: self.server.post("/v1/datasets", {"texts": texts, "targets": targets, "max_length": length}).json["id"]
                    for length in (12, 40)}
        asked = texts[:8] + ["alpha"]
        for name, layers in self.NETS.items():
            with self.subTest(name):
                seen = {}
                for length, dataset in datasets.items():
                    job = self.train(dataset, [EMBED, *layers, TWO], epochs=4, batch_size=10,
                                     optimizer={"type": "sgd", "learning_rate": 0.1}, seed=4)
                    outputs = self.predict(job, {"texts": asked})["outputs"]
                    for place in (0, 5, 8):
                        self.assertNear(outputs[place], self.predict(job, {"texts": [asked[place]]})["outputs"][0])
                    series = self.server.get(f"/v1/jobs/{job['id']}/metrics?series=train_loss,val_loss&points=all").json["series"]
                    seen[length] = [x for row in outputs for x in row] + series["train_loss"]["value"] + series["val_loss"]["value"]
                self.assertNear(seen[12], seen[40])

    def assertNear(self, one, other):
        self.assertEqual(len(one), len(other))
        for a, b in zip(one, other):
            self.assertAlmostEqual(a, b, delta=2e-5 * max(1, abs(a)))


if __name__ == "__main__":
    unittest.main()

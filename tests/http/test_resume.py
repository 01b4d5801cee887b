"""A worker killed while it trains a recurrent net, a transformer or a graph net: in the end the same bits and the same
record as of a job left alone."""
import math
import os
import random
import signal
import unittest

from harness import LiveTest


def layer(name, /, **more):
    return {"type": name, **more}


def corpus():
    letters = random.Random(1)
    return {"text": "".join(letters.choice(["the ", "cat ", "sat ", "on ", "a ", "mat. "]) for _ in range(900)),
            "tokenizer": "char"}


def texts():
    words = random.Random(2)
    rows = [[words.choice("good bad film plot so very not dull fine".split()) for _ in range(words.randrange(1, 15))]
            for _ in range(120)]
    return {"texts": [" ".join(row) for row in rows], "targets": ["up" if row.count("good") % 2 else "down" for row in rows],
            "tokenizer": "word"}


def club():
    """Two hundred nodes in two halves, some of which train."""
    draw = random.Random(3)
    edges = {tuple(sorted(draw.sample(range(half, half + 100), 2))) for half in (0, 100) for _ in range(300)}
    return {"graph": {"nodes": [[draw.gauss(node // 100, 2) for _ in range(8)] for node in range(200)],
                      "edges": sorted(edges), "targets": [str(node // 100) for node in range(200)],
                      "splits": {"train": list(range(0, 200, 5)), "validation": list(range(1, 200, 5)),
                                 "test": list(range(2, 200, 5))}}}


def molecules():
    rings = [3 + number % 17 for number in range(200)]
    return {"graphs": [{"nodes": [[math.sin(node), 1] for node in range(size)],
                        "edges": [[node, (node + 1) % size] for node in range(size - number % 2)]}
                       for number, size in enumerate(rings)], "targets": [number % 2 for number in range(200)]}


# The dataset, the layers, and the training's epochs and more.
JOBS = {
    "an LSTM on a corpus": (
        corpus, [layer("embedding", units=8), layer("lstm", units=24, return_sequences=True), layer("dropout", rate=0.2),
                 layer("dense", units=11)],
        {"epochs": 250, "batch_size": 8, "sequence_length": 16, "schedule": {"type": "plateau", "patience": 0, "factor": 0.9}}),
    "a GRU on texts": (
        texts, [layer("embedding", units=8), layer("gru", units=16, bidirectional=True), layer("dense", units=2)],
        {"epochs": 900, "batch_size": 16, "augment": ["token_dropout"], "early_stopping": {"patience": 10000}}),
    "a transformer on texts": (
        texts, [layer("embedding", units=16), layer("positional_embedding"), layer("transformer_block", heads=2, dropout=0.2),
                layer("global_avg_pool"), layer("dense", units=2)],
        {"epochs": 60, "batch_size": 16, "schedule": "one_cycle"}),
    "attention on a graph": (
        club, [layer("dropout", rate=0.3), layer("gat_conv", units=8, heads=4, activation="elu", dropout=0.3),
               layer("gat_conv", units=2)], {"epochs": 1800}),
    "many graphs": (
        molecules, [layer("gin_conv", units=16, activation="relu"), layer("batch_norm"), layer("gin_conv", units=16),
                    layer("global_avg_pool"), layer("dense", units=2)], {"epochs": 900, "batch_size": 12}),
}


def but_speed(series):
    return {name: values for name, values in series.items() if name != "samples_per_second"}


class Killed(LiveTest):
    def result(self, job):
        """How a job ended, and everything that was measured but for how fast it went."""
        ended = self.server.wait(job)
        self.assertEqual(ended["status"], "succeeded", ended)
        return ended, {
            "sha256": self.server.get(f"/v1/models/{ended['model']}").json["sha256"],
            "last": but_speed(ended["metrics"]), "best": but_speed(ended["best"]),
            "metrics": but_speed(self.server.get(f"/v1/jobs/{job}/metrics?points=all").json["series"]),
            "layers": self.server.get(f"/v1/jobs/{job}/gradients?points=all").json,
            "histograms": self.server.get(f"/v1/jobs/{job}/histograms?layer={ended['plan']['layers'][-1]['name']}").json,
            "findings": self.server.get(f"/v1/jobs/{job}").json["diagnosis"]}

    def test_a_killed_worker_changes_nothing(self):
        for name, (dataset, layers, training) in JOBS.items():
            with self.subTest(name):
                stored = self.server.post("/v1/datasets", dataset()).json
                job = {"dataset": stored["id"], "model": {"layers": layers}, "threads": 1, "training": {
                    "seed": 4, "checkpoint_seconds": 0.05, "optimizer": {"type": "adam", "learning_rate": 0.005}, **training}}
                left_alone, wanted = self.result(self.server.submit(job))
                killed = self.server.submit(job)
                for part in (0.2, 0.6):
                    self.server.wait_for(killed, lambda state: state["status"] == "running" and state["progress"]
                                         and state["progress"]["epoch"] >= part * training["epochs"])
                    [worker] = self.server.workers()
                    os.kill(worker, signal.SIGKILL)
                ended, result = self.result(killed)
                self.assertEqual((left_alone["attempt"], ended["attempt"]), (1, 3))
                steps = result["metrics"]["train_loss"]["step"]
                self.assertEqual(steps, list(range(1, ended["plan"]["steps"] + 1)))
                for name in wanted:
                    self.assertEqual(result[name], wanted[name], name)


if __name__ == "__main__":
    unittest.main()

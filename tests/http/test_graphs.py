"""Graphs end to end: taken in, trained on, predicted for, evaluated."""
import csv
import os
import unittest

from harness import LiveTest

KARATE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))),
                      "shared", "data", "karate")


def clubs():
    """Two rings of eight with chords, joined by one edge; one node of each is told, one has no target."""
    edges = [[8 * s + i, 8 * s + (i + step) % 8] for s in (0, 1) for i in range(8) for step in (1, 3)] + [[2, 10]]
    targets = [["left", "right"][v // 8] for v in range(16)]
    targets[5] = None
    return {"graph": {"nodes": {"shape": [16, 16], "indices": [[v, v] for v in range(16)], "values": [1] * 16},
                      "edges": edges, "targets": targets,
                      "splits": {"train": [0, 8], "validation": [3, 4, 11, 12], "test": [6, 7, 14, 15]}}}


GCN = {"layers": [{"type": "dropout", "rate": 0.1}, {"type": "gcn_conv", "units": 8, "activation": "relu"},
                  {"type": "gcn_conv", "units": 2}]}
ADAM = {"type": "adam", "learning_rate": 0.03}


class Graphs(LiveTest):
    def take_in(self, body):
        answer = self.server.post("/v1/datasets", body)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def train(self, job):
        job = self.server.wait(self.server.submit(job))
        self.assertEqual(job["status"], "succeeded", job)
        return job

    def test_nodes_of_one_graph(self):
        dataset = self.take_in(clubs())
        self.assertEqual((dataset["rows"], dataset["input_shape"], dataset["classes"]), (16, [16], ["left", "right"]))
        job = self.train({"dataset": dataset["id"], "model": GCN, "training": {"epochs": 80, "optimizer": ADAM}})
        self.assertEqual(job["spec"]["training"]["batch_size"], "full")
        self.assertFalse(job["spec"]["training"]["standardize"])
        self.assertEqual(job["metrics"]["test_accuracy"], 1)
        self.assertEqual(job["plan"]["steps"], 80)
        confusion = self.server.get(f"/v1/jobs/{job['id']}/confusion").json
        self.assertEqual(confusion["matrix"], [[2, 0], [0, 2]])

        measured = self.server.post(f"/v1/models/{job['model']}/evaluate", {"dataset": dataset["id"], "split": "test"})
        self.assertEqual(measured.json["metrics"]["accuracy"], 1)

        # The model has its graph, and needs the dataset no more.
        self.assertEqual(self.server.delete(f"/v1/datasets/{dataset['id']}").status, 204)
        predict = f"/v1/models/{job['model']}/predict"
        answer = self.server.post(predict, {"nodes": [5, 13, 5]}).json
        self.assertEqual(answer["predictions"], ["left", "right", "left"])
        self.assertEqual(len(answer["outputs"]), 3)
        self.assertEqual(answer["probabilities"][0], answer["probabilities"][2])
        self.assertAlmostEqual(sum(answer["probabilities"][1]), 1, places=5)
        # The same graph as a new one: all its nodes, and whole features say what sparse ones say.
        graph = clubs()["graph"]
        new = {key: graph[key] for key in ("nodes", "edges")}
        every = self.server.post(predict, {"graph": new}).json
        self.assertEqual(len(every["predictions"]), 16)
        self.assertEqual(every["outputs"][5], answer["outputs"][0])
        new["nodes"] = [[int(v == c) for c in range(16)] for v in range(16)]
        whole = self.server.post(predict, {"graph": new}).json
        self.assertAlmostEqual(whole["outputs"][13][0], answer["outputs"][1][0], places=4)

        for body, pointer in (({"nodes": [16]}, "/nodes/0"), ({"nodes": []}, "/nodes"), ({}, ""),
                              ({"inputs": [[1]]}, ""), ({"nodes": [0], "graph": new}, ""),
                              ({"graph": {"nodes": [[1, 2]], "edges": []}}, "/graph/nodes/0"),
                              ({"graph": {"nodes": graph["nodes"], "edges": [[0, 16]]}}, "/graph/edges/0/1"),
                              ({"graph": {**new, "edgs": []}}, "/graph/edgs"), ({"nods": [1]}, "/nods")):
            refused = self.server.post(predict, body)
            self.assertEqual(refused.status, 422, body)
            self.assertIn(pointer, [error["pointer"] for error in refused.json["errors"]], refused)

    def test_the_same_graph_gives_the_same_model(self):
        body = {"dataset": clubs(), "model": GCN, "training": {"epochs": 30, "seed": 5}}
        first, second = (self.train(body)["model"] for _ in range(2))
        hashes = [self.server.get(f"/v1/models/{model}").json["sha256"] for model in (first, second)]
        self.assertEqual(*hashes)

    def test_numbers_of_nodes(self):
        """On a ring the number is the height; every fourth node is not told."""
        heights = [abs(12 - v) / 4 for v in range(24)]
        graph = {"nodes": [[height, 1] for height in heights], "edges": [[v, (v + 1) % 24] for v in range(24)],
                 "targets": [None if v % 4 == 1 else 100 + 30 * heights[v] for v in range(24)]}
        job = self.train({"dataset": {"graph": graph}, "model": {"layers": [
            {"type": "sage_conv", "units": 8, "activation": "tanh"}, {"type": "sage_conv", "units": 1}]},
            "training": {"epochs": 300, "validation_split": 0.2, "optimizer": ADAM}})
        self.assertTrue(job["spec"]["training"]["standardize"])
        self.assertGreater(job["metrics"]["val_r2"], 0.8)
        answer = self.server.post(f"/v1/models/{job['model']}/predict", {"nodes": [1, 5]}).json
        for got, wanted in zip(answer["predictions"], (100 + 30 * heights[1], 100 + 30 * heights[5])):
            self.assertAlmostEqual(got[0], wanted, delta=15)

    def test_many_graphs(self):
        def ring(n):
            return {"nodes": [[1]] * n, "edges": [[v, (v + 1) % n] for v in range(n)]}

        def star(n):
            return {"nodes": [[1]] * n, "edges": [[0, v] for v in range(1, n)]}
        graphs = [shape(n) for _ in range(4) for n in range(4, 10) for shape in (ring, star)]
        dataset = self.take_in({"graphs": graphs, "targets": ["ring", "star"] * 24})
        self.assertEqual((dataset["rows"], dataset["input_shape"]), (48, [1]))
        rows = self.server.get(f"/v1/datasets/{dataset['id']}/rows?limit=2").json["items"]
        self.assertEqual(rows[1]["input"]["edges"][:3], [[0, 1], [0, 2], [0, 3]])
        job = self.train({"dataset": dataset["id"], "model": {"layers": [
            {"type": "gin_conv", "units": 8, "activation": "relu"}, {"type": "gin_conv", "units": 8, "activation": "relu"},
            {"type": "global_avg_pool"}, {"type": "dense", "units": 2}]},
            "training": {"epochs": 60, "batch_size": 8, "optimizer": ADAM}})
        self.assertEqual(job["metrics"]["val_accuracy"], 1)
        predict = f"/v1/models/{job['model']}/predict"
        answer = self.server.post(predict, {"graphs": [star(12), ring(11), ring(3)]}).json
        self.assertEqual(answer["predictions"], ["star", "ring", "ring"])
        one = self.server.post(predict, {"graph": star(12)}).json
        self.assertEqual(len(one["predictions"]), 1)
        self.assertEqual(one["outputs"][0], answer["outputs"][0])
        refused = self.server.post(predict, {"nodes": [1]})
        self.assertEqual(refused.status, 422)

    def test_gradcheck(self):
        body = {"dataset": clubs(), "model": {"layers": [
            {"type": "gat_conv", "units": 3, "heads": 2, "activation": "elu", "dropout": 0.3},
            {"type": "gcn_conv", "units": 2}]}}
        answer = self.server.post("/v1/gradcheck", body).json
        self.assertTrue(answer["passed"], answer)
        self.assertIn("source_attention", answer["weights"]["gat_conv_1"])

    def test_a_job_says_what_a_graph_needs(self):
        for layers, part in (([{"type": "gcn_conv", "units": 3}], "must be 2, not 3"),
                             ([{"type": "gcn_conv", "units": 2}, {"type": "global_avg_pool"}], "a row for each node"),
                             ([{"type": "lstm", "units": 2}], "")):
            refused = self.server.post("/v1/jobs", {"dataset": clubs(), "model": {"layers": layers}})
            self.assertEqual(refused.status, 422, layers)
            self.assertIn(part, refused.json["errors"][0]["detail"])

    @unittest.skipUnless(os.path.isdir(KARATE), "needs the karate club")
    def test_the_karate_club_from_two_members(self):
        with open(os.path.join(KARATE, "nodes.csv"), encoding="utf-8") as file:
            members = [row["club"] for row in csv.DictReader(file)]
        with open(os.path.join(KARATE, "edges.csv"), encoding="utf-8") as file:
            edges = [[int(row["src"]), int(row["dst"])] for row in csv.DictReader(file)]
        dataset = {"graph": {"nodes": {"shape": [34, 34], "indices": [[v, v] for v in range(34)], "values": [1] * 34},
                             "edges": edges, "targets": members,
                             "splits": {"train": [0, 33], "test": list(range(1, 33))}}}
        job = self.train({"dataset": dataset, "model": {"layers": [
            {"type": "gcn_conv", "units": 8, "activation": "relu"}, {"type": "gcn_conv", "units": 2}]},
            "training": {"epochs": 100, "seed": 1, "optimizer": {"type": "adam", "learning_rate": 0.01}}})
        self.assertGreaterEqual(job["metrics"]["test_accuracy"], 0.9)


if __name__ == "__main__":
    unittest.main()

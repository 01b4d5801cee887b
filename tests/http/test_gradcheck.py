"""POST /v1/gradcheck for every form of dataset, with the layers that read it; frozen layers; what is refused."""
import math
import unittest

from harness import LiveTest, small_job

TEXTS = {"texts": ["the cat sat on the mat", "a dog barked", "the dog sat", "cats and dogs and cats", "a mat", "the mat barked"],
         "targets": ["cat", "dog", "dog", "cat", "mat", "mat"], "tokenizer": "word"}
CORPUS = {"text": "to be or not to be that is the question whether tis nobler in the mind to suffer " * 4,
          "tokenizer": "char"}
SERIES = {"series": [[math.sin(i / 3), math.cos(i / 5)] for i in range(60)], "window": 6, "horizon": 2}
IMAGES = {"inputs": [[[[math.sin(r + i * j)] for j in range(6)] for i in range(6)] for r in range(16)],
          "targets": [str(r % 2) for r in range(16)]}
EDGES = [[0, 1], [1, 2], [2, 3], [3, 0], [3, 4], [4, 5], [5, 6], [6, 4]]
GRAPH = {"graph": {"nodes": [[math.sin(3 * i + j) for j in range(4)] for i in range(7)], "edges": EDGES,
                   "targets": ["a", "a", "a", "a", "b", "b", "b"],
                   "splits": {"train": [0, 1, 4, 5], "validation": [2, 6], "test": [3]}}}
GRAPHS = {"graphs": [{"nodes": [[math.sin(g + i + j) for j in range(3)] for i in range(3 + g % 3)],
                      "edges": [[i, (i + 1) % (3 + g % 3)] for i in range(3 + g % 3)]} for g in range(8)],
          "targets": [str(g % 2) for g in range(8)]}


def layer(name, /, **more):
    return {"type": name, **more}


EMBED = layer("embedding", units=5)
JOBS = {
    "texts, recurrent": (TEXTS, [EMBED, layer("gru", units=4, bidirectional=True), layer("dense", units=3)], {}),
    "texts, attention": (TEXTS, [layer("embedding", units=4), layer("positional_embedding"),
                                 layer("transformer_block", heads=2, dropout=0.2), layer("global_avg_pool"),
                                 layer("dense", units=3)], {"loss": {"type": "cross_entropy", "class_weight": "balanced"}}),
    "a corpus, recurrent": (CORPUS, [EMBED, layer("lstm", units=6, return_sequences=True), layer("dense", units=18)],
                            {"sequence_length": 8}),
    "a corpus, attention": (CORPUS, [layer("embedding", units=4), layer("positional_embedding", kind="sinusoidal"),
                                     layer("transformer_block", heads=2, causal=True, norm="post"),
                                     layer("dense", units=18)], {"sequence_length": 8}),
    "series": (SERIES, [layer("rnn", units=5), layer("dense", units=4)], {}),
    "images": (IMAGES, [layer("conv2d", filters=4, kernel_size=3, padding="same"), layer("batch_norm"),
                        layer("activation", function="relu"), layer("max_pool2d"), layer("flatten"),
                        layer("dense", units=2)], {}),
    "one graph, gcn": (GRAPH, [layer("gcn_conv", units=4, activation="tanh"), layer("gcn_conv", units=2)], {}),
    "one graph, gat": (GRAPH, [layer("gat_conv", units=3, heads=2, activation="elu", dropout=0.3),
                               layer("gat_conv", units=2)], {}),
    "one graph, sage": (GRAPH, [layer("sage_conv", units=4, aggregator="max"), layer("sage_conv", units=2)], {}),
    "many graphs": (GRAPHS, [layer("gin_conv", units=4, activation="tanh"), layer("global_avg_pool"),
                             layer("dense", units=2)], {}),
}


class GradCheck(LiveTest):
    def check(self, job):
        answer = self.server.post("/v1/gradcheck", job)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_every_form_of_dataset_passes(self):
        for name, (dataset, layers, training) in JOBS.items():
            with self.subTest(name):
                report = self.check({"dataset": dataset, "model": {"layers": layers}, "training": training})
                self.assertTrue(report["passed"], report)
                self.assertLess(report["max_relative_error"], 1e-6)
                self.assertGreaterEqual(len(report["weights"]), 2)

    def test_nets_so_large_that_elements_are_sampled(self):
        text = {**CORPUS, "text": CORPUS["text"] * 3}
        large = {
            "a corpus": (text, [EMBED, layer("lstm", units=110, return_sequences=True), layer("dense", units=18)],
                         {"sequence_length": 64}),
            "texts": (TEXTS, [layer("embedding", units=64), layer("transformer_block", heads=4), layer("global_avg_pool"),
                              layer("dense", units=3)], {}),
            "series": (SERIES, [layer("gru", units=96, bidirectional=True), layer("dense", units=4)], {}),
            "images": (IMAGES, [layer("conv2d", filters=64, kernel_size=3, activation="relu"),
                                layer("conv2d", filters=64, kernel_size=3), layer("batch_norm"), layer("flatten"),
                                layer("dense", units=80, activation="relu"), layer("dense", units=2)], {}),
            "one graph": (GRAPH, [layer("gcn_conv", units=200, activation="relu"), layer("gat_conv", units=100, heads=4),
                                  layer("gcn_conv", units=2)], {}),
            "many graphs": (GRAPHS, [layer("gin_conv", units=250, activation="tanh"), layer("sage_conv", units=150),
                                     layer("global_avg_pool"), layer("dense", units=2)], {}),
        }
        for name, (dataset, layers, training) in large.items():
            with self.subTest(name):
                report = self.check({"dataset": dataset, "model": {"layers": layers}, "training": training})
                self.assertTrue(report["passed"], report)

    def test_frozen_layers_are_passed_through_and_not_checked(self):
        job = small_job()
        job["model"]["layers"] = [layer("dense", units=4, activation="tanh"), layer("batch_norm", trainable=False),
                                  layer("dense", units=3, trainable=False), layer("dense", units=2)]
        report = self.check(job)
        self.assertTrue(report["passed"], report)
        self.assertEqual(set(report["weights"]), {"dense_1", "dense_3"})

    def test_every_weight_is_named(self):
        weights = self.check({"dataset": TEXTS, "model": {"layers": JOBS["texts, recurrent"][1]}})["weights"]
        self.assertEqual(set(weights["gru_1"]), {side + name for side in ("forward_", "backward_")
                                                 for name in ("kernel", "recurrent_kernel", "bias")})

    def test_every_mistake_comes_at_once(self):
        job = {"dataset": {"inputs": [[1]], "targets": ["a", "b"]}, "model": {"layers": [{"type": "dens"}]},
               "training": {"epochs": 0}, "trainig": {}}
        problem = self.assertProblem(self.server.post("/v1/gradcheck", job), 422)
        self.assertEqual({error["pointer"] for error in problem["errors"]},
                         {"/dataset/targets", "/model/layers/0/type", "/training/epochs", "/trainig"})

    def test_too_large_a_net_is_sent_to_the_command(self):
        job = small_job()
        job["model"]["layers"][0]["units"] = 100000
        answer = self.server.post("/v1/gradcheck", job)
        self.assertEqual(answer.status, 422)
        self.assertIn("backpropd gradcheck", answer.json["errors"][0]["detail"])


if __name__ == "__main__":
    unittest.main()

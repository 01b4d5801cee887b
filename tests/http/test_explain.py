"""What a model's answers hang on, held against central differences of its predictions."""
import json
import os
import unittest

from harness import ROOT, LiveTest, Server, example


class Iris(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        job = example("iris", dataset=cls.server.upload("iris", "species"))
        job["model"] = {"layers": [{"type": "dense", "units": 16, "activation": "tanh"}, {"type": "dense", "units": 3}]}
        cls.job = cls.server.wait(cls.server.submit(job))
        cls.path = f"/v1/models/{cls.job['model']}"
        cls.rows = [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.8, 2.2], [5.9, 2.8, 4.4, 1.4]]

    @classmethod
    def tearDownClass(cls):
        cls.server.finish()

    assertProblem = LiveTest.assertProblem

    def explain(self, **body):
        answer = self.server.post(self.path + "/explain", {"inputs": self.rows, **body})
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def outputs(self, rows):
        return self.server.post(self.path + "/predict", {"inputs": rows}).json["outputs"]

    def test_the_gradient_is_that_of_the_predictions(self):
        classes = self.server.get(self.path).json["classes"]
        told = self.explain(method="gradient", target="versicolor")
        column = classes.index("versicolor")
        for c in range(4):
            step = 0.01
            ahead = self.outputs([[x + step * (i == c) for i, x in enumerate(row)] for row in self.rows])
            behind = self.outputs([[x - step * (i == c) for i, x in enumerate(row)] for row in self.rows])
            for r in range(len(self.rows)):
                numeric = (ahead[r][column] - behind[r][column]) / (2 * step)
                self.assertAlmostEqual(told["attributions"][r][c], numeric, delta=0.01 + 0.01 * abs(numeric))
        self.assertEqual(told["targets"], ["versicolor"] * 3)
        for output, row in zip(told["outputs"], self.outputs(self.rows)):
            self.assertAlmostEqual(output, row[column], places=4)

    def test_gradient_times_input(self):
        gradient, product = (self.explain(method=method, target=0)["attributions"] for method in ("gradient", "gradient_x_input"))
        for r, row in enumerate(self.rows):
            for c, x in enumerate(row):
                self.assertAlmostEqual(product[r][c], x * gradient[r][c], places=4)

    def test_integrated_gradients_are_complete(self):
        for baseline in ("mean", "zeros"):
            told = self.explain(baseline=baseline, steps=256)
            self.assertEqual((told["method"], told["baseline"]), ("integrated_gradients", baseline))
            for attributions, target in zip(told["attributions"], told["completeness"]["targets"]):
                self.assertAlmostEqual(sum(attributions), target["attributions_sum"], places=6)
                self.assertAlmostEqual(target["attributions_sum"], target["difference"],
                                       delta=0.01 * abs(target["difference"]) + 0.01)
            self.assertGreaterEqual(told["completeness"]["max_error"], 0)
        rough = self.explain(baseline="zeros", steps=8)["completeness"]["max_error"]
        self.assertGreater(rough, told["completeness"]["max_error"])

    def test_each_row_is_asked_about_its_own_class_unless_one_is_named(self):
        predictions = self.server.post(self.path + "/predict", {"inputs": self.rows}).json["predictions"]
        self.assertEqual(self.explain()["targets"], predictions)

    def test_features_are_ranked_by_name(self):
        told = self.explain(method="gradient_x_input")
        self.assertEqual({item["feature"] for item in told["ranking"]},
                         {"sepal_length", "sepal_width", "petal_length", "petal_width"})
        importance = [item["importance"] for item in told["ranking"]]
        self.assertEqual(importance, sorted(importance, reverse=True))
        first = ["sepal_length", "sepal_width", "petal_length", "petal_width"].index(told["ranking"][0]["feature"])
        self.assertAlmostEqual(importance[0], sum(abs(row[first]) for row in told["attributions"]) / 3, places=6)

    def test_what_is_refused(self):
        for body, pointer in (({"method": "lime"}, "/method"), ({"target": "rose"}, "/target"), ({"target": 3}, "/target"),
                              ({"target": -1}, "/target"), ({"baseline": "noise"}, "/baseline"), ({"steps": 3}, "/steps"),
                              ({"inputs": [[1, 2]]}, "/inputs/0"), ({"texts": ["a"]}, "/texts")):
            with self.subTest(body):
                problem = self.assertProblem(self.server.post(self.path + "/explain", {"inputs": self.rows, **body}), 422)
                self.assertEqual([error["pointer"] for error in problem["errors"]], [pointer], problem)
        self.assertProblem(self.server.post("/v1/models/mdl_none/explain", {"inputs": self.rows}), 404)


class Others(LiveTest):
    def trained(self, job):
        ended = self.server.wait(self.server.submit(job))
        self.assertEqual(ended["status"], "succeeded", ended)
        return f"/v1/models/{ended['model']}"

    def test_numbers_by_their_output_in_their_own_unit(self):
        rows = [[x % 7, (x * x) % 11, "red" if x % 3 else "blue"] for x in range(80)]
        text = "a,b,color,y\n" + "".join(f"{a},{b},{c},{3 * a - 2 * b + 10 * (c == 'red') + 0.5}\n" for a, b, c in rows)
        dataset = self.server.post("/v1/datasets?name=line&target=y", text, headers={"Content-Type": "text/csv"}).json
        self.assertEqual(dataset["task"], "regression", dataset)
        path = self.trained({"dataset": dataset["id"], "model": {"layers": [{"type": "dense", "units": 1}]},
                             "training": {"epochs": 300, "optimizer": {"type": "adam", "learning_rate": 0.05}}})
        told = self.server.post(path + "/explain", {"inputs": [[2, 5, "red"], [4, 1, "blue"]], "method": "gradient"}).json
        for row in told["attributions"]:
            self.assertEqual(len(row), 3)  # a category is one column again
            self.assertAlmostEqual(row[0], 3, delta=0.1)
            self.assertAlmostEqual(row[1], -2, delta=0.1)
        told = self.server.post(path + "/explain", {"inputs": [[2, 5, "red"], [4, 1, "blue"]]}).json
        self.assertGreater(told["attributions"][0][2], 0)
        self.assertLess(told["attributions"][1][2], 0)
        self.assertLess(told["completeness"]["max_error"], 1e-2)
        self.assertEqual({item["feature"] for item in told["ranking"]}, {"a", "b", "color"})

    def test_images_have_attributions_in_their_shape(self):
        inputs = [[[(x * y + k) % 5 for x in range(4)] for y in range(3)] for k in range(30)]
        path = self.trained({"dataset": {"inputs": inputs, "targets": ["odd" if k % 2 else "even" for k in range(30)]},
                             "model": {"layers": [{"type": "flatten"}, {"type": "dense", "units": 2}]},
                             "training": {"epochs": 3}})
        told = self.server.post(path + "/explain", {"inputs": inputs[:2]}).json
        self.assertEqual([len(told["attributions"]), len(told["attributions"][0]), len(told["attributions"][0][0])], [2, 3, 4])
        self.assertEqual(told["baseline"], "zeros")
        self.assertRegex(told["ranking"][0]["feature"], "^[0-2],[0-3]$")
        self.assertLess(told["completeness"]["max_error"], 1e-3)  # the net is linear

    def test_texts_by_their_tokens(self):
        texts = [("good " if k % 2 else "bad ") + ["film", "book", "play"][k % 3] for k in range(60)]
        path = self.trained({"dataset": {"texts": texts, "targets": ["yes" if k % 2 else "no" for k in range(60)],
                                         "tokenizer": "word", "max_length": 4},
                             "model": {"layers": [{"type": "embedding", "units": 8}, {"type": "global_avg_pool"},
                                                  {"type": "dense", "units": 8, "activation": "tanh"}, {"type": "dense", "units": 2}]},
                             "training": {"epochs": 60, "optimizer": {"type": "adam", "learning_rate": 0.02}}})
        body = {"texts": ["good film", "bad", "good strange play"], "target": "yes"}
        told = self.server.post(path + "/explain", body).json
        self.assertEqual(told["tokens"][:2], [["good", "film"], ["bad"]])
        self.assertEqual([len(row) for row in told["attributions"]], [2, 1, 3])
        self.assertGreater(told["attributions"][0][0], abs(told["attributions"][0][1]))
        self.assertLess(told["attributions"][1][0], 0)
        self.assertLess(told["completeness"]["max_error"], 0.02)
        self.assertEqual({item["feature"] for item in told["ranking"][:2]}, {"good", "bad"})
        norms = self.server.post(path + "/explain", {**body, "method": "gradient"}).json["attributions"]
        self.assertTrue(all(value >= 0 for row in norms for value in row))
        problem = self.assertProblem(self.server.post(path + "/explain", {**body, "baseline": "mean"}), 422)
        self.assertEqual(problem["errors"][0]["pointer"], "/baseline")

    def test_graphs_by_node_and_feature(self):
        graphs = [{"nodes": [[1.0 if k % 2 and v == 0 else 0.0, v / 3] for v in range(4)],
                   "edges": [[0, 1], [1, 2], [2, 3]]} for k in range(40)]
        path = self.trained({"dataset": {"graphs": graphs, "targets": ["marked" if k % 2 else "plain" for k in range(40)]},
                             "model": {"layers": [{"type": "gcn_conv", "units": 8, "activation": "tanh"},
                                                  {"type": "global_avg_pool"}, {"type": "dense", "units": 2}]},
                             "training": {"epochs": 60, "optimizer": {"type": "adam", "learning_rate": 0.02}}})
        told = self.server.post(path + "/explain", {"graphs": graphs[:3], "target": "marked"}).json
        self.assertEqual([[len(node) for node in graph] for graph in told["attributions"]], [[2] * 4] * 3)
        marked = told["attributions"][1]
        self.assertEqual(max((abs(x), v, f) for v, node in enumerate(marked) for f, x in enumerate(node))[1:], (0, 0))
        self.assertLess(told["completeness"]["max_error"], 0.02)

    def test_nodes_by_the_nodes_they_hang_on(self):
        with open(os.path.join(ROOT, "examples", "karate.json"), encoding="utf-8") as file:
            dataset = self.server.post("/v1/datasets", json.load(file)).json["id"]
        path = self.trained(example("karate_gcn", dataset=dataset))
        told = self.server.post(path + "/explain", {"nodes": [0, 33], "method": "integrated_gradients"})
        self.assertEqual(told.status, 200, told)
        told = told.json
        problem = self.assertProblem(self.server.post(path + "/explain", {"nodes": list(range(34))}), 422)
        self.assertEqual(problem["errors"][0]["pointer"], "/nodes")
        self.assertEqual(len(told["attributions"]), 2)
        self.assertIn(0, [node["node"] for node in told["attributions"][0]])
        for target, nodes in zip(told["completeness"]["targets"], told["attributions"]):
            total = sum(sum(node["features"]) for node in nodes)
            self.assertAlmostEqual(total, target["attributions_sum"], places=5)
            self.assertAlmostEqual(total, target["difference"], delta=0.02 * abs(target["difference"]) + 0.02)

    def test_series_by_their_columns(self):
        steps = [[k % 12 + 1, (k * 7) % 5 + 1] for k in range(120)]
        path = self.trained({"dataset": {"series": steps, "columns": ["a", "b"], "target_columns": ["a"], "window": 6,
                                         "transform": "difference"},
                             "model": {"layers": [{"type": "flatten"}, {"type": "dense", "units": 1}]},
                             "training": {"epochs": 20}})
        told = self.server.post(path + "/explain", {"inputs": [steps[:6]]}).json
        self.assertEqual(told["transform"], "difference")
        self.assertEqual([len(told["attributions"][0]), len(told["attributions"][0][0])], [6, 2])
        self.assertLess(told["completeness"]["max_error"], 1e-3)
        self.assertEqual({item["feature"] for item in told["ranking"]}, {"a", "b"})

    def test_a_language_model_has_no_one_output(self):
        path = self.trained({"dataset": {"text": "abcabcabc" * 40},
                             "model": {"layers": [{"type": "embedding", "units": 4}, {"type": "gru", "units": 4, "return_sequences": True},
                                                  {"type": "dense", "units": 3}]},
                             "training": {"epochs": 1, "sequence_length": 8}})
        self.assertProblem(self.server.post(path + "/explain", {"texts": ["abc"]}), 422)


if __name__ == "__main__":
    unittest.main()

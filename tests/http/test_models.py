"""Models: what a job leaves, predictions from it, and what is refused."""
import math
import unittest

from harness import LiveTest, Server, example, small_job


class Iris(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        cls.job = cls.server.wait(cls.server.submit(example("iris", dataset=cls.server.upload("iris", "species"))))
        assert cls.job["status"] == "succeeded", cls.job
        cls.path = f"/v1/models/{cls.job['model']}"

    @classmethod
    def tearDownClass(cls):
        cls.server.finish()

    assertProblem = LiveTest.assertProblem

    def test_it_says_what_it_is(self):
        model = self.server.get(self.path).json
        self.assertEqual((model["id"], model["name"], model["job"]), (self.job["model"], "iris-mlp", self.job["id"]))
        self.assertEqual((model["input_shape"], model["parameters"]), ([4], 4 * 16 + 16 + 16 * 3 + 3))
        self.assertEqual(sorted(model["classes"]), ["setosa", "versicolor", "virginica"])
        self.assertRegex(model["sha256"], "^[0-9a-f]{64}$")
        self.assertGreater(model["bytes"], 0)
        self.assertGreaterEqual(model["metrics"]["val_accuracy"], 0.95)
        self.assertIn("spec", model)
        self.assertEqual([m["id"] for m in self.server.get("/v1/models").json["items"]], [self.job["model"]])

    def test_it_predicts_classes_by_name(self):
        answer = self.server.post(self.path + "/predict", {"inputs": [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.8, 2.2]]}).json
        self.assertEqual(answer["predictions"], ["setosa", "virginica"])
        for probabilities, logits in zip(answer["probabilities"], answer["outputs"]):
            self.assertAlmostEqual(sum(probabilities), 1, places=5)
            exps = [math.exp(x - max(logits)) for x in logits]
            for p, e in zip(probabilities, exps):
                self.assertAlmostEqual(p, e / sum(exps), places=5)

    def test_rows_may_be_objects_and_lack_a_value(self):
        row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
        by_name = self.server.post(self.path + "/predict", {"inputs": [row]}).json
        by_place = self.server.post(self.path + "/predict", {"inputs": [[5.1, 3.5, 1.4, 0.2]]}).json
        self.assertEqual(by_name, by_place)
        lacking = self.server.post(self.path + "/predict", {"inputs": [[None, 3.5, 1.4, 0.2]]})
        self.assertEqual((lacking.status, lacking.json["predictions"]), (200, ["setosa"]))

    def test_wrong_rows_are_named(self):
        for inputs, pointer in (([[1, 2, 3]], "/inputs/0"), ([[1, 2, 3, 4], [1, 2, "x", 4]], "/inputs/1/2"),
                                ("x", "/inputs"), ([], "/inputs"), ([[1, 2, 3, 4, 5]], "/inputs/0")):
            with self.subTest(inputs):
                problem = self.assertProblem(self.server.post(self.path + "/predict", {"inputs": inputs}), 422)
                self.assertTrue(problem["errors"][0]["pointer"].startswith(pointer), problem)
        problem = self.assertProblem(self.server.post(self.path + "/predict", {"input": [[1, 2, 3, 4]]}), 422)
        self.assertEqual({error["pointer"] for error in problem["errors"]}, {"/input", "/inputs"})

    def test_it_is_there_after_a_restart(self):
        before = self.server.post(self.path + "/predict", {"inputs": [[5, 3, 4, 1]]}).body
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.server.post(self.path + "/predict", {"inputs": [[5, 3, 4, 1]]}).body, before)


class Others(LiveTest):
    def test_numbers_come_in_the_targets_own_unit(self):
        rows = [[x / 10] for x in range(100)]
        job = {"name": "line", "dataset": {"inputs": rows, "targets": [1000 + 50 * x + 0.5 for [x] in rows]},
               "model": {"layers": [{"type": "dense", "units": 1}]},
               "training": {"epochs": 100, "optimizer": {"type": "adam", "learning_rate": 0.05}}}
        ended = self.server.wait(self.server.submit(job))
        self.assertEqual(ended["status"], "succeeded", ended)
        self.assertGreater(ended["metrics"]["val_r2"], 0.99)
        answer = self.server.post(f"/v1/models/{ended['model']}/predict", {"inputs": [[5.0]]}).json
        self.assertEqual(answer["outputs"], answer["predictions"])
        self.assertAlmostEqual(answer["predictions"][0][0], 1250.5, delta=5)

    def test_fractions_come_as_fractions(self):
        """Several yes-or-no answers a row: numbers from 0 to 1 under binary_cross_entropy."""
        rows = [[math.sin(i), math.cos(3 * i)] for i in range(120)]
        targets = [[float(a > 0), float(a + b > 0)] for a, b in rows]
        job = {"dataset": {"inputs": rows, "targets": targets}, "model": {"layers": [{"type": "dense", "units": 2}]},
               "training": {"epochs": 60, "loss": "binary_cross_entropy", "optimizer": {"type": "adam", "learning_rate": 0.05}}}
        ended = self.server.wait(self.server.submit(job))
        self.assertEqual(ended["status"], "succeeded", ended)
        answer = self.server.post(f"/v1/models/{ended['model']}/predict", {"inputs": rows}).json
        self.assertEqual(answer["outputs"], answer["predictions"])
        self.assertTrue(all(0 <= x <= 1 for row in answer["predictions"] for x in row))
        errors = [abs(p - t) for row, wanted in zip(answer["predictions"], targets) for p, t in zip(row, wanted)]
        measured = self.server.post(f"/v1/models/{ended['model']}/evaluate", {"dataset": ended["dataset"]}).json["metrics"]
        self.assertAlmostEqual(measured["mae"], sum(errors) / len(errors), places=5)
        self.assertGreater(ended["metrics"]["val_r2"], 0.7)

    def test_a_models_metrics_are_those_of_its_weights(self):
        rows = [[math.sin(7 * i), math.sin(11 * i * i)] for i in range(60)]
        job = {"dataset": {"inputs": rows, "targets": ["ab"[math.sin(5 * i) > 0] for i in range(60)],
                           "splits": {"validation": list(range(40, 50)), "test": list(range(50, 60))}},
               "model": {"layers": [{"type": "dense", "units": 32, "activation": "relu"}, {"type": "dense", "units": 2}]},
               "training": {"epochs": 60, "optimizer": {"type": "adam", "learning_rate": 0.05}, "early_stopping": {"patience": 4}}}
        ended = self.server.wait(self.server.submit(job))
        metrics = self.server.get(f"/v1/models/{ended['model']}").json["metrics"]
        self.assertGreater(ended["metrics"]["val_loss"], ended["best"]["val_loss"])
        for split, prefix in (("validation", "val"), ("test", "test")):
            measured = self.server.post(f"/v1/models/{ended['model']}/evaluate",
                                        {"dataset": ended["dataset"], "split": split}).json["metrics"]
            self.assertEqual(metrics[f"{prefix}_loss"], measured["loss"])
            self.assertEqual(metrics[f"{prefix}_accuracy"], measured["accuracy"])

    def test_a_language_model_sends_on_to_generate(self):
        job = {"dataset": {"text": "ab" * 100, "tokenizer": "char"}, "training": {"steps": 1, "sequence_length": 8},
               "model": {"layers": [{"type": "embedding", "units": 2}, {"type": "dense", "units": 2}]}}
        path = f"/v1/models/{self.server.wait(self.server.submit(job))['model']}"
        for inputs in ([[0, 1, 0, 1, 0, 1, 0, 1]], [[0] * 8] * 100):
            problem = self.assertProblem(self.server.post(path + "/predict", {"inputs": inputs}), 422)
            self.assertIn(path + "/generate", problem["detail"])

    def test_it_can_be_deleted(self):
        ended = self.server.wait(self.server.submit(small_job()))
        path = f"/v1/models/{ended['model']}"
        self.assertEqual(self.server.delete(path).status, 204)
        self.assertProblem(self.server.get(path), 404)
        self.assertProblem(self.server.post(path + "/predict", {"inputs": [[0, 1]]}), 404)


if __name__ == "__main__":
    unittest.main()

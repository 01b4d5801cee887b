"""Models measured on datasets: the one that they come from, and others that fit by their names."""
import csv
import math
import os
import unittest

from harness import LiveTest, ROOT, example, small_job


def iris():
    with open(os.path.join(ROOT, "examples", "iris.csv"), encoding="utf-8") as file:
        return list(csv.reader(file))


def text(lines):
    return "\n".join(",".join(line) for line in lines) + "\n"


class Evaluate(LiveTest):
    def dataset(self, body, query=None):
        if query is None:
            answer = self.server.post("/v1/datasets", body)
        else:
            answer = self.server.post(f"/v1/datasets?{query}", body, headers={"Content-Type": "text/csv"})
        self.assertEqual(answer.status, 201, answer)
        return answer.json["id"]

    def train(self, job):
        ended = self.server.wait(self.server.submit(job))
        self.assertEqual(ended["status"], "succeeded", ended["error"])
        return ended

    def evaluate(self, model, dataset, **more):
        answer = self.server.post(f"/v1/models/{model}/evaluate", {"dataset": dataset, **more})
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def refused(self, model, dataset, part, **more):
        answer = self.server.post(f"/v1/models/{model}/evaluate", {"dataset": dataset, **more})
        problem = self.assertProblem(answer, 422)
        self.assertIn(part, " ".join(f"{e['pointer']} {e['detail']}" for e in problem["errors"]))

    def test_a_table_goes_by_the_names_of_columns_and_classes(self):
        lines = iris()
        whole = self.dataset(text(lines), "target=species")
        job = self.train(example("iris", dataset=whole))
        result = self.evaluate(job["model"], whole)
        predicted = self.server.post(f"/v1/models/{job['model']}/predict",
                                     {"inputs": [list(map(float, line[:4])) for line in lines[1:]]}).json
        wrong = sum(p != line[4] for p, line in zip(predicted["predictions"], lines[1:]))
        self.assertAlmostEqual(result["metrics"]["accuracy"], 1 - wrong / 150)
        classes = result["confusion"]["classes"]
        loss = -sum(math.log(p[classes.index(line[4])]) for p, line in zip(predicted["probabilities"], lines[1:])) / 150
        self.assertAlmostEqual(result["metrics"]["loss"], loss, places=4)
        self.assertEqual(sum(map(sum, result["confusion"]["matrix"])), 150)
        self.assertEqual(len(result["confusion"]["worst"]), min(wrong, 20))

        # Two of the classes, and the columns in another order: the same rows are told alike.
        part = self.dataset(text([[line[i] for i in (4, 2, 0, 3, 1)] for line in lines if line[4] != "setosa"]),
                            "target=species")
        other = self.evaluate(job["model"], part)
        self.assertEqual(other["confusion"]["classes"], classes)
        self.assertEqual(other["confusion"]["matrix"][1:], result["confusion"]["matrix"][1:])
        self.assertEqual(sum(other["confusion"]["matrix"][0]), 0)

        renamed = [["sepal", *lines[0][1:]], *lines[1:]]
        self.refused(job["model"], self.dataset(text(renamed), "target=species"), 'has no column "sepal_length"')
        foreign = [lines[0], *[[*line[:4], "rose"] for line in lines[1:3]], *lines[3:]]
        self.refused(job["model"], self.dataset(text(foreign), "target=species"), 'of the class "rose"')
        self.refused(job["model"], self.dataset({"inputs": [[1, 2], [3, 4]], "targets": ["a", "b"]}), "shape [2]")
        self.refused(job["model"], self.dataset({"inputs": [1, 2], "targets": [0.5, 1.5]}), "is for regression")
        self.refused(job["model"], "ds_0", "there is no dataset")
        self.refused(job["model"], whole, "/split must be", split="half")
        self.refused(job["model"], whole, "/split leaves no rows", split="test")
        self.assertProblem(self.server.post("/v1/models/mdl_0/evaluate", {"dataset": whole}), 404)

    def test_categories_go_by_their_values(self):
        rows = [["red", "1", "warm"], ["blue", "2", "cold"], ["green", "3", "cold"], ["red", "4", "warm"],
                ["blue", "1", "cold"], ["green", "2", "warm"]]
        job = self.train(small_job(self.dataset(text([["color", "size", "feel"], *rows * 3]), "target=feel"), epochs=30))
        part = [["size", "color", "feel"], *[[size, color, feel] for color, size, feel in rows if color != "green"]]
        result = self.evaluate(job["model"], self.dataset(text(part), "target=feel"))
        asked = self.server.post(f"/v1/models/{job['model']}/predict", {
            "inputs": [{"color": color, "size": float(size)} for size, color, _ in part[1:]]}).json["predictions"]
        right = sum(p == line[2] for p, line in zip(asked, part[1:]))
        self.assertAlmostEqual(result["metrics"]["accuracy"], right / 4)
        part.append(["1", "pink", "warm"])
        self.refused(job["model"], self.dataset(text(part), "target=feel"), 'the value "pink"')

    def test_the_test_rows_give_the_metrics_of_the_job(self):
        rows = [[x / 7, (x * x) % 11] for x in range(120)]
        body = {"inputs": rows, "targets": [1000 + 3 * a - b for a, b in rows],
                "splits": {"test": list(range(4, 120, 5))}}
        dataset = self.dataset(body)
        job = self.train({"dataset": dataset, "model": {"layers": [{"type": "dense", "units": 1}]}})
        measured = self.evaluate(job["model"], dataset, split="test")
        self.assertIsNone(measured["confusion"])
        self.assertEqual({f"test_{name}": value for name, value in measured["metrics"].items()},
                         {name: value for name, value in job["metrics"].items() if name.startswith("test_")})

    def test_series(self):
        series = [math.exp(0.01 * t) * (100 + 20 * math.sin(t * math.pi / 6)) for t in range(150)]
        windows = 150 - 12
        whole = self.dataset({"series": series, "window": 12, "transform": "log_difference",
                              "splits": {"test": list(range(windows - 24, windows))}})
        job = self.train({"dataset": whole, "model": {"layers": [{"type": "flatten"}, {"type": "dense", "units": 1}]},
                          "training": {"epochs": 30}})
        last = self.evaluate(job["model"], whole, split="test")["metrics"]
        self.assertEqual(last["rmse"], job["metrics"]["test_rmse"])
        # The last months alone, as data of their own; the model's transform counts, not theirs.
        tail = self.evaluate(job["model"], self.dataset({"series": series[windows - 24:], "window": 12}))["metrics"]
        self.assertEqual(tail, last)
        self.refused(job["model"], self.dataset({"series": series, "window": 10}), "a window of 10 steps")
        self.refused(job["model"], self.dataset({"series": [-1, *series], "window": 12}), "above 0")

    def test_texts_go_by_their_words(self):
        good, bad = ["good film", "a good story", "great and good"], ["bad film", "a bad story", "dull and bad"]
        targets = ["up"] * 3 + ["down"] * 3
        job = self.train({"dataset": {"texts": (good + bad) * 4, "targets": targets * 4, "max_length": 8},
                          "model": {"layers": [{"type": "embedding", "units": 8}, {"type": "global_avg_pool"},
                                               {"type": "dense", "units": 2}]},
                          "training": {"epochs": 60, "optimizer": {"type": "adam", "learning_rate": 0.02}}})
        # Other words are frequent here, so the same words have other numbers; some are unknown to the model.
        other = self.dataset({"texts": ["unheard of bad", "film film film good", "story story bad"],
                              "targets": ["down", "up", "down"], "max_length": 12})
        result = self.evaluate(job["model"], other)
        self.assertEqual(result["metrics"]["accuracy"], 1)
        self.assertEqual(result["confusion"]["matrix"], [[2, 0], [0, 1]])
        self.refused(job["model"], self.dataset({"texts": ["a", "b"], "targets": ["up", "down"], "tokenizer": "char"}),
                     'by "char"')

    def test_a_corpus_goes_by_its_characters(self):
        job = self.train({"dataset": {"text": "abcd" * 300, "tokenizer": "char"},
                          "model": {"layers": [{"type": "embedding", "units": 8}, {"type": "dense", "units": 4}]},
                          "training": {"epochs": 20, "sequence_length": 16,
                                       "optimizer": {"type": "adam", "learning_rate": 0.05}}})
        other = self.evaluate(job["model"], self.dataset({"text": "bcdcdbcdcd" * 20, "tokenizer": "char"}))
        self.assertIsNone(other["confusion"])
        self.assertAlmostEqual(other["metrics"]["perplexity"], math.exp(other["metrics"]["loss"]))
        # After b always c, after c always d: right; after d comes b or c, never the a that the model learned.
        self.assertAlmostEqual(other["metrics"]["accuracy"], 0.6, delta=0.02)
        self.refused(job["model"], self.dataset({"text": "abcz" * 20, "tokenizer": "char"}), 'the token "z"')


if __name__ == "__main__":
    unittest.main()

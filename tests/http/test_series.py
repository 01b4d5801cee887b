"""Time series over HTTP: taken in, shown, learned, forecast in their own unit."""
import math
import unittest

from harness import LiveTest


def season(steps):
    return [math.exp(0.01 * t) * (100 + 20 * math.sin(t * math.pi / 6)) for t in range(steps)]


LAYERS = [{"type": "flatten"}, {"type": "dense", "units": 8, "activation": "tanh"}]


class Series(LiveTest):
    def train(self, dataset, layers, training):
        job = self.server.wait(self.server.submit({"dataset": dataset, "model": {"layers": layers}, "training": training}))
        self.assertEqual(job["status"], "succeeded", job["error"])
        return job

    def test_forecasts_in_the_series_own_unit(self):
        series = season(160)
        windows = 160 - 12 - 2 + 1
        body = {"name": "season", "series": series, "window": 12, "horizon": 2, "columns": ["passengers"],
                "transform": "log_difference", "splits": {"test": list(range(windows - 20, windows))}}
        dataset = self.server.post("/v1/datasets", body)
        self.assertEqual(dataset.status, 201, dataset)
        self.assertEqual((dataset.json["rows"], dataset.json["input_shape"], dataset.json["target_shape"],
                          dataset.json["task"]), (windows, [12, 1], [2], "regression"))
        self.assertEqual(dataset.json["profile"]["features"][0]["name"], "passengers")
        rows = self.server.get(f"/v1/datasets/{dataset.json['id']}/rows?offset=3&limit=1").json
        self.assertEqual(rows["rows"], windows)
        for shown, value in zip(rows["items"][0]["input"] + [[t] for t in rows["items"][0]["target"]], series[3:17]):
            self.assertAlmostEqual(shown[0], value, delta=1e-4)

        job = self.train(dataset.json["id"], LAYERS + [{"type": "dense", "units": 2}],
                    {"epochs": 80, "optimizer": {"type": "adam", "learning_rate": 0.01}, "seed": 1})
        metrics = job["metrics"]
        self.assertGreater(metrics["test_r2"], 0.9)
        self.assertLess(metrics["test_mae"], metrics["test_rmse"])

        asked = list(range(windows - 20, windows))
        predictions = self.predict(job["model"], [[[x] for x in series[w:w + 12]] for w in asked])
        errors = [abs(p - t) for w, row in zip(asked, predictions) for p, t in zip(row, series[w + 12:w + 14])]
        self.assertAlmostEqual(sum(errors) / len(errors), metrics["test_mae"], delta=1e-3 * metrics["test_mae"])
        # The same windows as bare numbers and by their column's name.
        self.assertEqual(predictions, self.predict(job["model"], [series[w:w + 12] for w in asked]))
        self.assertEqual(predictions, self.predict(
            job["model"], [[{"passengers": x} for x in series[w:w + 12]] for w in asked]))
        # A series a thousand times as high has the same growth: its forecasts are a thousand times as high.
        high = self.predict(job["model"], [[1000 * x for x in series[w:w + 12]] for w in asked])
        for row, low in zip(high, predictions):
            for a, b in zip(row, low):
                self.assertAlmostEqual(a / b, 1000, delta=0.05)

        wrong = self.server.post(f"/v1/models/{job['model']}/predict", {"inputs": [series[:11], [0] * 12]})
        self.assertEqual(wrong.status, 422)
        self.assertEqual([e["pointer"] for e in wrong.json["errors"]], ["/inputs/0", "/inputs/1/0/0"])

    def predict(self, model, inputs):
        answer = self.server.post(f"/v1/models/{model}/predict", {"inputs": inputs})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["outputs"], answer.json["predictions"])
        return answer.json["predictions"]

    def test_several_columns_forecast_one(self):
        """The second column follows the first by a step, so it can be told exactly."""
        first = [math.sin(0.7 * t) + 0.3 * math.cos(1.9 * t) for t in range(200)]
        series = [[a, b] for a, b in zip(first[1:], first)]
        job = self.train({"series": series, "window": 3, "columns": ["lead", "late"], "target_columns": ["late"]},
                    [{"type": "flatten"}, {"type": "dense", "units": 1}],
                    {"epochs": 200, "optimizer": {"type": "adam", "learning_rate": 0.01}})
        self.assertGreater(job["metrics"]["val_r2"], 0.999)
        self.assertEqual(self.server.get(f"/v1/models/{job['model']}").json["input_shape"], [3, 2])

    def test_a_wrong_series_is_named(self):
        answer = self.server.post("/v1/datasets", {"series": [1, 2, -3, 4], "window": 2, "transform": "log",
                                                   "class_names": ["a"]})
        self.assertEqual(answer.status, 422)
        self.assertEqual([e["pointer"] for e in answer.json["errors"]], ["/class_names", "/series/2"])


if __name__ == "__main__":
    unittest.main()

"""The learning-rate range test: a job that leaves a rate and no model."""
import unittest

from harness import LiveTest, example, small_job


class Ranges(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dataset = cls.server.upload("digits", "digit")

    def job(self, **more):
        job = example("digits", dataset=self.dataset)
        return {**job, **more}

    def sweep(self, job):
        ended = self.server.wait(self.server.submit({**job, "kind": "lr_range"}))
        self.assertEqual(ended["status"], "succeeded", ended)
        return ended

    def test_loss_against_rate_and_a_rate_that_learns(self):
        job = self.job()
        job["training"] = {**job["training"], "optimizer": {"type": "sgd", "learning_rate": 1}, "epochs": 3}
        ended = self.sweep(job)
        self.assertEqual((ended["model"], ended["spec"]["kind"]), (None, "lr_range"))
        self.assertEqual(ended["spec"]["lr_range"], {"from": 1e-7, "to": 10, "steps": 200})
        series = self.server.get(f"/v1/jobs/{ended['id']}/metrics?points=all").json["series"]
        rates, losses = series["learning_rate"], series["train_loss"]
        self.assertEqual(rates["step"], losses["step"])
        self.assertAlmostEqual(rates["value"][0] / 1e-7, 1, places=6)
        ratios = [b / a for a, b in zip(rates["value"], rates["value"][1:])]
        self.assertAlmostEqual(max(ratios), min(ratios), places=6)
        result = ended["result"]
        self.assertEqual(result["curve"]["learning_rate"], rates["value"])
        self.assertEqual(len(result["curve"]["smoothed_loss"]), result["steps"])
        suggested = result["suggested_learning_rate"]
        self.assertTrue(1e-4 < suggested < 5, result)
        self.assertLess(suggested, result["minimum"]["learning_rate"])

        def accuracy(rate):
            job["training"]["optimizer"]["learning_rate"] = rate
            return self.server.wait(self.server.submit(job))["metrics"]["val_accuracy"]
        learned = accuracy(suggested)
        self.assertGreater(learned, 0.8)
        self.assertGreater(learned, accuracy(suggested / 1000) + 0.2)

    def test_a_run_that_breaks_away_ends_early_and_well(self):
        rows = [[k / 7, k % 5] for k in range(200)]
        ended = self.sweep({"dataset": {"inputs": rows, "targets": [3 * a - b + 0.5 for a, b in rows]},
                            "model": {"layers": [{"type": "dense", "units": 16, "activation": "relu"}, {"type": "dense", "units": 1}]},
                            "lr_range": {"to": 1000},
                            "training": {"optimizer": {"type": "sgd", "learning_rate": 0.1}}})
        result = ended["result"]
        self.assertLess(result["steps"], 200)
        self.assertGreater(result["broke_away_at"], result["suggested_learning_rate"])
        self.assertIn("breaks away", result["explanation"])
        self.assertEqual(ended["diagnosis"]["verdict"], "healthy")
        text = self.server.get(f"/v1/jobs/{ended['id']}", headers={"Accept": "text/plain"}).body.decode()
        self.assertIn(result["explanation"], text)

    def test_the_same_job_gives_the_same_rate(self):
        first, second = (self.sweep(self.job())["result"] for _ in range(2))
        self.assertEqual(first, second)

    def test_what_is_refused(self):
        for more, pointer in (({"kind": "tune"}, "/kind"), ({"lr_range": {}}, "/lr_range"),
                              ({"kind": "lr_range", "lr_range": {"from": 1, "to": 0.5}}, "/lr_range/to"),
                              ({"kind": "lr_range", "lr_range": {"stepps": 100}}, "/lr_range/stepps"),
                              ({"kind": "lr_range", "alias": "best"}, "/alias")):
            with self.subTest(more):
                problem = self.assertProblem(self.server.post("/v1/jobs", {**small_job(), **more}), 422)
                self.assertEqual([error["pointer"] for error in problem["errors"]], [pointer], problem)
        self.assertEqual(self.server.post("/v1/jobs?dry_run=true", {**small_job(), "kind": "lr_range"}).json["plan"]["steps"], 200)


if __name__ == "__main__":
    unittest.main()

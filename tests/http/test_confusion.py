"""What a job's model takes for what: counted at its end, kept with it."""
import unittest

from harness import LiveTest, XOR, example, long_job, small_job


class Confusion(LiveTest):
    def test_it_agrees_with_the_accuracy_and_outlives_its_data(self):
        dataset = self.server.upload("iris", "species")
        job = self.server.wait(self.server.submit(example("iris", dataset=dataset)))
        path = f"/v1/jobs/{job['id']}/confusion"
        confusion = self.server.get(path).json
        self.assertEqual(confusion["classes"], ["setosa", "versicolor", "virginica"])
        rows = sum(map(sum, confusion["matrix"]))
        self.assertEqual(rows, 30)
        right = sum(confusion["matrix"][i][i] for i in range(3))
        self.assertAlmostEqual(right / rows, job["metrics"]["val_accuracy"])
        self.assertEqual(len(confusion["worst"]), rows - right)
        for row, one in zip(confusion["matrix"], confusion["per_class"]):
            self.assertEqual(sum(row), one["support"])
        shown = self.server.get(f"/v1/datasets/{dataset}/rows?limit=500").json["items"]
        for wrong in confusion["worst"]:
            self.assertEqual(shown[wrong["row"]]["target"], wrong["true"])
            self.assertNotEqual(wrong["predicted"], wrong["true"])
        self.assertEqual(self.server.delete(f"/v1/datasets/{dataset}").status, 204)
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.server.get(path).json, confusion)
        self.assertEqual(self.server.delete(f"/v1/jobs/{job['id']}").status, 204)
        self.assertProblem(self.server.get(path), 404)

    def test_it_is_not_there_for_numbers_or_before_the_end(self):
        self.assertProblem(self.server.get("/v1/jobs/job_0/confusion"), 404)
        numbers = self.server.wait(self.server.submit({
            "dataset": {"inputs": [1, 2, 3, 4], "targets": [0.5, 1, 1.5, 2]},
            "model": {"layers": [{"type": "dense", "units": 1}]}}))
        problem = self.assertProblem(self.server.get(f"/v1/jobs/{numbers['id']}/confusion"), 404)
        self.assertIn("classes", problem["detail"])
        alone = self.server.wait(self.server.submit(small_job(XOR)))  # without validation rows
        self.assertProblem(self.server.get(f"/v1/jobs/{alone['id']}/confusion"), 404)
        job = self.server.submit(long_job(self.server.upload("digits", "digit")))
        problem = self.assertProblem(self.server.get(f"/v1/jobs/{job}/confusion"), 409)
        self.assertRegex(problem["detail"], "queued|running")
        self.server.post(f"/v1/jobs/{job}/cancel")
        self.server.wait(job)
        self.assertIn("cancelled", self.assertProblem(self.server.get(f"/v1/jobs/{job}/confusion"), 409)["detail"])


if __name__ == "__main__":
    unittest.main()

"""A job as a page for a terminal."""
import unittest

from harness import LiveTest, example, long_job, small_job

TEXT = {"Accept": "text/plain"}


class View(LiveTest):
    def view(self, job, query=""):
        answer = self.server.get(f"/v1/jobs/{job}{query}", headers=TEXT)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertIn("Accept", answer.headers.get_all("Vary"))
        return answer.body.decode()

    def test_curves_gradients_findings_and_what_to_type_next(self):
        job = example("iris", dataset=self.server.upload("iris", "species"))
        job = self.server.wait(self.server.submit(job))
        text = self.view(job["id"])
        lines = text.splitlines()
        self.assertEqual(lines[0], f"{job['id']}  iris-mlp  succeeded")
        curve = next(line for line in lines if line.strip().startswith("train_loss"))
        self.assertRegex(curve, "^  train_loss +[▁▂▃▄▅▆▇█]{40,48}  [0-9.]+ → [0-9.]+$")
        self.assertIn("█", curve)
        self.assertIn("▁", curve)
        gradients = text.split("gradient norms")[1]
        self.assertLess(gradients.index("dense_1"), gradients.index("dense_2"))
        self.assertIn("findings: none", text)
        self.assertEqual(lines[-2:], ["next", f"  curl 127.0.0.1:{self.server.port}/v1/models/{job['model']}"])

    def test_json_is_what_everyone_else_gets(self):
        job = self.server.wait(self.server.submit(small_job()))
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            answer = self.server.get(f"/v1/jobs/{job['id']}", headers=headers)
            self.assertEqual(answer.headers["Content-Type"], "application/json")
            self.assertEqual(answer.json, job)

    def test_findings_stand_with_their_words(self):
        job = small_job(epochs=1)
        job["model"] = {"layers": [{"type": "dense", "units": 2}, {"type": "activation", "function": "softmax"}]}
        text = self.view(self.server.submit(job), "?wait=60")
        self.assertIn("wrong_output_activation", text)
        self.assertIn("softmax", text.split("findings")[1])
        self.assertTrue(all(len(line) <= 110 for line in text.splitlines() if "curl" not in line), text)

    def test_a_failed_job_says_why_and_offers_a_rerun(self):
        job = {"dataset": {"inputs": [[k] for k in range(40)], "targets": [k * k + 0.5 for k in range(40)]},
               "model": {"layers": [{"type": "dense", "units": 1}]},
               "training": {"optimizer": {"type": "sgd", "learning_rate": 1e30}}}
        job = self.server.wait(self.server.submit(job))
        self.assertEqual(job["status"], "failed", job)
        text = self.view(job["id"])
        self.assertIn(f"error: {job['error']['detail']}", text)
        self.assertIn(f"/v1/jobs/{job['id']}/rerun", text)

    def test_a_running_job_offers_to_wait(self):
        job = self.server.submit(long_job(self.server.upload("digits", "digit")))
        self.server.wait_for(job, lambda state: state["status"] == "running" and state["progress"])
        text = self.view(job, "?wait=1")
        self.assertIn(f"'127.0.0.1:{self.server.port}/v1/jobs/{job}?wait=60'", text)
        self.server.post(f"/v1/jobs/{job}/cancel")

    def test_a_rerun_offers_its_comparison(self):
        parent = self.server.wait(self.server.submit(small_job()))["id"]
        child = self.server.wait(self.server.post(f"/v1/jobs/{parent}/rerun").json["id"])["id"]
        text = self.view(child)
        self.assertIn(f"rerun of {parent}", text)
        self.assertIn(f"/v1/jobs/{child}/comparison", text)


if __name__ == "__main__":
    unittest.main()

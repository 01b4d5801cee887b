"""Training options, as a client sees them: phases."""
import unittest

from harness import LiveTest, small_job


class Phases(LiveTest):
    def phased(self, phases, **training):
        job = small_job(**training)
        del job["training"]["epochs"]
        job["training"]["phases"] = phases
        return job

    def test_steps_and_epochs_count_over_all_phases(self):
        job = self.phased([{"epochs": 3, "optimizer": {"type": "adam", "learning_rate": 0.05}},
                           {"epochs": 2, "batch_size": 1, "schedule": {"type": "step", "every": 1, "factor": 0.5},
                            "optimizer": {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9}}])
        answer = self.server.post("/v1/jobs", job)
        self.assertEqual(answer.status, 202, answer)
        ended = self.server.wait(answer.json["id"])
        self.assertEqual(ended["status"], "succeeded", ended)
        self.assertEqual(ended["plan"]["steps"], 3 + 2 * 4)
        progress = ended["progress"]
        self.assertEqual([progress[key] for key in ("epoch", "epochs", "step", "steps")], [5, 5, 11, 11])
        self.assertEqual([phase["epochs"] for phase in ended["spec"]["training"]["phases"]], [3, 2])
        self.assertNotIn("epochs", ended["spec"]["training"])
        rates = self.server.get(f"/v1/jobs/{ended['id']}/metrics?series=learning_rate&points=all").json
        self.assertEqual(rates["series"]["learning_rate"]["value"], [0.05] * 3 + [0.1] * 4 + [0.05] * 4)

    def test_every_mistake_has_its_place(self):
        answer = self.server.post("/v1/jobs?dry_run=true", self.phased([{"epochs": 0}, {"optimiser": "sgd"}], steps=3))
        self.assertProblem(answer, 422)
        self.assertEqual({error["pointer"] for error in answer.json["errors"]},
                         {"/training/phases/0/epochs", "/training/phases/1/optimiser", "/training/steps"})


if __name__ == "__main__":
    unittest.main()

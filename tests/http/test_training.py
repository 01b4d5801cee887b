"""Training options, as a client sees them: phases, augmentation, starting from a trained model."""
import json
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


class Wiring(LiveTest):
    def test_an_output_that_nothing_reads_is_named(self):
        job = small_job()
        job["model"]["layers"] = [{"type": "dense", "units": 4, "name": "a"}, {"type": "dense", "units": 4, "name": "b"},
                                  {"type": "residual", "layers": [{"type": "dense", "units": 4, "inputs": ["a"], "name": "c"},
                                                                  {"type": "dense", "units": 4, "inputs": ["a"]}]},
                                  {"type": "dense", "units": 2}]
        problem = self.assertProblem(self.server.post("/v1/jobs?dry_run=true", job), 422)
        self.assertEqual([error["pointer"] for error in problem["errors"]], ["/model/layers/2/layers/0"])
        self.assertIn('"c"', problem["errors"][0]["detail"])


class Augmentation(LiveTest):
    def test_texts_take_those_of_tokens(self):
        words = ("a good film", "a bad film", "what a good picture", "bad, bad picture", "good", "bad")
        job = {
            "dataset": {"texts": words, "targets": ["yes", "no"] * 3, "tokenizer": "word"},
            "model": {"layers": [{"type": "embedding", "units": 8}, {"type": "global_avg_pool"},
                                 {"type": "dense", "units": 2}]},
            "training": {"epochs": 20, "validation_split": 0, "optimizer": {"type": "adam", "learning_rate": 0.05},
                         "augment": [{"type": "token_dropout", "rate": 0.2}, "token_swap",
                                     {"type": "synonym", "table": {"Film": ["movie", "picture"]}}]},
        }
        answer = self.server.post("/v1/jobs", job)
        self.assertEqual(answer.status, 202, answer)
        ended = self.server.wait(answer.json["id"])
        self.assertEqual(ended["status"], "succeeded", ended)
        self.assertEqual(ended["spec"]["training"]["augment"][2], job["training"]["augment"][2])
        job["training"]["augment"] = ["rotate", {"type": "synonym", "table": {"film": ["movie"]}}]
        answer = self.server.post("/v1/jobs?dry_run=true", job)
        self.assertProblem(answer, 422)
        self.assertEqual([error["pointer"] for error in answer.json["errors"]],
                         ["/training/augment/0", "/training/augment/1/table"])


class Initial(LiveTest):
    def trained(self):
        ended = self.server.wait(self.server.post("/v1/jobs", small_job()).json["id"])
        self.assertEqual(ended["status"], "succeeded", ended)
        return ended["model"]

    def starting_from(self, model, **training):
        job = small_job(**training)
        job["model"]["initial"] = model
        return job

    def test_a_frozen_copy_keeps_its_weights(self):
        model = self.trained()
        job = self.starting_from(model)
        job["model"]["layers"][0]["trainable"] = False
        job["model"]["layers"][1] = {"type": "dense", "units": 2, "name": "head"}
        answer = self.server.post("/v1/jobs", job)
        self.assertEqual(answer.status, 202, answer)
        ended = self.server.wait(answer.json["id"])
        self.assertEqual(ended["status"], "succeeded", ended)
        self.assertEqual(ended["spec"]["model"]["initial"], model)
        old, new = ({name: self.weight(one, name) for name in ("dense_1.kernel", "dense_1.bias")}
                    for one in (model, ended["model"]))
        self.assertEqual(old, new)

    def weight(self, model, name):
        """The bytes of a weight in a model's safetensors."""
        body = self.server.get(f"/v1/models/{model}/weights").body
        size = int.from_bytes(body[:8], "little")
        begin, end = json.loads(body[8:8 + size])[name]["data_offsets"]
        return body[8 + size + begin:8 + size + end]

    def test_what_starts_from_some_weights_alone_gets_a_finding(self):
        job = self.starting_from(self.trained())
        job["model"]["layers"][1] = {"type": "dense", "units": 2, "name": "head"}
        findings = self.server.post("/v1/jobs?dry_run=true", job).json["findings"]
        self.assertEqual([finding["code"] for finding in findings], ["initial_weights"])
        self.assertIn("head.kernel [8, 2]", findings[0]["explanation"])

    def test_an_unknown_model_is_named_beside_other_mistakes(self):
        answer = self.server.post("/v1/jobs", self.starting_from("mdl_none", batch_size=0))
        self.assertProblem(answer, 422)
        self.assertEqual({error["pointer"] for error in answer.json["errors"]},
                         {"/model/initial", "/training/batch_size"})

    def test_a_model_without_a_fitting_weight_says_what_it_has(self):
        job = self.starting_from(self.trained())
        job["model"]["layers"] = [{"type": "dense", "units": 2, "name": "other"}]
        answer = self.server.post("/v1/jobs", job)
        self.assertProblem(answer, 422)
        self.assertEqual(answer.json["errors"][0]["pointer"], "/model/initial")
        self.assertIn("dense_1.kernel [2, 8]", answer.json["errors"][0]["detail"])

    def test_a_model_stays_while_a_job_starts_from_it(self):
        model = self.trained()
        job = self.starting_from(model, epochs=100_000_000, checkpoint_seconds=0.05)
        identifier = self.server.post("/v1/jobs", job).json["id"]
        self.assertProblem(self.server.delete(f"/v1/models/{model}"), 409)
        self.server.post(f"/v1/jobs/{identifier}/cancel")
        self.server.wait(identifier)
        self.assertEqual(self.server.delete(f"/v1/models/{model}").status, 204)


if __name__ == "__main__":
    unittest.main()

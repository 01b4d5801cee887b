"""Jobs run again, changed: by a patch, by remedies, over seeds; and two jobs side by side."""
import unittest

from harness import LiveTest, example, small_job


def noisy_rows(count=400):
    """Two classes that overlap."""
    inputs = [[(i * 37 % 101) / 50 - 1, (i * 53 % 97) / 48 - 1] for i in range(count)]
    return {"inputs": inputs, "targets": ["a" if x + 0.6 * ((i * 29) % 11 / 5 - 1) > 0 else "b"
                                          for i, (x, _) in enumerate(inputs)]}


class Reruns(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parent = cls.server.wait(cls.server.submit({
            "name": "first", "tags": ["t"], "dataset": noisy_rows(),
            "model": {"layers": [{"type": "dense", "units": 8, "activation": "relu"}, {"type": "dense", "units": 2}]},
            "training": {"epochs": 4, "batch_size": 8, "seed": 3,
                         "optimizer": {"type": "sgd", "learning_rate": 1e-6, "momentum": 0.5}}}))
        assert cls.parent["status"] == "succeeded", cls.parent
        cls.path = f"/v1/jobs/{cls.parent['id']}"

    def rerun(self, body=None, **more):
        answer = self.server.post(self.path + "/rerun", body, **more)
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.headers["Location"], f"/v1/jobs/{answer.json['id']}")
        return answer.json

    def test_a_patch_changes_what_it_names_and_nothing_else(self):
        child = self.rerun({"patch": {"training": {"epochs": 5, "clip_norm": 1}, "name": "second"}})
        self.assertEqual((child["parent"], child["name"], child["tags"]), (self.parent["id"], "second", ["t"]))
        expected = {**self.parent["spec"], "name": "second",
                    "training": {**self.parent["spec"]["training"], "epochs": 5, "clip_norm": 1}}
        self.assertEqual(child["spec"], expected)
        self.assertEqual(child["runs"], {"parent": [self.parent["id"]], "child": [child["id"]]})
        self.assertEqual(self.server.wait(child["id"])["status"], "succeeded")

    def test_without_a_body_it_is_the_same_run_again(self):
        child = self.server.wait(self.rerun()["id"])
        self.assertEqual(child["spec"], self.parent["spec"])
        self.assertEqual(child["metrics"]["train_loss"], self.parent["metrics"]["train_loss"])
        comparison = self.server.get(f"/v1/jobs/{child['id']}/comparison").json
        self.assertEqual(comparison["spec_difference"], [])
        self.assertIn("nothing that matters but the seed", comparison["verdict"])

    def test_another_optimizer_leaves_the_old_ones_parameters_behind(self):
        child = self.rerun({"patch": {"training": {"optimizer": {"type": "adam"}}}})
        optimizer = child["spec"]["training"]["optimizer"]
        self.assertEqual((optimizer["type"], optimizer["learning_rate"]), ("adam", 1e-6))
        self.assertNotIn("momentum", optimizer)
        named = self.assertProblem(self.server.post(
            self.path + "/rerun", {"patch": {"training": {"optimizer": {"type": "adam", "momentum": 0.9}}}}), 422)
        self.assertEqual([e["pointer"] for e in named["errors"]], ["/patch/training/optimizer/momentum"])

    def test_null_takes_a_member_away(self):
        child = self.rerun({"patch": {"training": {"epochs": None, "steps": 7}}})
        self.assertEqual(child["spec"]["training"]["steps"], 7)
        self.assertNotIn("epochs", child["spec"]["training"])

    def test_errors_name_the_place_in_the_request(self):
        for body, pointer in (
                ({"patch": {"training": {"epochs": -1}}}, "/patch/training/epochs"),
                ({"patch": {"training": {"optimizer": {"learning_rat": 1}}}}, "/patch/training/optimizer/learning_rat"),
                ({"patch": {"model": {"layers": [{"type": "dense", "units": 7}]}}}, "/patch/model/layers/0/units"),
                ({"patch": {"dataset": "ds_none"}}, "/patch/dataset"), ({"patch": {"dataset": {}}}, "/patch/dataset"),
                ({"patch": 3}, "/patch"), ({"remedies": ["no_such"]}, "/remedies/0"), ({"remedies": [3]}, "/remedies/0"),
                ({"remedies": "x"}, "/remedies"), ({"seeds": 0}, "/seeds"), ({"seeds": 17}, "/seeds"),
                ({"patches": {}}, "/patches")):
            with self.subTest(body):
                problem = self.assertProblem(self.server.post(self.path + "/rerun", body), 422)
                self.assertEqual([e["pointer"] for e in problem["errors"]], [pointer], problem)
        self.assertProblem(self.server.post("/v1/jobs/job_none/rerun", {}), 404)
        self.assertProblem(self.server.post(self.path + "/rerun", "[]", headers={"Content-Type": "application/json"}), 422)

    def test_a_key_gives_the_first_answer_again(self):
        headers = {"Idempotency-Key": "rerun-1"}
        first = self.rerun({"seeds": 2}, headers=headers)
        self.assertEqual(self.rerun({"seeds": 2}, headers=headers), first)

    def test_children_are_listed(self):
        child = self.rerun({"patch": {"training": {"epochs": 1}}})
        items = self.server.get(f"/v1/jobs?parent={self.parent['id']}").json["items"]
        self.assertIn(child["id"], [item["id"] for item in items])
        self.assertTrue(all(item["parent"] == self.parent["id"] for item in items))

    def test_seeds_tell_an_effect_from_luck(self):
        child = self.rerun({"seeds": 4, "patch": {"training": {"epochs": 30, "optimizer": {"learning_rate": 0.1}}}})
        runs = child["runs"]
        self.assertEqual((len(runs["parent"]), len(runs["child"])), (4, 4))
        for side in ("parent", "child"):
            ended = [self.server.wait(job) for job in runs[side]]
            self.assertEqual([job["status"] for job in ended], ["succeeded"] * 4)
            self.assertEqual([job["spec"]["training"]["seed"] for job in ended], [3, 4, 5, 6])
        comparison = self.server.get(f"/v1/jobs/{child['id']}/comparison?with={self.parent['id']}").json
        spread = comparison["spread"]
        self.assertEqual([run["seed"] for run in sorted(spread["runs"]["to"], key=lambda run: run["seed"])], [3, 4, 5, 6])
        values = [run["value"] for run in spread["runs"]["to"]]
        self.assertAlmostEqual(spread["to"]["mean"], sum(values) / 4)
        self.assertEqual(spread["test"], "paired_t")
        self.assertAlmostEqual(spread["difference"], spread["to"]["mean"] - spread["from"]["mean"])
        self.assertEqual(spread["exceeds"], True, spread)
        self.assertLess(spread["p"], 0.05)
        self.assertIn("the difference exceeds their spread", comparison["verdict"])

    def test_seeds_that_decide_are_told(self):
        # Layers of two ReLUs start dead with one seed and alive with another.
        parent = self.server.submit({
            "dataset": {"inputs": [[x] for x in range(-100, 100)], "targets": ["low"] * 100 + ["high"] * 100},
            "model": {"layers": [{"type": "dense", "units": 2, "activation": "relu"}] * 3 + [{"type": "dense", "units": 2}]},
            "training": {"epochs": 30, "batch_size": 20, "optimizer": {"type": "adam", "learning_rate": 0.02}}})
        child = self.server.post(f"/v1/jobs/{parent}/rerun", {"seeds": 8}).json
        values = [self.server.wait(job)["metrics"]["val_accuracy"] for job in child["runs"]["child"]]
        self.assertTrue(max(values) - min(values) > 0.3, values)
        unlucky = child["runs"]["child"][values.index(min(values))]
        lucky = child["runs"]["child"][values.index(max(values))]
        for job, severity in ((unlucky, "warning"), (lucky, "info")):
            diagnosis = self.server.get(f"/v1/jobs/{job}/diagnosis").json
            told = [finding for finding in diagnosis["findings"] if finding["code"] == "seed_sensitive"]
            self.assertEqual([finding["severity"] for finding in told], [severity], diagnosis)
            self.assertEqual((told[0]["evidence"]["best"], told[0]["evidence"]["worst"]), (max(values), min(values)))
            self.assertIn(f"of {told[0]['evidence']['runs']} runs", told[0]["explanation"].lower())
        best = told[0]["remedies"][0]["patch"]["training"]["seed"]
        self.assertEqual(best, self.server.get(f"/v1/jobs/{lucky}").json["spec"]["training"]["seed"])

    def test_a_change_that_does_nothing_does_not_exceed_the_spread(self):
        child = self.rerun({"seeds": 4, "patch": {"training": {"clip_norm": 1e9, "seed": 20}}})
        for job in child["runs"]["parent"] + child["runs"]["child"]:
            self.server.wait(job)
        comparison = self.server.get(f"/v1/jobs/{child['id']}/comparison").json
        self.assertEqual((comparison["spread"]["test"], comparison["spread"]["exceeds"]), ("welch_t", False), comparison)
        self.assertIn("does not exceed their spread", comparison["verdict"])


class Comparisons(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        dataset = cls.server.upload("iris", "species")
        job = example("iris", dataset=dataset)
        cls.first = cls.server.wait(cls.server.submit({**job, "training": {**job["training"], "epochs": 2}}))
        cls.second = cls.server.wait(cls.server.submit(job))
        cls.deep = cls.server.wait(cls.server.submit({**job, "model": {"layers": [
            {"type": "dense", "units": 16, "activation": "tanh"}, {"type": "dense", "units": 4}, {"type": "dense", "units": 3}]}}))

    def compare(self, job, beside):
        answer = self.server.get(f"/v1/jobs/{job['id']}/comparison?with={beside['id']}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_what_differs_and_what_came_of_it(self):
        comparison = self.compare(self.second, self.first)
        self.assertEqual((comparison["from"], comparison["to"]), (self.first["id"], self.second["id"]))
        difference = {item["pointer"]: (item["from"], item["to"]) for item in comparison["spec_difference"]}
        self.assertEqual(difference["/training/epochs"], (2, self.second["spec"]["training"]["epochs"]))
        for name in ("val_accuracy", "val_loss", "train_loss"):
            pair = comparison["metrics"]["final"][name]
            self.assertEqual((pair["from"], pair["to"]), (self.first["metrics"][name], self.second["metrics"][name]))
            self.assertAlmostEqual(pair["difference"], pair["to"] - pair["from"])
        self.assertEqual(comparison["metrics"]["best"]["epoch"]["to"], self.second["best"]["epoch"])
        before, after = (job["metrics"]["val_accuracy"] for job in (self.first, self.second))
        self.assertIn(f"val_accuracy went from {before:.4g} to {after:.4g}", comparison["verdict"])
        self.assertIn("takes several seeds", comparison["verdict"])

    def test_gradients_are_medians_of_the_run(self):
        comparison = self.compare(self.second, self.first)
        layers = self.server.get(f"/v1/jobs/{self.first['id']}/gradients?points=all").json["layers"]
        for layer in layers:
            values = sorted(layer["series"]["gradient_norm"]["value"])
            half = len(values) // 2
            median = values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
            told = next(item for item in comparison["gradients"]["layers"] if item["name"] == layer["name"])
            self.assertAlmostEqual(told["from"]["gradient_norm"], median)

    def test_layers_that_one_lacks_have_one_side(self):
        layers = {layer["name"]: layer for layer in self.compare(self.deep, self.second)["gradients"]["layers"]}
        self.assertIsNone(layers["dense_3"]["from"])
        self.assertGreater(layers["dense_3"]["to"]["gradient_norm"], 0)
        pointers = [item["pointer"] for item in self.compare(self.deep, self.second)["spec_difference"]]
        self.assertIn("/model/layers/0/activation", pointers)
        self.assertIn("/model/layers/2", pointers)

    def test_findings_open_and_close(self):
        sure = small_job(epochs=1)
        sure["model"] = {"layers": [{"type": "dense", "units": 2}, {"type": "activation", "function": "softmax"}]}
        plain = small_job(epochs=1)
        plain["model"] = {"layers": [{"type": "dense", "units": 2}]}
        bad, good = (self.server.wait(self.server.submit(job)) for job in (sure, plain))
        code = "wrong_output_activation"
        closed = self.compare(good, bad)
        self.assertIn(code, [finding["code"] for finding in closed["findings"]["closed"]])
        self.assertNotIn(code, [finding["code"] for finding in closed["findings"]["opened"]])
        self.assertIn(f"Findings closed: {code}", closed["verdict"])
        self.assertIn(code, [finding["code"] for finding in self.compare(bad, good)["findings"]["opened"]])

    def test_what_is_refused(self):
        path = f"/v1/jobs/{self.first['id']}/comparison"
        self.assertProblem(self.server.get(path), 400)
        self.assertProblem(self.server.get(path + "?with=job_none"), 404)
        self.assertProblem(self.server.get("/v1/jobs/job_none/comparison?with=" + self.first["id"]), 404)


if __name__ == "__main__":
    unittest.main()

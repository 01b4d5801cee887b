"""What a job's diagnosis says: findings with remedies that are patches of the spec, the checklist, languages, events."""
import math
import os
import random
import unittest

from harness import LiveTest


def circles(rows=200):
    rng = random.Random(1)
    inputs, targets = [], []
    for i in range(rows):
        radius, angle = (1.0, 0.4)[i % 2], rng.uniform(0, 2 * math.pi)
        inputs.append([radius * math.cos(angle) + rng.gauss(0, 0.05), radius * math.sin(angle) + rng.gauss(0, 0.05)])
        targets.append(("outer", "inner")[i % 2])
    return {"inputs": inputs, "targets": targets}


def merged(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merged(target.get(key), value)
    return target


def job(layers, **training):
    return {"dataset": circles(), "model": {"layers": layers},
            "training": {"epochs": 30, "batch_size": 16, "seed": 1, "optimizer": {"type": "adam", "learning_rate": 0.01}, **training}}


SOUND = [{"type": "dense", "units": 16, "activation": "relu"}, {"type": "dense", "units": 16, "activation": "relu"},
         {"type": "dense", "units": 2}]
ZEROS = [{**layer, "kernel_init": "zeros"} for layer in SOUND]


class Diagnosis(LiveTest):
    def diagnosis(self, body, language=None):
        ended = self.server.wait(self.server.submit(body))
        headers = {"Accept-Language": language} if language else {}
        return ended, self.server.get(f"/v1/jobs/{ended['id']}/diagnosis", headers=headers).json

    def test_a_sound_run_is_healthy(self):
        ended, diagnosis = self.diagnosis(job(SOUND))
        self.assertEqual(diagnosis["verdict"], "healthy", diagnosis)
        self.assertEqual(ended["diagnosis"]["verdict"], "healthy")
        self.assertGreaterEqual(len(diagnosis["checklist"]), 15)
        for item in diagnosis["checklist"]:
            self.assertIn(item["state"], ("ok", "attention", "not_applicable"))

    def test_the_first_remedy_heals(self):
        ended, diagnosis = self.diagnosis(job(ZEROS))
        first = diagnosis["findings"][0]
        self.assertEqual(first["code"], "symmetric_units")
        self.assertEqual(first["layer"], "dense_1")
        self.assertIn("dense_1", first["explanation"])
        self.assertEqual(diagnosis["verdict"], "critical" if any(f["severity"] == "critical" for f in diagnosis["findings"])
                         else "warning")
        self.assertEqual(ended["diagnosis"]["codes"][0], "symmetric_units")
        self.assertLess(ended["metrics"]["val_accuracy"], 0.7)
        self.assertEqual(set(first["remedies"][0]), {"code", "title", "why", "patch"})
        healed = self.server.wait(self.server.submit(merged(ended["spec"], first["remedies"][0]["patch"])))
        self.assertGreater(healed["metrics"]["val_accuracy"], 0.95)

    def test_findings_come_as_events(self):
        ended, diagnosis = self.diagnosis(job(ZEROS))
        told = {data["code"] for _, name, data in self.server.events(ended["id"]) if name == "finding"}
        self.assertIn("symmetric_units", told)

    def test_texts_come_in_japanese(self):
        _, diagnosis = self.diagnosis(job(ZEROS), "ja,en;q=0.5")
        first = diagnosis["findings"][0]
        self.assertIn("ユニット", first["explanation"])
        self.assertIn("dense_1", first["explanation"])
        self.assertIn("初期化", first["remedies"][0]["title"])
        self.assertTrue(any("学習率" in (item["note"] or "") for item in diagnosis["checklist"]))

    def test_a_terminal_gets_it_as_text(self):
        ended, diagnosis = self.diagnosis(job(ZEROS))
        for language in ("en", "ja"):
            answer = self.server.get(f"/v1/jobs/{ended['id']}/diagnosis",
                                     headers={"Accept": "text/plain", "Accept-Language": language})
            self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
            self.assertEqual(answer.headers["Content-Language"], language)
            self.assertIn("Accept-Language", ", ".join(answer.headers.get_all("Vary")))
            text = answer.body.decode()
            lines = text.splitlines()
            self.assertEqual(lines[0], f"{ended['id']}  {ended['name']}  {diagnosis['verdict']}")
            first = diagnosis["findings"][0]
            self.assertTrue(any(first["code"] in line and first["layer"] in line for line in lines), text)
            told = " ".join(text.split())
            for name, value in first["evidence"].items():
                self.assertIn(f"{name} {value if isinstance(value, str) else format(value, '.4g')}", told)
            self.assertIn(f"→ {first['remedies'][0]['code']}: ", text)
            self.assertIn(f"\"remedies\": [\"{first['remedies'][0]['code']}\"]", text.split({"en": "next\n", "ja": "次のコマンド\n"}[language])[1])
            self.assertEqual("ユニット" in text, language == "ja")

    def test_a_divergence_names_step_layer_and_rate(self):
        body = job(SOUND, optimizer={"type": "sgd", "learning_rate": 1e6})
        _, diagnosis = self.diagnosis(body)
        codes = [finding["code"] for finding in diagnosis["findings"]]
        self.assertEqual(diagnosis["verdict"], "critical")
        self.assertIn(codes[0], ("learning_rate_too_high", "exploding_gradient", "non_finite"))

    def test_what_needs_no_step_is_told_before_the_run(self):
        body = job([{"type": "dense", "units": 8}, {"type": "dense", "units": 2, "activation": "softmax"}])
        findings = self.server.post("/v1/jobs?dry_run=true", body).json["findings"]
        self.assertEqual([finding["code"] for finding in findings], ["wrong_output_activation", "missing_nonlinearity"])
        self.assertEqual(findings[0]["remedies"][0]["code"], "linear_output")

    def probe(self, body):
        return self.server.post("/v1/jobs?dry_run=true&probe=true", body)

    def test_a_probe_finds_what_a_few_steps_show(self):
        cases = (("sound", job(SOUND), None), ("zeros", job(ZEROS), "symmetric_units"),
                 ("wild", job(SOUND, optimizer={"type": "sgd", "learning_rate": 1e6}), None),
                 ("large", job([{**layer, "kernel_init": {"type": "normal", "scale": 30}} for layer in SOUND]),
                  "initial_weights_too_large"))
        for name, body, code in cases:
            with self.subTest(name):
                answer = self.probe(body)
                self.assertEqual(answer.status, 200, answer)
                told = answer.json
                self.assertEqual(set(told), {"plan", "spec", "findings", "probe"})
                hurting = [finding["code"] for finding in told["findings"] if finding["severity"] != "info"]
                if name == "sound":
                    self.assertEqual(hurting, [], told)
                    self.assertGreater(told["probe"]["steps"], 20)
                    self.assertLess(told["probe"]["loss"], 0.5 * told["probe"]["first_loss"])
                elif name == "wild":
                    self.assertTrue(set(hurting) & {"learning_rate_too_high", "non_finite"}, told)
                else:
                    self.assertIn(code, [finding["code"] for finding in told["findings"]], told)

    def test_a_probe_leaves_nothing(self):
        for path in ("jobs", "datasets", "models"):
            before = self.server.get(f"/v1/{path}").json
            self.assertEqual(self.probe(job(SOUND)).status, 200)
            self.assertEqual(self.server.get(f"/v1/{path}").json, before)
        for folder in ("datasets", "models", "checkpoints", "tmp"):
            path = os.path.join(self.server.folder, folder)
            if os.path.isdir(path):
                self.assertEqual([name for name in os.listdir(path) if name.startswith("job_")], [])

    def test_a_probe_belongs_to_a_dry_run(self):
        self.assertProblem(self.server.post("/v1/jobs?probe=true", job(SOUND)), 400)

    def test_no_such_job(self):
        self.assertProblem(self.server.get("/v1/jobs/job_00000000000000000000000000/diagnosis"), 404)


if __name__ == "__main__":
    unittest.main()

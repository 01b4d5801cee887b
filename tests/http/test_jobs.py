"""Jobs: dry run, plan, states, metrics, gradients, events."""
import csv
import io
import json
import re
import threading
import time
import unittest

from harness import LiveTest, Server, example, long_job, small_job

LAYER_SERIES = {"gradient_norm", "weight_norm", "update_ratio", "activation_mean", "activation_std", "dead_fraction",
                "saturated_fraction"}


class Submission(LiveTest):
    def test_a_dry_run_plans_and_queues_nothing(self):
        answer = self.server.post("/v1/jobs?dry_run=true", small_job())
        self.assertEqual(answer.status, 200, answer)
        plan = answer.json["plan"]
        self.assertEqual(plan["parameters"], 2 * 8 + 8 + 8 * 2 + 2)
        self.assertEqual([layer["name"] for layer in plan["layers"]], ["dense_1", "dense_2"])
        self.assertEqual([layer["output_shape"] for layer in plan["layers"]], [[8], [2]])
        self.assertEqual([layer["parameters"] for layer in plan["layers"]], [24, 18])
        self.assertEqual(plan["steps"], 3)
        for member in ("flops_per_step", "memory_bytes", "estimated_seconds"):
            self.assertGreaterEqual(plan[member], 0)
        spec = answer.json["spec"]
        self.assertEqual(spec["model"]["layers"][0]["use_bias"], True, "defaults are filled in")
        self.assertEqual(spec["training"]["optimizer"]["type"], "adam")
        self.assertEqual(answer.json["findings"], [])
        self.assertEqual(self.server.get("/v1/jobs").json["items"], [])

    def test_a_final_softmax_under_cross_entropy_gets_a_finding(self):
        job = small_job()
        job["model"]["layers"].append({"type": "activation", "function": "softmax"})
        findings = self.server.post("/v1/jobs?dry_run=true", job).json["findings"]
        self.assertEqual(len(findings), 1)
        self.assertIn("softmax", json.dumps(findings))

    def test_a_job_that_cannot_fit_is_refused(self):
        self.assertProblem(self.server.post("/v1/jobs", {**small_job(), "max_memory_bytes": 1000}), 422)
        job = small_job()
        job["model"]["layers"][0]["units"] = 1000000
        job["model"]["layers"].insert(1, {"type": "dense", "units": 1000000})
        self.assertProblem(self.server.post("/v1/jobs?dry_run=true", job), 422)

    def test_a_refusal_for_memory_says_what_takes_it_and_what_would_fit(self):
        job = small_job(batch_size=256)
        job["model"]["layers"][0]["units"] = 4096
        rows = [[i % 7, i % 11] for i in range(512)]
        job["dataset"] = {"inputs": rows, "targets": [str(i % 2) for i in range(512)]}
        plan = self.server.post("/v1/jobs?dry_run=true", job).json["plan"]
        self.assertEqual(plan["memory_bytes"], sum(plan["memory"].values()))
        bound = plan["memory_bytes"] - plan["memory"]["activations"] // 2
        answer = self.server.post("/v1/jobs", {**job, "max_memory_bytes": bound})
        self.assertProblem(answer, 422)
        [error] = answer.json["errors"]
        self.assertEqual(error["pointer"], "/max_memory_bytes")
        for part in (str(plan["memory_bytes"]), str(bound), "activations "):
            self.assertIn(part, error["detail"])
        fitting = int(re.search(r"with a batch_size of (\d+) it fits", error["detail"])[1])
        for rows, status in ((fitting, 200), (fitting + 1, 422)):
            job["training"]["batch_size"] = rows
            answer = self.server.post("/v1/jobs?dry_run=true", {**job, "max_memory_bytes": bound})
            self.assertEqual(answer.status, status, answer)


class Life(LiveTest):
    flags = ("--workers", "1")

    def test_a_job_from_queue_to_model(self):
        answer = self.server.post("/v1/jobs", {**small_job(), "tags": ["night", "xor"]})
        self.assertEqual(answer.status, 202, answer)
        job = answer.json["id"]
        self.assertEqual(answer.headers["Location"], f"/v1/jobs/{job}")
        ended = self.server.wait(job)
        self.assertEqual(ended["status"], "succeeded", ended)
        for member in ("id", "name", "status", "created_at", "started_at", "finished_at", "queue_position", "attempt",
                       "parent", "tags", "dataset", "spec", "plan", "progress", "metrics", "best", "model", "result",
                       "diagnosis", "error"):
            self.assertIn(member, ended)
        self.assertEqual((ended["attempt"], ended["tags"], ended["error"]), (1, ["night", "xor"], None))
        self.assertEqual((ended["progress"]["epoch"], ended["progress"]["step"]), (3, 3))
        self.assertTrue(ended["dataset"].startswith("ds_"))
        self.assertTrue(ended["model"].startswith("mdl_"))
        self.assertIn("train_loss", ended["metrics"])
        self.assertEqual([j["id"] for j in self.server.get("/v1/jobs?tag=night").json["items"]], [job])
        self.assertEqual(self.server.get("/v1/jobs?tag=day").json["items"], [])
        self.assertProblem(self.server.post(f"/v1/jobs/{job}/cancel"), 409)
        self.assertEqual(self.server.delete(f"/v1/jobs/{job}").status, 204)
        self.assertProblem(self.server.get(f"/v1/jobs/{job}"), 404)

    def test_running_and_queued_jobs_can_be_cancelled(self):
        dataset = self.server.upload("digits", "digit")
        running, queued = (self.server.submit(long_job(dataset)) for _ in range(2))
        self.server.wait_for(running, lambda job: job["status"] == "running")
        self.assertEqual(self.server.get(f"/v1/jobs/{queued}").json["queue_position"], 1)
        self.assertProblem(self.server.delete(f"/v1/jobs/{running}"), 409)
        self.assertEqual([j["id"] for j in self.server.get("/v1/jobs?status=running").json["items"]], [running])
        for job in (queued, running):
            self.assertEqual(self.server.post(f"/v1/jobs/{job}/cancel").status, 202)
            ended = self.server.wait(job, 20)
            self.assertEqual((ended["status"], ended["model"]), ("cancelled", None))
        self.assertEqual(self.server.workers(), [])

    def test_wait_answers_when_the_time_is_over(self):
        job = self.server.submit(long_job(self.server.upload("digits", "digit")))
        begin = time.monotonic()
        self.assertIn(self.server.get(f"/v1/jobs/{job}?wait=1").json["status"], ("queued", "running"))
        self.assertGreater(time.monotonic() - begin, 0.9)
        self.server.post(f"/v1/jobs/{job}/cancel")
        self.server.wait(job)

    def test_higher_priority_goes_first(self):
        dataset = self.server.upload("digits", "digit")
        blocker = self.server.submit(long_job(dataset))
        self.server.wait_for(blocker, lambda job: job["status"] == "running")
        late, first = self.server.submit(small_job()), self.server.submit({**small_job(), "priority": 5})
        self.assertEqual(self.server.get(f"/v1/jobs/{first}").json["queue_position"], 1)
        self.server.post(f"/v1/jobs/{blocker}/cancel")
        late, first = self.server.wait(late), self.server.wait(first)
        self.assertLess(first["started_at"], late["started_at"])

    def test_a_diverging_job_fails_with_a_clear_finding(self):
        job = small_job(epochs=200, optimizer={"type": "sgd", "learning_rate": 1e30}, loss="mse")
        job["dataset"] = {"inputs": [[1.0], [2.0], [3.0], [4.0]], "targets": [1.5, 2.5, 3.5, 4.5]}
        job["model"]["layers"][1]["units"] = 1
        job["model"]["layers"][0]["activation"] = "linear"
        ended = self.server.wait(self.server.submit(job))
        self.assertEqual(ended["status"], "failed", ended)
        self.assertTrue(ended["error"]["detail"])
        findings = [data for _, name, data in self.server.events(ended["id"]) if name == "finding"]
        self.assertTrue(findings)


class QueueBound(LiveTest):
    flags = ("--workers", "1", "--max-queue", "2")

    def test_a_full_queue_is_429_and_says_when_to_come_back(self):
        dataset = self.server.upload("digits", "digit")
        jobs = [self.server.submit(long_job(dataset))]
        self.server.wait_for(jobs[0], lambda job: job["status"] == "running")
        jobs += [self.server.submit(long_job(dataset)) for _ in range(2)]
        refused = self.server.post("/v1/jobs", long_job(dataset))
        self.assertProblem(refused, 429)
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        for job in jobs[::-1]:
            self.server.post(f"/v1/jobs/{job}/cancel")


class Recorded(unittest.TestCase):
    """What one finished job over the digits has recorded."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        job = example("digits", dataset=cls.server.upload("digits", "digit"))
        job["training"]["epochs"] = 8
        cls.job = cls.server.wait(cls.server.submit(job))
        assert cls.job["status"] == "succeeded", cls.job
        cls.path = f"/v1/jobs/{cls.job['id']}"

    @classmethod
    def tearDownClass(cls):
        cls.server.finish()

    def test_every_step_has_its_loss(self):
        steps = self.job["plan"]["steps"]
        series = self.server.get(self.path + "/metrics?points=all").json["series"]
        self.assertLessEqual({"train_loss", "val_loss", "train_accuracy", "val_accuracy", "learning_rate",
                              "samples_per_second", "gradient_norm", "clipped_gradient_norm"}, set(series))
        self.assertEqual(series["train_loss"]["step"], list(range(1, steps + 1)))
        self.assertEqual(len(series["val_loss"]["value"]), 8)
        self.assertEqual(series["val_loss"]["step"][-1], steps)
        self.assertEqual(self.job["metrics"]["val_loss"], series["val_loss"]["value"][-1])

    def test_thinning_keeps_every_spike(self):
        whole = self.server.get(self.path + "/metrics?points=all&series=train_loss").json["series"]["train_loss"]
        thin = self.server.get(self.path + "/metrics?points=20&series=train_loss").json["series"]["train_loss"]
        self.assertLessEqual(len(thin["step"]), 20)
        self.assertEqual(max(thin["max"]), max(whole["value"]))
        self.assertEqual(min(thin["min"]), min(whole["value"]))
        self.assertEqual((thin["step"][-1], thin["value"][-1]), (whole["step"][-1], whole["value"][-1]))

    def test_a_picture_may_have_less_of_it(self):
        whole = self.server.get(self.path + "/gradients?points=20&series=gradient_norm").json["layers"]
        peaks = self.server.get(self.path + "/gradients?points=20&series=gradient_norm&peaks=true&single=true").json["layers"]
        for layer, drawn in zip(whole, peaks, strict=True):
            series = layer["series"]["gradient_norm"]
            peak = drawn["series"]["gradient_norm"]
            self.assertEqual(set(peak), {"step", "value"})
            self.assertEqual(peak["step"], series["step"])
            for value, most in zip(peak["value"], series["max"], strict=True):
                self.assertLessEqual(abs(value - most), 1.2e-7 * most)
                self.assertLessEqual(len(repr(value)), len("1.23456789e-05"))

    def test_the_list_may_be_brief(self):
        (long,), (brief,) = (self.server.get("/v1/jobs?limit=1" + more).json["items"] for more in ("", "&brief=true"))
        self.assertEqual({**brief, "spec": long["spec"], "plan": long["plan"]}, long)
        self.assertTrue({"spec", "plan"}.isdisjoint(brief))

    def test_events_go_on_after_what_an_answer_knows(self):
        for path in ("", "/metrics", "/gradients"):
            newest = int(self.server.get(self.path + path).headers["Last-Event-ID"])
            self.assertEqual(self.server.events(self.job["id"])[-1][0], newest, path)
        after = self.server.get(f"{self.path}/events?after={newest - 1}").body.decode()
        self.assertIn(f"id: {newest}\nevent: end\n", after)
        self.assertEqual(after.count("event: "), 1)

    def test_a_part_may_be_asked_for(self):
        series = self.server.get(self.path + "/metrics?points=all&series=train_loss,learning_rate&from_step=100").json["series"]
        self.assertEqual(set(series), {"train_loss", "learning_rate"})
        self.assertEqual(series["train_loss"]["step"][0], 100)
        self.assertEqual(self.server.get(self.path + "/metrics?series=unheard").status, 400)
        self.assertEqual(self.server.get(self.path + "/metrics?points=-1").status, 400)

    def test_every_layer_has_its_gradients(self):
        layers = self.server.get(self.path + "/gradients?points=50").json["layers"]
        self.assertEqual([layer["name"] for layer in layers],
                         [layer["name"] for layer in self.job["plan"]["layers"]])
        for layer in layers:
            self.assertLessEqual({"name", "type", "index", "parameters", "series"}, set(layer))
            self.assertLessEqual(set(layer["series"]), LAYER_SERIES)
        dense = next(layer for layer in layers if layer["name"] == "dense_1")["series"]
        for name in ("gradient_norm", "weight_norm", "update_ratio"):
            self.assertTrue(dense[name]["value"], name)
            self.assertTrue(all(value > 0 for value in dense[name]["value"][:-1]), name)
        relu = next(layer for layer in layers if layer["type"] == "activation")["series"]
        self.assertTrue(all(0 <= value <= 1 for value in relu["dead_fraction"]["value"]))

    def histograms(self, query, headers=None):
        return self.server.get(f"{self.path}/histograms?{query}", headers=headers)

    def test_every_layer_has_its_histograms(self):
        parameters = {layer["name"]: layer["parameters"] for layer in self.job["plan"]["layers"]}
        for kind in ("gradient", "weight", "activation"):
            told = self.histograms(f"layer=dense_1&kind={kind}").json
            self.assertEqual((told["layer"], told["kind"], told["steps"][0]), ("dense_1", kind, 1))
            steps = told["steps"]
            self.assertTrue(16 <= len(steps) <= 32, steps)
            self.assertEqual(len({b - a for a, b in zip(steps, steps[1:])}), 1, "they lie evenly")
            self.assertGreater(steps[-1] + 2 * (steps[1] - steps[0]), self.job["plan"]["steps"])
            self.assertEqual([len(edges) for edges in told["edges"]], [33] * len(steps))
            self.assertTrue(all(edges == sorted(edges) for edges in told["edges"]))
            wanted = min(2048, parameters["dense_1"]) if kind != "activation" else 2048
            self.assertEqual([sum(counts) for counts in told["counts"]], [wanted] * len(steps))
        # Gradients are what the norms are of: a norm is at most √n of the greatest.
        norms = self.server.get(self.path + "/gradients?points=all&series=gradient_norm").json["layers"]
        norm = dict(zip(*(norms[0]["series"]["gradient_norm"][key] for key in ("step", "value"))))
        told = self.histograms("layer=" + norms[0]["name"]).json
        for step, edges in zip(told["steps"], told["edges"]):
            if step in norm:
                self.assertLessEqual(max(abs(edges[0]), abs(edges[-1])), 1.001 * norm[step])

    def test_histograms_of_what_has_none(self):
        relu = next(layer["name"] for layer in self.job["plan"]["layers"] if layer["type"] == "activation")
        self.assertEqual(self.histograms(f"layer={relu}&kind=weight").json["steps"], [])
        self.assertGreater(len(self.histograms(f"layer={relu}&kind=activation").json["steps"]), 15)
        for query, status in (("layer=nobody", 404), ("kind=weight", 400), ("layer=dense_1&kind=taste", 400)):
            self.assertEqual(self.histograms(query).status, status)

    def test_histograms_come_as_csv(self):
        told = self.histograms("layer=dense_1&kind=weight").json
        answer = self.histograms("layer=dense_1&kind=weight", {"Accept": "text/csv"})
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "text/csv")
        rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
        self.assertEqual([int(row["count"]) for row in rows], [count for counts in told["counts"] for count in counts])
        self.assertEqual([int(row["step"]) for row in rows[::32]], told["steps"])

    def test_both_come_as_csv(self):
        for path, column in (("/metrics", "train_loss"), ("/gradients", "gradient_norm")):
            with self.subTest(path):
                answer = self.server.get(self.path + path, headers={"Accept": "text/csv"})
                self.assertEqual(answer.headers["Content-Type"].split(";")[0], "text/csv")
                rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
                self.assertGreater(len(rows), 8)
                self.assertIn(column, rows[0].keys() | {value for row in rows for value in row.values()})

    def test_events_replay_from_the_first_and_close_after_the_end(self):
        events = self.server.events(self.job["id"])
        ids = [number for number, _, _ in events]
        self.assertEqual(ids, sorted(set(ids)))
        names = [name for _, name, _ in events]
        self.assertEqual((names[0], names[-1], names.count("end")), ("status", "end", 1))
        self.assertLessEqual({"status", "metrics", "gradients", "end"}, set(names))

    def test_last_event_id_goes_on_without_a_gap(self):
        events = self.server.events(self.job["id"])
        for place in (0, len(events) // 2, len(events) - 2):
            after = events[place][0]
            self.assertEqual(self.server.events(self.job["id"], after=after), events[place + 1:])
        self.assertEqual(self.server.get(self.path + "/events", headers={"Last-Event-ID": "x"}).status, 400)


class Live(LiveTest):
    def test_a_live_stream_and_a_replay_are_the_same(self):
        job = example("digits", dataset=self.server.upload("digits", "digit"))
        job["training"]["epochs"] = 15
        job = self.server.submit(job)
        live = []
        viewer = threading.Thread(target=lambda: live.extend(self.server.events(job)))
        viewer.start()
        first = self.server.events(job, until=lambda event: event[1] == "metrics")
        rest = self.server.events(job, after=first[-1][0])
        viewer.join()
        replay = self.server.events(job)
        # A newer progress takes the place of the one before: a replay is what was seen live less those.
        self.assertEqual([event for event in live if event in replay], replay)
        superseded = [event for event in live if event not in replay]
        self.assertEqual({name for _, name, _ in superseded} - {"status"}, set())
        together = first + rest
        self.assertEqual([event for event in together if event in replay], replay)
        numbers = [number for number, _, _ in together]
        self.assertEqual(numbers, sorted(set(numbers)))


if __name__ == "__main__":
    unittest.main()

"""What holds for every route: problems, methods, types, sizes, paging, compression, HEAD."""
import base64
import gzip
import hashlib
import json
import re
import unittest

from harness import LiveTest, small_job, XOR


class Problems(LiveTest):
    def test_three_mistakes_get_one_answer_that_names_all(self):
        job = small_job()
        job["model"]["layers"][0]["units"] = "many"
        job["model"]["layers"][1]["actvation"] = "relu"
        job["training"]["batch_size"] = -4
        body = self.assertProblem(self.server.post("/v1/jobs", job), 422)
        pointers = {error["pointer"]: error["detail"] for error in body["errors"]}
        self.assertEqual(set(pointers), {"/model/layers/0/units", "/model/layers/1/actvation", "/training/batch_size"})
        self.assertIn("many", pointers["/model/layers/0/units"])
        self.assertIn("activation", pointers["/model/layers/1/actvation"], "names the nearest known key")

    def test_a_wrong_dataset_hides_no_other_mistake(self):
        for dataset in ("ds_none", 5, {"inputs": [[1], [2]], "targets": [1]}, None):
            job = {"dataset": dataset, "model": {"layers": [{"type": "dense", "unit": 3}, {"type": "lstn"}]},
                   "training": {"optimizer": "adan", "batch_size": 0}, "priority": 99}
            problem = self.assertProblem(self.server.post("/v1/jobs", job), 422)
            pointers = {error["pointer"] for error in problem["errors"]}
            self.assertEqual({p for p in pointers if not p.startswith("/dataset")},
                             {"/model/layers/0/unit", "/model/layers/0/units", "/model/layers/1/type", "/training/optimizer",
                              "/training/batch_size", "/priority"})
            self.assertEqual(len([p for p in pointers if p.startswith("/dataset")]), 1)

    def test_a_typo_at_the_top_is_named_with_what_was_meant(self):
        body = self.assertProblem(self.server.post("/v1/jobs", {**small_job(), "trainin": {}}), 422)
        self.assertEqual(body["errors"][0]["pointer"], "/trainin")
        self.assertIn("training", body["errors"][0]["detail"])

    def test_an_unknown_layer_names_the_nearest(self):
        job = small_job()
        job["model"]["layers"][0]["type"] = "dens"
        body = self.assertProblem(self.server.post("/v1/jobs", job), 422)
        self.assertEqual(body["errors"][0]["pointer"], "/model/layers/0/type")
        self.assertIn("dense", body["errors"][0]["detail"])

    def test_the_last_layer_must_fit_the_task(self):
        job = small_job()
        job["model"]["layers"][1]["units"] = 7
        body = self.assertProblem(self.server.post("/v1/jobs", job), 422)
        self.assertIn("2", body["errors"][0]["detail"])

    def test_not_json_is_400_and_says_where(self):
        for text in ('{"name": }', "{", "[1,]", '{"a": 01}', "nul", '{"a": "\x01"}', "{} x"):
            with self.subTest(text):
                self.assertProblem(self.server.post("/v1/jobs", text, headers={"Content-Type": "application/json"}), 400)

    def test_a_key_twice_is_named(self):
        answer = self.server.post("/v1/jobs", '{"name": "a", "name": "b"}', headers={"Content-Type": "application/json"})
        self.assertEqual(self.assertProblem(answer, 422)["errors"][0]["pointer"], "/name")

    def test_an_unknown_dataset_is_named(self):
        body = self.assertProblem(self.server.post("/v1/jobs", small_job("ds_00000000000000000000000000")), 422)
        self.assertEqual(body["errors"][0]["pointer"], "/dataset")

    def test_no_such_thing_is_404(self):
        for path in ("/v1/jobs/job_none", "/v1/datasets/ds_none", "/v1/models/mdl_none", "/v1/nothing", "/nothing",
                     "/v1/jobs/job_none/metrics", "/v1/jobs/job_none/events"):
            with self.subTest(path):
                self.assertProblem(self.server.get(path), 404)

    def test_a_wrong_method_is_405_with_those_allowed(self):
        answer = self.server.request("PUT", "/v1/jobs", {})
        self.assertProblem(answer, 405)
        allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
        self.assertLessEqual({"GET", "POST"}, allowed)
        self.assertProblem(self.server.delete("/healthz"), 405)

    def test_a_wrong_type_is_415(self):
        for content_type in ("text/plain", "application/x-www-form-urlencoded", "text/html"):
            with self.subTest(content_type):
                self.assertProblem(
                    self.server.post("/v1/jobs", json.dumps(small_job()), headers={"Content-Type": content_type}), 415)

    def test_a_bad_query_is_400(self):
        for query in ("limit=0", "limit=501", "limit=x", "status=unheard", "colour=red"):
            with self.subTest(query):
                self.assertProblem(self.server.get("/v1/jobs?" + query), 400)

    def test_dangerous_characters_come_back_as_text(self):
        job = small_job()
        job["model"]["layers"][0]["<script>\"'\\\u20ac"] = 1
        body = self.assertProblem(self.server.post("/v1/jobs", job), 422)
        self.assertEqual(body["errors"][0]["pointer"], "/model/layers/0/<script>\"'\\\u20ac")


class Bounds(LiveTest):
    flags = ("--max-body", "100000")

    def test_a_body_over_the_bound_is_413(self):
        self.assertProblem(self.server.post("/v1/datasets", {"inputs": [[1.5] * 100] * 1000, "targets": [1] * 1000}), 413)

    def test_a_claimed_body_over_the_bound_is_413_before_it_is_read(self):
        answer = self.server.raw(b"POST /v1/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                                 b"Content-Length: 100000000000\r\n\r\n", timeout=3)
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])

    def test_the_server_lives_on(self):
        self.assertEqual(self.server.get("/healthz").status, 200)


class Forms(LiveTest):
    def test_head_is_get_without_its_body(self):
        for path in ("/healthz", "/v1/jobs", "/v1/layers", "/"):
            with self.subTest(path):
                get, head = self.server.get(path), self.server.request("HEAD", path)
                self.assertEqual(head.status, get.status)
                self.assertEqual(head.body, b"")
                self.assertEqual(head.headers["Content-Type"], get.headers["Content-Type"])
        self.assertEqual(self.server.request("HEAD", "/v1/jobs/job_none").status, 404)

    def test_long_answers_are_gzipped_when_asked_for(self):
        plain = self.server.get("/v1/layers")
        packed = self.server.get("/v1/layers", headers={"Accept-Encoding": "gzip"})
        self.assertIsNone(plain.headers["Content-Encoding"])
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertLess(len(packed.body), len(plain.body))
        self.assertIn("Accept-Encoding", packed.headers["Vary"])
        self.assertIsNone(self.server.get("/healthz", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"])
        refused = self.server.get("/v1/layers", headers={"Accept-Encoding": "gzip;q=0"})
        self.assertIsNone(refused.headers["Content-Encoding"])

    def test_a_list_is_paged_newest_first(self):
        ids = [self.server.post("/v1/datasets", {**XOR, "name": f"page {i}"}).json["id"] for i in range(5)]
        seen, path = [], "/v1/datasets?limit=2"
        while True:
            page = self.server.get(path).json
            self.assertLessEqual(len(page["items"]), 2)
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            path = f"/v1/datasets?limit=2&cursor={page['next']}"
        self.assertEqual(seen, ids[::-1])
        self.assertEqual(len(self.server.get("/v1/datasets").json["items"]), 5)

    def test_times_are_rfc_3339_in_utc(self):
        created = self.server.post("/v1/datasets", XOR).json["created_at"]
        self.assertRegex(created, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

    def test_the_catalog_lists_what_a_job_can_name(self):
        catalog = self.server.get("/v1/layers").json
        names = {part: {entry["name"] for entry in catalog[part]}
                 for part in ("layers", "activations", "initializers", "losses", "optimizers", "schedules",
                              "augmentations")}
        self.assertLessEqual({"dense", "activation", "dropout", "batch_norm", "layer_norm", "flatten", "residual",
                              "add", "concat"}, names["layers"])
        self.assertLessEqual({"linear", "relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "gelu_tanh", "swish",
                              "sigmoid", "tanh", "softplus", "softmax"}, names["activations"])
        self.assertLessEqual({"cross_entropy", "binary_cross_entropy", "mse", "mae", "huber"}, names["losses"])
        self.assertLessEqual({"sgd", "rmsprop", "adagrad", "adam", "adamw", "lion"}, names["optimizers"])
        self.assertLessEqual({"constant", "step", "exponential", "cosine", "one_cycle", "cyclic", "plateau"},
                             names["schedules"])
        self.assertLessEqual({"flip_horizontal", "flip_vertical", "rotate", "shift", "crop", "noise",
                              "token_dropout", "token_swap", "synonym"},
                             names["augmentations"])

    def test_openapi_has_every_route(self):
        document = self.server.get("/v1/openapi.json").json
        self.assertTrue(document["openapi"].startswith("3.1"))
        for path, methods in {"/v1/datasets": {"get", "post"}, "/v1/jobs": {"get", "post"},
                              "/v1/jobs/{id}": {"get", "delete"}, "/v1/jobs/{id}/cancel": {"post"},
                              "/v1/jobs/{id}/pause": {"post"}, "/v1/jobs/{id}/resume": {"post"},
                              "/v1/jobs/{id}/stop": {"post"}, "/v1/aliases": {"get"},
                              "/v1/aliases/{name}": {"get", "put", "delete"}, "/metrics": {"get"},
                              "/v1/jobs/{id}/metrics": {"get"}, "/v1/jobs/{id}/gradients": {"get"},
                              "/v1/jobs/{id}/events": {"get"}, "/v1/models": {"get"},
                              "/v1/models/{id}/predict": {"post"}, "/v1/layers": {"get"}, "/v1/status": {"get"},
                              "/healthz": {"get"}, "/readyz": {"get"}}.items():
            with self.subTest(path):
                self.assertLessEqual(methods, set(document["paths"].get(path, {})))
        answers = document["paths"]["/v1/jobs"]["post"]["responses"]
        self.assertEqual(answers["200"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/DryRun")
        self.assertEqual(answers["202"]["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Job")
        self.assertIn({}, document["security"])  # this server has no token
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if any(parameter["in"] == "query" for parameter in operation["parameters"]):
                    with self.subTest(path, method=method):
                        self.assertIn("400", operation["responses"])

    def test_status_tells_version_workers_queue_and_machine(self):
        status = self.server.get("/v1/status").json
        for member in ("version", "workers", "queue", "machine"):
            self.assertIn(member, status)

    def test_the_page_comes_with_a_strict_policy(self):
        page = self.server.get("/")
        self.assertEqual(page.status, 200)
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy.replace("default-src 'self'", "default-src 'none'"))
        self.assertNotIn("unsafe", policy)
        inside = re.findall(r"<(script|style)>(.*?)</\1>", page.body.decode(), re.S)
        self.assertEqual([name for name, _ in inside], ["script", "style", "style"])
        sources = dict(part.split(" ", 1) for part in policy.split("; "))
        for name, text in inside:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            self.assertIn(f"'sha256-{digest}'", sources[f"{name}-src"].split())
        self.assertEqual(page.headers["X-Content-Type-Options"], "nosniff")


class Idempotency(LiveTest):
    def test_the_same_key_and_body_give_the_first_answer(self):
        first = self.server.post("/v1/datasets", XOR, headers={"Idempotency-Key": "a"})
        again = self.server.post("/v1/datasets", XOR, headers={"Idempotency-Key": "a"})
        self.assertEqual((again.status, again.json["id"], again.headers["Location"]),
                         (201, first.json["id"], first.headers["Location"]))
        self.assertEqual(again.body, first.body)

    def test_the_same_key_with_another_body_is_422(self):
        self.server.post("/v1/jobs", small_job(), headers={"Idempotency-Key": "b"})
        self.assertProblem(self.server.post("/v1/jobs", small_job(seed=9), headers={"Idempotency-Key": "b"}), 422)

    def test_a_refused_request_leaves_its_key_free(self):
        self.assertProblem(self.server.post("/v1/jobs", {}, headers={"Idempotency-Key": "c"}), 422)
        self.assertEqual(self.server.post("/v1/jobs", small_job(), headers={"Idempotency-Key": "c"}).status, 202)

    def test_it_holds_after_a_restart(self):
        first = self.server.post("/v1/jobs", small_job(), headers={"Idempotency-Key": "d"})
        self.assertEqual(first.status, 202)
        self.server.kill()
        self.server.start()
        again = self.server.post("/v1/jobs", small_job(), headers={"Idempotency-Key": "d"})
        self.assertEqual((again.status, again.json["id"]), (202, first.json["id"]))


if __name__ == "__main__":
    unittest.main()

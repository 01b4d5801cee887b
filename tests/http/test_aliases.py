"""Aliases: names that stand wherever a model's id stands, and follow the newest model of their jobs."""
import unittest

from harness import LiveTest, Server, small_job

ROW = {"inputs": [[0, 1]]}


class Aliases(LiveTest):
    def trained(self, **more):
        return self.server.wait(self.server.submit({**small_job(), **more}))["model"]

    def put(self, name, model, status=200):
        answer = self.server.request("PUT", f"/v1/aliases/{name}", {"model": model})
        self.assertEqual(answer.status, status, answer)
        return answer

    def test_a_jobs_alias_moves_to_its_model(self):
        first = self.trained(alias="nightly")
        self.assertEqual(self.server.get("/v1/aliases/nightly").json["model"], first)
        self.assertEqual(self.server.get("/v1/models/nightly").json["id"], first)
        second = self.trained(alias="nightly")
        self.assertEqual(self.server.get("/v1/aliases/nightly").json["model"], second)
        self.assertEqual(self.server.get(f"/v1/models/{second}").json["aliases"], ["nightly"])
        self.assertEqual(self.server.get(f"/v1/models/{first}").json["aliases"], [])

    def test_a_job_that_fails_moves_nothing(self):
        first = self.trained(alias="steady")
        job = small_job(epochs=200, optimizer={"type": "sgd", "learning_rate": 1e30})
        job["model"]["layers"][0]["activation"] = "linear"
        ended = self.server.wait(self.server.submit({**job, "alias": "steady"}))
        self.assertEqual(ended["status"], "failed", ended)
        self.assertEqual(ended["spec"]["alias"], "steady")
        self.assertEqual(self.server.get("/v1/models/steady").json["id"], first)

    def test_it_stands_wherever_an_id_stands(self):
        model = self.trained()
        self.put("stand-in_1.0", model)
        for method, path, body in (("GET", "", None), ("GET", "/weights", None), ("POST", "/predict", ROW),
                                   ("POST", "/evaluate", {"dataset": self.server.get(f"/v1/models/{model}").json["spec"]["dataset"]})):
            with self.subTest(path):
                by_id, by_alias = (self.server.request(method, f"/v1/models/{name}{path}", body)
                                   for name in (model, "stand-in_1.0"))
                self.assertEqual((by_alias.status, by_alias.body), (200, by_id.body), by_alias)
        # A job that starts from it starts from what it means now.
        job = small_job()
        job["model"]["initial"] = "stand-in_1.0"
        state = self.server.wait(self.server.submit(job))
        self.assertEqual((state["status"], state["spec"]["model"]["initial"]), ("succeeded", model))
        self.put("second", "stand-in_1.0")
        self.assertEqual(self.server.get("/v1/aliases/second").json["model"], model)

    def test_they_are_listed_by_name_and_deleted(self):
        with Server() as server:
            model = server.wait(server.submit(small_job()))["model"]
            for name in ("c", "a", "b"):
                server.request("PUT", f"/v1/aliases/{name}", {"model": model})
            first = server.get("/v1/aliases?limit=2").json
            self.assertEqual([item["name"] for item in first["items"]], ["a", "b"])
            rest = server.get(f"/v1/aliases?limit=2&cursor={first['next']}").json
            self.assertEqual(([item["name"] for item in rest["items"]], rest["next"]), (["c"], None))
            self.assertEqual(set(rest["items"][0]), {"name", "model", "updated_at"})
            self.assertProblem(server.delete(f"/v1/models/{model}"), 409)
            for name in ("a", "b", "c"):
                self.assertEqual(server.delete(f"/v1/aliases/{name}").status, 204)
                self.assertProblem(server.get(f"/v1/models/{name}"), 404)
            self.assertProblem(server.delete("/v1/aliases/a"), 404)
            self.assertEqual(server.delete(f"/v1/models/{model}").status, 204)

    def test_it_survives_a_restart(self):
        model = self.trained(alias="lasting")
        self.server.kill()
        self.server.start()
        self.assertEqual(self.server.post("/v1/models/lasting/predict", ROW).status, 200)
        self.assertEqual(self.server.get("/v1/aliases/lasting").json["model"], model)

    def test_wrong_ones_are_refused_with_their_place(self):
        model = self.trained()
        self.assertProblem(self.put("x", "mdl_00000000000000000000000000", 422), 422)
        self.assertEqual(self.put("x", "nobody", 422).json["errors"][0]["pointer"], "/model")
        both = self.server.request("PUT", "/v1/aliases/x", {"model": "nobody", "modle": 1})
        self.assertEqual({error["pointer"] for error in self.assertProblem(both, 422)["errors"]}, {"/model", "/modle"})
        self.assertEqual(self.put("x", 5, 422).json["errors"][0]["pointer"], "/model")
        for name in ("mdl_1", ".hidden", "a%20b", "%C3%A9", "x" * 65):
            with self.subTest(name):
                self.put(name, model, 422)
        for alias in ("mdl_1", "", 7, "a/b", "x" * 65):
            with self.subTest(alias):
                problem = self.assertProblem(self.server.post("/v1/jobs", {**small_job(), "alias": alias}), 422)
                self.assertEqual(problem["errors"][0]["pointer"], "/alias")
        self.assertEqual(self.server.get("/v1/aliases?cursor=a%20b").status, 400)
        self.assertProblem(self.server.get("/v1/models/nobody"), 404)
        self.assertProblem(self.server.post("/v1/models/nobody/predict", ROW), 404)


if __name__ == "__main__":
    unittest.main()

"""Datasets: JSON rows, CSV and lines, their profile, their rows, and what is refused."""
import json
import unittest

from harness import LiveTest, long_job, XOR

CSV = {"Content-Type": "text/csv"}
LINES = {"Content-Type": "application/x-ndjson"}


class Json(LiveTest):
    def test_rows_of_numbers_with_class_names(self):
        answer = self.server.post("/v1/datasets", {**XOR, "name": "xor", "feature_names": ["a", "b"]})
        self.assertEqual(answer.status, 201, answer)
        made = answer.json
        self.assertEqual(answer.headers["Location"], f"/v1/datasets/{made['id']}")
        self.assertTrue(made["id"].startswith("ds_"))
        self.assertEqual((made["name"], made["task"], made["rows"]), ("xor", "classification", 4))
        self.assertEqual((made["input_shape"], made["classes"]), ([2], ["even", "odd"]))
        self.assertEqual(len(made["sha256"]), 64)
        self.assertGreater(made["bytes"], 0)
        feature = made["profile"]["features"][0]
        self.assertEqual((feature["name"], feature["mean"], feature["min"], feature["max"]), ("a", 0.5, 0, 1))
        self.assertEqual((feature["missing"], feature["distinct"]), (0, 2))
        self.assertEqual(made["profile"]["classes"], [{"name": "even", "count": 2}, {"name": "odd", "count": 2}])
        self.assertEqual(self.server.get(f"/v1/datasets/{made['id']}").json, made)

    def test_the_task_is_inferred(self):
        for targets, task, classes in (
                ([0, 1, 2, 1], "classification", 3),
                ([0.5, 1.25, 2, 1], "regression", None),
                ([[1.0, 2.0], [2, 3], [3, 4], [4, 5]], "regression", None),
                (["a", "b", "a", "c"], "classification", 3)):
            with self.subTest(targets):
                made = self.server.post("/v1/datasets", {"inputs": XOR["inputs"], "targets": targets}).json
                self.assertEqual(made["task"], task)
                self.assertEqual(len(made["classes"]) if made["classes"] else None, classes)

    def test_it_may_be_said(self):
        made = self.server.post("/v1/datasets", {**XOR, "targets": [0, 1, 1, 0], "task": "regression"}).json
        self.assertEqual((made["task"], made["classes"]), ("regression", None))

    def test_many_whole_numbers_are_regression_and_a_finding_says_so(self):
        made = self.server.post("/v1/datasets", {"inputs": [[i] for i in range(60)], "targets": list(range(60))}).json
        self.assertEqual(made["task"], "regression")
        self.assertEqual([finding["severity"] for finding in made["findings"]], ["info"])

    def test_rows_may_be_images(self):
        made = self.server.post("/v1/datasets", {"inputs": [[[0, 1], [2, 3], [4, 5]]] * 4, "targets": [0, 1, 0, 1]}).json
        self.assertEqual(made["input_shape"], [3, 2])

    def test_missing_values_are_counted(self):
        made = self.server.post("/v1/datasets", {"inputs": [[1, None], [3, 5], [None, None]], "targets": ["a", "b", "a"]}).json
        self.assertEqual([f["missing"] for f in made["profile"]["features"]], [1, 2])
        self.assertEqual(made["profile"]["features"][0]["mean"], 2)

    def test_the_same_data_has_the_same_sha256(self):
        shas = {self.server.post("/v1/datasets", XOR).json["sha256"] for _ in range(2)}
        self.assertEqual(len(shas), 1)

    def test_mistakes_are_named(self):
        for body, pointer in (
                ({"inputs": [[1, 2], [3]], "targets": [0, 1]}, "/inputs/1"),
                ({"inputs": [[1, 2], [3, "x"]], "targets": [0, 1]}, "/inputs/1/1"),
                ({"inputs": [[1, 2], [3, 4]], "targets": [0]}, "/targets"),
                ({"inputs": [[1, 2], [3, 4]], "targets": [0, 1], "inputz": 1}, "/inputz"),
                ({"inputs": [], "targets": []}, "/inputs"),
                ({"targets": [1, 2]}, "/inputs"),
                ({"inputs": [[1], [2]], "targets": ["a", "b"], "task": "sorting"}, "/task")):
            with self.subTest(pointer=pointer, body=body):
                problem = self.assertProblem(self.server.post("/v1/datasets", body), 422)
                self.assertIn(pointer, [error["pointer"] for error in problem["errors"]])

    def test_rows_come_back(self):
        made = self.server.post("/v1/datasets", XOR).json
        rows = self.server.get(f"/v1/datasets/{made['id']}/rows?offset=1&limit=2").json["items"]
        self.assertEqual([row["row"] for row in rows], [1, 2])
        self.assertEqual([row["input"] for row in rows], [[0, 1], [1, 0]])
        self.assertEqual([row["target"] for row in rows], ["odd", "odd"])

    def test_it_can_be_deleted(self):
        made = self.server.post("/v1/datasets", XOR).json
        self.assertEqual(self.server.delete(f"/v1/datasets/{made['id']}").status, 204)
        self.assertProblem(self.server.get(f"/v1/datasets/{made['id']}"), 404)
        self.assertProblem(self.server.delete(f"/v1/datasets/{made['id']}"), 404)

    def test_not_while_a_job_uses_it(self):
        dataset = self.server.upload("digits", "digit")
        job = self.server.submit(long_job(dataset))
        self.assertProblem(self.server.delete(f"/v1/datasets/{dataset}"), 409)
        self.server.post(f"/v1/jobs/{job}/cancel")
        self.server.wait(job)


class Csv(LiveTest):
    def test_text_columns_become_one_hot(self):
        text = "size,colour,price\n1.5,red,10.5\n2,blue,11.25\n,red,12\n4,,13.5\n"
        answer = self.server.post("/v1/datasets?name=things&target=price", text, headers=CSV)
        self.assertEqual(answer.status, 201, answer)
        made = answer.json
        self.assertEqual((made["name"], made["task"], made["rows"]), ("things", "regression", 4))
        # size; red, blue and a place for the missing
        self.assertGreaterEqual(made["input_shape"][0], 3)
        self.assertEqual(made["profile"]["features"][0]["name"], "size")
        self.assertEqual(made["profile"]["features"][0]["missing"], 1)

    def test_text_targets_are_classes(self):
        made = self.server.get(f"/v1/datasets/{self.server.upload('iris', 'species')}").json
        self.assertEqual((made["rows"], made["input_shape"]), (150, [4]))
        self.assertEqual(sorted(made["classes"]), ["setosa", "versicolor", "virginica"])
        self.assertEqual({c["count"] for c in made["profile"]["classes"]}, {50})
        self.assertAlmostEqual(made["profile"]["features"][0]["mean"], 5.8433333, places=5)

    def test_several_targets(self):
        made = self.server.post("/v1/datasets?target=c,d", "a,b,c,d\n1,2,3.5,4\n5,6,7,8\n", headers=CSV).json
        self.assertEqual((made["input_shape"], made["target_shape"], made["task"]), ([2], [2], "regression"))

    def test_quotes_crlf_and_utf8(self):
        text = '"the, size","""colour""",label\r\n1,"rö\nd",x\r\n2,blue,y\r\n'
        made = self.server.post("/v1/datasets?target=label", text.encode(), headers=CSV)
        self.assertEqual(made.status, 201, made)
        self.assertEqual(made.json["profile"]["features"][0]["name"], "the, size")

    def test_mistakes_are_named(self):
        for query, text in (("?target=nowhere", "a,b\n1,2\n"), ("?target=b", "a,b\n1,2\n3\n"), ("?target=b", "a,b\n"),
                            ("?target=b", "a,a,b\n1,2,3\n"), ("?target=b", 'a,b\n"1,2\n')):
            with self.subTest(query=query, text=text):
                self.assertProblem(self.server.post("/v1/datasets" + query, text, headers=CSV), 422)


class Lines(LiveTest):
    def test_a_line_a_row(self):
        text = "".join(json.dumps({"input": x, "target": y}) + "\n" for x, y in zip(XOR["inputs"], XOR["targets"]))
        answer = self.server.post("/v1/datasets?name=lines", text, headers=LINES)
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual((answer.json["rows"], answer.json["classes"]), (4, ["even", "odd"]))

    def test_the_line_of_a_mistake_is_named(self):
        problem = self.assertProblem(
            self.server.post("/v1/datasets", '{"input": [1], "target": "a"}\n{"input": [1], "targe": 1}\n', headers=LINES), 422)
        self.assertIn("1", json.dumps(problem["errors"]))


if __name__ == "__main__":
    unittest.main()

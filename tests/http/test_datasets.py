"""Datasets: JSON rows, CSV and lines, their profile, their rows, and what is refused."""
import gzip
import json
import struct
import unittest

from harness import LiveTest, long_job, multipart, XOR

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


    def test_the_task_may_be_asked_for(self):
        text = "a,y\n1,0\n2,1\n3,1\n"
        self.assertEqual(self.server.post("/v1/datasets", text, headers=CSV).json["task"], "classification")
        made = self.server.post("/v1/datasets?task=regression", text, headers=CSV).json
        self.assertEqual((made["task"], made["classes"]), ("regression", None))
        self.assertProblem(self.server.post("/v1/datasets?task=sorting", text, headers=CSV), 400)
        problem = self.assertProblem(self.server.post("/v1/datasets?task=regression", text + "4,x\n", headers=CSV), 422)
        self.assertIn('line 5, column "y"', problem["errors"][0]["detail"])


class Lines(LiveTest):
    def test_a_byte_order_mark_and_crlf_are_no_harm(self):
        text = '\ufeff{"input": [1], "target": 0.5}\r\n\r\n{"input": [null], "target": 1.5}\r\n'
        made = self.server.post("/v1/datasets", text.encode(), headers=LINES)
        self.assertEqual(made.status, 201, made)
        self.assertEqual((made.json["rows"], made.json["profile"]["features"][0]["missing"]), (2, 1))

    def test_a_line_a_row(self):
        text = "".join(json.dumps({"input": x, "target": y}) + "\n" for x, y in zip(XOR["inputs"], XOR["targets"]))
        answer = self.server.post("/v1/datasets?name=lines", text, headers=LINES)
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual((answer.json["rows"], answer.json["classes"]), (4, ["even", "odd"]))

    def test_the_line_of_a_mistake_is_named(self):
        problem = self.assertProblem(
            self.server.post("/v1/datasets", '{"input": [1], "target": "a"}\n{"input": [1], "targe": 1}\n', headers=LINES), 422)
        self.assertIn("1", json.dumps(problem["errors"]))


def idx(numbers, *dims, kind=0x08):
    """An IDX file of bytes."""
    return struct.pack(f">BBBB{len(dims)}I", 0, 0, kind, len(dims), *dims) + bytes(numbers)


def npy(raw, descr, shape, order="False"):
    """A NumPy file, version 1."""
    head = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + raw


class Parts(LiveTest):
    """multipart/form-data: arrays as files."""

    def send(self, *parts, boundary="------------------------d74496d66958873e", **more):
        return self.server.post("/v1/datasets", multipart(parts, boundary),
                                headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}, **more)

    def test_the_dataset_is_the_one_that_json_makes(self):
        rows = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [250, 251, 252]]
        body = {"inputs": rows, "targets": [0, 1, 1, 0], "test_inputs": [[0, 0, 1]], "test_targets": [1],
                "class_names": ["no", "yes"], "feature_names": ["a", "b", "c"], "name": "four"}
        wanted = self.server.post("/v1/datasets", body).json
        flat = [number for row in rows for number in row]
        forms = {
            "idx": (idx(flat, 4, 3), idx([0, 1, 1, 0], 4), idx([0, 0, 1], 1, 3), idx([1], 1)),
            "npy": (npy(struct.pack("<12f", *flat), "<f4", "(4, 3)"), npy(struct.pack("<4q", 0, 1, 1, 0), "<i8", "(4,)"),
                    npy(struct.pack("<3d", 0, 0, 1), "<f8", "(1, 3)"), npy(b"\x01", "|b1", "(1,)")),
        }
        forms["gzip"] = tuple(gzip.compress(file) for file in forms["idx"])
        for form, (inputs, targets, test_inputs, test_targets) in forms.items():
            with self.subTest(form):
                answer = self.send(("test_targets", test_targets), ("name", b"four"), ("inputs", inputs),
                                   ("class_names", b'["no", "yes"]'), ("targets", targets), ("test_inputs", test_inputs),
                                   ("feature_names", b'["a", "b", "c"]'))
                self.assertEqual(answer.status, 201, answer)
                made = answer.json
                self.assertEqual(answer.headers["Location"], f"/v1/datasets/{made['id']}")
                for same in ("sha256", "name", "task", "rows", "input_shape", "classes", "bytes", "profile"):
                    self.assertEqual(made[same], wanted[same])

    def test_missing_numbers_are_nan(self):
        inputs = npy(struct.pack("<4f", 1, float("nan"), 3, 4), "<f4", "(2, 2)")
        made = self.send(("inputs", inputs), ("targets", npy(struct.pack("<2f", 0.5, 1.25), "<f4", "(2,)"))).json
        self.assertEqual([f["missing"] for f in made["profile"]["features"]], [0, 1])
        self.assertEqual(made["task"], "regression")

    def test_mistakes_are_named(self):
        inputs, targets = ("inputs", idx(range(6), 3, 2)), ("targets", idx([0, 1, 0], 3))
        for parts, pointer, word in (
                ([inputs], "/targets", "is required"),
                ([inputs, ("targets", idx([0, 1], 2))], "/targets", "must have one item for each of the 3 rows"),
                ([inputs, targets, ("labels", b"x")], "/labels", "unknown part"),
                ([inputs, targets, targets], "/targets", "stands twice"),
                ([inputs, targets, ("task", b"sorting")], "/task", "must be"),
                ([("inputs", idx(range(5), 3, 2)), targets], "/inputs", "cut off"),
                ([("inputs", b"a,b\n1,2\n"), targets], "/inputs", "neither IDX nor NPY"),
                ([("inputs", npy(b"\0" * 24, "<f4", "(3, 2)", order="True")), targets], "/inputs", "ascontiguousarray"),
                ([("inputs", npy(b"\0" * 24, ">f4", "(3, 2)")), targets], "/inputs", "little-endian"),
                ([("inputs", gzip.compress(inputs[1])[:-3]), targets], "/inputs", "cut off")):
            with self.subTest(pointer=pointer, word=word):
                problem = self.assertProblem(self.send(*parts), 422)
                self.assertIn((pointer, True), [(e["pointer"], word in e["detail"]) for e in problem["errors"]])

    def test_a_body_that_is_no_form_is_refused(self):
        for body in (b"", b"hello", b"--b\r\n", b"--b\r\nContent-Disposition: form-data; name=\"inputs\"\r\n\r\n123"):
            with self.subTest(body):
                self.assertProblem(self.server.post("/v1/datasets", body, headers={
                    "Content-Type": "multipart/form-data; boundary=b"}), 400)
        self.assertProblem(self.server.post("/v1/datasets", b"--b--", headers={"Content-Type": "multipart/form-data"}), 400)


class Bombs(LiveTest):
    flags = ("--max-body", "1M")

    def test_what_unpacks_to_more_than_a_body_is_413(self):
        bomb = gzip.compress(idx(b"", 0xFFFF, 784) + bytes(32 << 20))
        self.assertLess(len(bomb), 1 << 19)
        head = struct.pack(">4B2I", 0, 0, 8, 2, 64, 784)
        lying = gzip.compress(head + bytes(32 << 20))
        for inputs in (bomb, lying):
            boundary = "b"
            answer = self.server.post("/v1/datasets", multipart([("inputs", inputs), ("targets", idx([0, 1], 2))], boundary),
                                      headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
            if inputs is bomb:
                problem = self.assertProblem(answer, 413)
                self.assertEqual(problem["errors"][0]["pointer"], "/inputs")
            else:
                self.assertProblem(answer, 422)  # read no further than its head says

    def test_a_body_claimed_to_be_larger_is_413_before_it_is_read(self):
        for claimed in (100 << 30, (1 << 20) + 1):
            answer = self.server.raw(f"POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
                                     f"Content-Length: {claimed}\r\n\r\n".encode())
            self.assertIn(b" 413 ", answer.split(b"\r\n")[0])


if __name__ == "__main__":
    unittest.main()

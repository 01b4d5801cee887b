"""The Open Inference Protocol, version 2: health, metadata and inference as its clients ask for them, beside `predict`."""
import unittest

from harness import LiveTest, XOR

LAYERS = [{"type": "dense", "units": 4, "activation": "tanh"}]


class Inference(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.models = {}

    def model(self, name, dataset, layers, **training):
        """A model that is trained once for all tests."""
        if name not in self.models:
            job = self.server.wait(self.server.submit({
                "dataset": dataset, "model": {"layers": layers}, "training": {"epochs": 2, "batch_size": 4, "seed": 1,
                                                                              "validation_split": 0, **training}}))
            self.assertEqual(job["status"], "succeeded", job["error"])
            self.models[name] = job["model"]
        return self.models[name]

    def xor(self):
        return self.model("xor", XOR, [*LAYERS, {"type": "dense", "units": 2}])

    def table(self):
        rows = [["red", 1], ["blue", 2], ["red", 3], ["blue", 4], ["red", 5], ["blue", 6]]
        text = "colour,size,price\n" + "".join(f"{colour},{size},{size * 1.5 + 0.25}\n" for colour, size in rows)
        dataset = self.server.post("/v1/datasets?target=price", text, headers={"Content-Type": "text/csv"}).json["id"]
        return self.model("table", dataset, [*LAYERS, {"type": "dense", "units": 1}])

    def infer(self, model, inputs, status=200, **more):
        answer = self.server.post(f"/v2/models/{model}/infer", {"inputs": inputs, **more})
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/json")
        return answer.json

    def outputs(self, answer):
        return {output["name"]: output for output in answer["outputs"]}

    def assertError(self, answer, status, word=""):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/json")
        self.assertEqual(list(answer.json), ["error"])
        self.assertIn(word, answer.json["error"])

    def test_the_server_says_what_it_is_and_how_it_is(self):
        server = self.server.get("/v2").json
        self.assertEqual((server["name"], server["extensions"]), ("backpropd", []))
        self.assertEqual(server["version"], self.server.get("/v1/status").json["version"])
        self.assertEqual(self.server.get("/v2/health/live").json, {"live": True})
        self.assertEqual(self.server.get("/v2/health/ready").json, {"live": True, "ready": True})

    def test_a_models_tensors(self):
        self.assertEqual(self.server.get(f"/v2/models/{self.xor()}").json, {
            "name": self.xor(), "platform": "backpropd",
            "inputs": [{"name": "inputs", "datatype": "FP32", "shape": [-1, 2]}],
            "outputs": [{"name": "outputs", "datatype": "FP32", "shape": [-1, 2]},
                        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
                        {"name": "predictions", "datatype": "BYTES", "shape": [-1]}]})
        self.assertEqual(self.server.get(f"/v2/models/{self.table()}").json["inputs"], [
            {"name": "colour", "datatype": "BYTES", "shape": [-1]}, {"name": "size", "datatype": "FP32", "shape": [-1]}])
        self.assertEqual(self.server.get(f"/v2/models/{self.xor()}/ready").json, {"name": self.xor(), "ready": True})

    def test_it_answers_what_predict_answers(self):
        rows = [[0, 0], [0, 1], [1, 0]]
        wanted = self.server.post(f"/v1/models/{self.xor()}/predict", {"inputs": rows}).json
        for data in ([0, 0, 0, 1, 1, 0], rows, [[0], [0, 0, 1], [[1, 0]]]):
            answer = self.infer(self.xor(), [{"name": "inputs", "shape": [3, 2], "datatype": "FP32", "data": data}], id="42")
            self.assertEqual((answer["id"], answer["model_name"]), ("42", self.xor()))
            outputs = self.outputs(answer)
            for name in ("outputs", "probabilities"):
                self.assertEqual(outputs[name]["shape"], [3, 2])
                self.assertEqual(outputs[name]["data"], [number for row in wanted[name] for number in row])
            self.assertEqual((outputs["predictions"]["data"], outputs["predictions"]["shape"]), (wanted["predictions"], [3]))
        booleans = [{"name": "inputs", "shape": [1, 2], "datatype": "BOOL", "data": [False, True]}]
        self.assertEqual(self.outputs(self.infer(self.xor(), booleans))["predictions"]["data"], wanted["predictions"][1:2])

    def test_an_alias_stands_for_its_model(self):
        self.assertIn(self.server.request("PUT", "/v1/aliases/the-best", {"model": self.xor()}).status, (200, 201))
        self.assertEqual(self.server.get("/v2/models/the-best/ready").json, {"name": "the-best", "ready": True})
        self.assertEqual(self.server.get("/v2/models/the-best").json["name"], "the-best")
        answer = self.infer("the-best", [{"name": "inputs", "shape": [1, 2], "datatype": "FP32", "data": [0, 1]}])
        self.assertEqual(answer["model_name"], "the-best")

    def test_outputs_may_be_chosen(self):
        tensor = {"name": "inputs", "shape": [1, 2], "datatype": "INT64", "data": [1, 0]}
        answer = self.infer(self.xor(), [tensor], outputs=[{"name": "predictions"}, {"name": "outputs"}])
        self.assertEqual([output["name"] for output in answer["outputs"]], ["predictions", "outputs"])
        self.assertNotIn("id", answer)
        self.assertIn("no output", self.infer(self.xor(), [tensor], outputs=[{"name": "logits"}], status=400)["error"])

    def test_a_table_is_a_tensor_a_column(self):
        wanted = self.server.post(f"/v1/models/{self.table()}/predict", {"inputs": [["red", 2], [None, 3]]}).json
        size = {"name": "size", "shape": [2, 1], "datatype": "FP64", "data": [2, 3]}
        colour = {"name": "colour", "shape": [2], "datatype": "BYTES", "data": ["red", None]}
        answer = self.infer(self.table(), [size, colour])
        self.assertEqual(self.outputs(answer)["outputs"]["data"], [row[0] for row in wanted["predictions"]])
        self.assertEqual(list(self.outputs(answer)), ["outputs"])

    def test_texts_are_bytes(self):
        dataset = {"texts": ["good day", "bad day", "good night", "bad night"], "targets": ["yes", "no", "yes", "no"],
                   "max_length": 4}
        model = self.model("texts", dataset, [{"type": "embedding", "units": 4}, {"type": "global_avg_pool"},
                                              {"type": "dense", "units": 2}])
        wanted = self.server.post(f"/v1/models/{model}/predict", {"texts": ["good", 'a "bad" day']}).json
        for shape in ([2], [2, 1]):
            answer = self.infer(model, [{"name": "texts", "shape": shape, "datatype": "BYTES", "data": ["good", 'a "bad" day']}])
            self.assertEqual(self.outputs(answer)["predictions"]["data"], wanted["predictions"])
        self.assertEqual(self.server.get(f"/v2/models/{model}").json["inputs"],
                         [{"name": "texts", "datatype": "BYTES", "shape": [-1]}])

    def test_mistakes_are_named_in_one_sentence(self):
        good = {"name": "inputs", "shape": [1, 2], "datatype": "FP32", "data": [0, 1]}
        for change, word in (({"name": "x"}, 'the one tensor "inputs"'), ({"shape": [1, 3]}, "3 elements"),
                             ({"shape": [1, 3], "data": [1, 2, 3]}, "must have 2 items"), ({"shape": []}, "shape"),
                             ({"shape": [-1, 2]}, "shape"), ({"shape": [4000000, 4000000]}, "fewer elements"),
                             ({"datatype": "FLOAT"}, "data types"), ({"datatype": "BYTES"}, "string"),
                             ({"data": [0, "a"]}, "number"), ({"data": 3}, "2 elements"), ({"name": 3}, "name")):
            with self.subTest(change=change):
                self.assertIn(word, self.infer(self.xor(), [{**good, **change}], status=400)["error"])
        for key in good:
            without = {k: v for k, v in good.items() if k != key}
            self.assertIn(f"/{key}: is required", self.infer(self.xor(), [without], status=400)["error"])
        self.assertIn("at least one tensor", self.infer(self.xor(), [], status=400)["error"])
        self.assertIn("and others", self.infer(self.xor(), [good, good], status=400)["error"])
        self.assertIn("no column", self.infer(self.table(), [good], status=400)["error"])
        self.assertError(self.server.post(f"/v2/models/{self.xor()}/infer", {"input": []}), 400, "array of tensors")
        self.assertError(self.server.post(f"/v2/models/{self.xor()}/infer", b"{", headers={"Content-Type": "application/json"}),
                         400, "not JSON")

    def test_every_error_is_the_protocols(self):
        self.assertError(self.server.get("/v2/models/mdl_0"), 404, "no such model")
        self.assertError(self.server.get("/v2/models/mdl_0/ready"), 404, "no such model")
        self.assertError(self.server.post("/v2/models/mdl_0/infer", {"inputs": []}), 404, "no such model")
        self.assertError(self.server.get("/v2/nowhere"), 404)
        self.assertError(self.server.delete("/v2/health/live"), 405)
        self.assertError(self.server.post(f"/v2/models/{self.xor()}/infer", b"x", headers={"Content-Type": "text/plain"}), 415)
        self.assertProblem(self.server.get("/v1/nowhere"), 404)

    def test_models_of_other_things_say_where_to_ask(self):
        text = "the quick brown fox jumps over the lazy dog " * 20
        model = self.model("corpus", {"text": text}, [{"type": "embedding", "units": 8}, {"type": "dense", "units": 27}],
                           sequence_length=8)
        self.assertEqual(self.server.get(f"/v2/models/{model}").json["inputs"], [])
        self.assertIn("generate", self.infer(model, [], status=400)["error"])


class Guarded(LiveTest):
    def test_the_openapi_document_has_its_errors(self):
        routes = self.server.get("/v1/openapi.json").json["paths"]
        for path in ("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/{id}", "/v2/models/{id}/ready",
                     "/v2/models/{id}/infer"):
            self.assertIn(path, routes)
        errors = routes["/v2/models/{id}/infer"]["post"]["responses"]["404"]["content"]
        self.assertEqual(list(errors), ["application/json"])


if __name__ == "__main__":
    unittest.main()

"""Inputs that do not come from where the training rows came from."""
import json
import os
import random
import unittest

from harness import ROOT, LiveTest, Server, example


def draw(generator, shift=0):
    return [generator.gauss(10 + shift, 2), generator.gauss(-3, 1)]


class Drift(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server().start()
        generator = random.Random(1)
        rows = [draw(generator) for _ in range(500)]
        text = "height,depth,kind\n" + "".join(f"{a},{b},{'x' if a + b > 7 else 'y'}\n" for a, b in rows)
        dataset = cls.server.post("/v1/datasets?name=d&target=kind", text, headers={"Content-Type": "text/csv"}).json["id"]
        cls.job = {"dataset": dataset, "model": {"layers": [{"type": "dense", "units": 2}]}, "training": {"epochs": 2}}

    @classmethod
    def tearDownClass(cls):
        cls.server.finish()

    assertProblem = LiveTest.assertProblem

    def setUp(self):
        self.path = f"/v1/models/{self.server.wait(self.server.submit(self.job))['model']}"

    def predict(self, rows):
        answer = self.server.post(self.path + "/predict", {"inputs": rows})
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def drift(self):
        answer = self.server.get(self.path + "/drift")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_rows_from_the_same_place_give_no_note(self):
        generator = random.Random(2)
        for count in [1] * 60 + [30, 100]:
            self.assertNotIn("drift", self.predict([draw(generator) for _ in range(count)]))
        told = self.drift()
        self.assertEqual((told["rows"], told["window_rows"]), (190, 190))
        self.assertEqual([feature["drifted"] for feature in told["features"]], [False, False])
        self.assertEqual([feature["feature"] for feature in told["features"]], ["height", "depth"])
        for feature in told["features"]:
            self.assertEqual(sum(feature["asked"]), 190)
            self.assertEqual(sum(feature["training"]), told["training_rows"])
            self.assertEqual(len(feature["asked"]), len(feature["edges"]) + 2)

    def test_a_shifted_batch_is_noted(self):
        generator = random.Random(3)
        note = self.predict([draw(generator, shift=4) for _ in range(60)])["drift"]
        self.assertEqual([feature["feature"] for feature in note["features"]], ["height"])
        self.assertTrue(note["features"][0]["distribution"])
        self.assertGreater(note["features"][0]["index"], 0.25)
        self.assertIn("height", note["explanation"])

    def test_single_rows_add_up(self):
        generator = random.Random(4)
        noted = ["drift" in self.predict([draw(generator, shift=4)]) for _ in range(60)]
        self.assertEqual(noted[:19], [False] * 19)
        self.assertTrue(noted[-1])
        self.assertEqual([feature["drifted"] for feature in self.drift()["features"]], [True, False])

    def test_one_number_far_outside_is_noted_at_once(self):
        note = self.predict([[10, -300]])["drift"]
        self.assertEqual((note["features"][0]["feature"], note["features"][0]["outside"]), ("depth", 1))
        self.assertNotIn("drift", self.predict([[10, -3]]))

    def test_missing_numbers_count(self):
        note = self.predict([[None, -3 + k / 40] for k in range(40)])["drift"]
        self.assertEqual(note["features"][0]["feature"], "height")

    def test_it_survives_a_restart_and_can_begin_anew(self):
        generator = random.Random(5)
        self.predict([draw(generator, shift=4) for _ in range(50)])
        before = self.drift()
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.drift(), before)
        self.assertEqual(self.server.delete(self.path + "/drift").status, 204)
        self.assertEqual(self.drift()["rows"], 0)
        self.assertNotIn("drift", self.predict([draw(generator)]))

    def test_the_window_fades(self):
        generator = random.Random(6)
        self.predict([draw(generator, shift=4) for _ in range(200)])
        for _ in range(12):
            self.predict([draw(generator) for _ in range(1000)])
        told = self.drift()
        self.assertEqual(told["rows"], 12200)
        self.assertLess(told["window_rows"], 4096)
        self.assertEqual([feature["drifted"] for feature in told["features"]], [False, False])


class Forms(LiveTest):
    def trained(self, job):
        ended = self.server.wait(self.server.submit(job))
        self.assertEqual(ended["status"], "succeeded", ended)
        return f"/v1/models/{ended['model']}"

    def test_texts_by_length_and_unknown_words(self):
        words = ["one", "two", "three", "four", "five", "six"]
        generator = random.Random(7)
        texts = [" ".join(generator.choices(words, k=generator.randint(2, 9))) for _ in range(200)]
        path = self.trained({"dataset": {"texts": texts, "targets": [len(t) % 2 for t in texts], "tokenizer": "word", "max_length": 20},
                             "model": {"layers": [{"type": "embedding", "units": 4}, {"type": "global_avg_pool"}, {"type": "dense", "units": 2}]},
                             "training": {"epochs": 1}})
        self.assertNotIn("drift", self.server.post(path + "/predict", {"texts": texts[:100]}).json)
        strange = [t.replace("o", "u") for t in texts[:60]]
        note = self.server.post(path + "/predict", {"texts": strange}).json["drift"]
        self.assertEqual([feature["feature"] for feature in note["features"]], ["unknown share"])

    def test_images_by_their_mean_and_deviation(self):
        generator = random.Random(8)
        images = [[[generator.randint(0, 100) for _ in range(6)] for _ in range(6)] for _ in range(120)]
        path = self.trained({"dataset": {"inputs": images, "targets": [k % 2 for k in range(120)]},
                             "model": {"layers": [{"type": "flatten"}, {"type": "dense", "units": 2}]}, "training": {"epochs": 1}})
        self.assertNotIn("drift", self.server.post(path + "/predict", {"inputs": images[:50]}).json)
        bright = [[[255 - x for x in row] for row in image] for image in images[:40]]
        note = self.server.post(path + "/predict", {"inputs": bright}).json["drift"]
        self.assertEqual(note["features"][0]["feature"], "mean")

    def test_graphs_by_their_size(self):
        generator = random.Random(9)

        def graph(size):
            return {"nodes": [[generator.random()] for _ in range(size)], "edges": [[v, v + 1] for v in range(size - 1)]}
        graphs = [graph(generator.randint(3, 8)) for _ in range(100)]
        path = self.trained({"dataset": {"graphs": graphs, "targets": [k % 2 for k in range(100)]},
                             "model": {"layers": [{"type": "gcn_conv", "units": 4}, {"type": "global_avg_pool"}, {"type": "dense", "units": 2}]},
                             "training": {"epochs": 1}})
        self.assertNotIn("drift", self.server.post(path + "/predict", {"graphs": graphs[:40]}).json)
        note = self.server.post(path + "/predict", {"graphs": [graph(40) for _ in range(3)]}).json["drift"]
        self.assertEqual([feature["feature"] for feature in note["features"]], ["nodes", "edges"])

    def test_nodes_of_the_models_own_graph_cannot_drift(self):
        with open(os.path.join(ROOT, "examples", "karate.json"), encoding="utf-8") as file:
            dataset = self.server.post("/v1/datasets", json.load(file)).json["id"]
        path = self.trained(example("karate_gcn", dataset=dataset))
        self.assertNotIn("drift", self.server.post(path + "/predict", {"nodes": [1]}).json)
        self.assertProblem(self.server.get(path + "/drift"), 404)
        self.assertProblem(self.server.get("/v1/models/mdl_none/drift"), 404)


if __name__ == "__main__":
    unittest.main()

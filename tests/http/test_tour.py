"""Every command of the documents is run: their ```sh blocks, one after the other, against a live server. The jobs of examples/
reach what is said of them, and no file there is left out."""
import json
import os
import re
import subprocess
import tempfile
import unittest

from harness import BINARY, PATIENCE, ROOT, SANITIZED, Server

# What the test adds for a reader: curl's own exit status does not tell an error from an answer.
PREAMBLE = """
set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; }
"""


# What the job of this name must reach.
EXAMPLES = {
    "digits": {"val_accuracy": (0.97, 1)},
    "digits-cnn": {"val_accuracy": (0.98, 1)},
    "sunspots": {"val_mae": (0, 18)},
    "passengers": {"val_rmse": (0, 24)},
    "romeo-lstm": {"val_loss": (0, 2.0)},
    "romeo-gpt": {"val_loss": (0, 2.2)},
    "spam-transformer": {"val_accuracy": (0.96, 1)},
    "karate-gcn": {"test_accuracy": (0.9, 1)},
    "alkanes-sage": {"test_mae": (0, 5)},
}


class Tour(unittest.TestCase):
    def run_document(self, path, check=lambda server: None):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            blocks = re.findall(r"^```sh\n(.*?)^```$", file.read(), re.M | re.S)
        self.assertTrue(blocks, "a document with commands")
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            script = "\n".join(f"echo '== block {n}' >&2\n{block}" for n, block in enumerate(blocks, 1))
            script = script.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
            script = script.replace("build/backpropd", BINARY).replace("/tmp/", folder + "/")
            run = subprocess.run(["bash", "-c", PREAMBLE + script], cwd=ROOT, capture_output=True, text=True,
                                 timeout=3 * PATIENCE, check=False)
            self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
            check(server)
        return run.stdout

    def check_jobs(self, server):
        """Every job succeeded and reached what it must."""
        items = server.get("/v1/jobs?limit=100").json["items"]
        for item in items:
            job = server.wait(item["id"])
            self.assertEqual(job["status"], "succeeded", job)
            for metric, (least, most) in EXAMPLES.get(job["name"], {}).items():
                self.assertTrue(least <= job["metrics"][metric] <= most, (job["name"], job["metrics"]))
        return {item["name"] for item in items}

    def test_readme(self):
        out = self.run_document("README.md")
        for words in ('"predictions":["setosa"]', '"predictions":["virginica"]', '"status":"succeeded"', " succeeded mdl_", "/model/layers/0/unit", "passed"):
            self.assertIn(words, out)

    @unittest.skipIf(SANITIZED, "digits take minutes there")
    def test_the_first_hour(self):
        out = self.run_document("examples/README.md", self.check_jobs)
        self.assertIn('"predictions":["0"]', out)

    def test_a_net_by_hand(self):
        out = self.run_document("examples/learn/README.md", self.check_jobs)
        self.assertIn('"predictions":["even","odd","odd","even"]', out)
        self.assertIn('"gradient_pre_activation"', out)

    @unittest.skipIf(SANITIZED, "language models take minutes there")
    def test_architectures(self):
        names = set()
        out = self.run_document("examples/architectures.md", lambda server: names.update(self.check_jobs(server)))
        self.assertEqual(names, set(EXAMPLES) - {"digits"})
        whole = json.loads(re.search(r'{"text":.*?"finish_reason":"\w+"}', out)[0])
        self.assertEqual((len(whole["text"]), whole["finish_reason"]), (300, "length"))
        # English has a blank or a line break about every fifth character; chance would have 2 of 61.
        self.assertTrue(30 < sum(whole["text"].count(blank) for blank in " \n") < 100, whole)
        self.assertEqual((out.count("event: token"), out.count("event: end")), (100, 1))

    def test_no_example_is_left_out(self):
        documents = ""
        for path in ("README.md", "architectures.md", "learn/README.md"):
            with open(os.path.join(ROOT, "examples", path), encoding="utf-8") as file:
                documents += "".join(re.findall(r"^```sh\n(.*?)^```$", file.read(), re.M | re.S))
        size = 0
        for folder, _, names in os.walk(os.path.join(ROOT, "examples")):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                size += os.path.getsize(os.path.join(ROOT, path))
                if not name.endswith(".md") and name not in ("iris.csv", "iris.json"):  # those are README.md's
                    self.assertIn(path, documents)
        self.assertLess(size, 600_000)

    def test_the_numbers_by_hand_are_those_of_the_trace(self):
        with open(os.path.join(ROOT, "examples", "learn", "README.md"), encoding="utf-8") as file:
            stated = {name: float(number) for name, number in
                      re.findall(r"^- `([^ ]+) = .* = (-?[0-9.]+)`$", file.read(), re.M)}
        trace = json.loads(subprocess.run([BINARY, "trace", "examples/learn/two_two_one.json"], cwd=ROOT,
                                          capture_output=True, check=True).stdout)
        first, second = trace["forward"]
        to_second, to_first = trace["backward"]
        moved = trace["update"]["dense_2"]
        expected = {
            "z": first["pre_activation"][0], "h": first["output"][0], "s": second["pre_activation"][0][0],
            "y": second["output"][0][0], "L": trace["loss"]["value"], "dL/dy": to_second["gradient_output"][0][0],
            "dL/ds": to_second["gradient_pre_activation"][0][0], "dL/dW2_": to_second["gradients"]["kernel"],
            "dL/db2": to_second["gradients"]["bias"][0], "dL/dh": to_second["gradient_input"][0],
            "dL/dz": to_first["gradient_pre_activation"][0], "dL/dW1_": to_first["gradients"]["kernel"],
            "dL/db1_": to_first["gradients"]["bias"], "W2_": moved["kernel"]["after"], "b2": moved["bias"]["after"][0],
        }
        found = {}
        for name, value in expected.items():
            for i, row in enumerate(value if isinstance(value, list) else [value], 1):
                for j, number in enumerate(row if isinstance(row, list) else [row], 1):
                    place = (str(i) if isinstance(value, list) else "") + (str(j) if isinstance(row, list) and len(row) > 1 else "")
                    found[name + place] = number
        self.assertEqual(set(stated), set(found))
        for name, number in found.items():
            self.assertAlmostEqual(stated[name], number, places=6, msg=name)


if __name__ == "__main__":
    unittest.main()

"""The commands that need no server: train, check, gradcheck, catalog, openapi, --version; and wrong calls."""
import json
import os
import struct
import subprocess
import tempfile
import time
import unittest

from harness import BINARY, PATIENCE, ROOT, SANITIZED, XOR, Server, example, small_job

EXAMPLES = os.path.join(ROOT, "examples")
IRIS = (os.path.join(EXAMPLES, "iris.json"), "--dataset", os.path.join(EXAMPLES, "iris.csv"))


def backpropd(*arguments, status=0):
    run = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert run.returncode == status, (run.returncode, run.stdout, run.stderr)
    return run


class Commands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def test_train_prints_a_line_an_epoch(self):
        lines = [json.loads(line) for line in backpropd("train", *IRIS, "--json").stdout.splitlines()]
        self.assertEqual({line["event"] for line in lines}, {"epoch", "diagnosis", "end"})
        last = [line for line in lines if line["event"] == "epoch"][-1]
        self.assertEqual((last["epoch"], lines[-1]["status"]), (60, "succeeded"))
        self.assertGreaterEqual(lines[-1]["val_accuracy"], 0.95)
        self.assertEqual(last["val_loss"], lines[-1]["val_loss"])

    def test_at_most_ten_lines_a_second(self):
        job = example("iris")
        job["training"]["epochs"] = 2000
        begin = time.monotonic()
        lines = backpropd("train", self.file("job.json", job), *IRIS[1:], "--json").stdout.splitlines()
        # The first epoch, the last, the diagnosis and the end come whatever the time.
        self.assertLessEqual(len(lines), 10 * (time.monotonic() - begin) + 4)

    def test_train_without_a_terminal_is_plain_text(self):
        run = backpropd("train", *IRIS)
        self.assertIn("val_accuracy", run.stdout.splitlines()[-2])
        self.assertNotIn("\r", run.stdout + run.stderr)

    def test_datasets_come_as_csv_json_lines_or_inline(self):
        job = small_job()
        del job["dataset"]
        lines = "".join(json.dumps({"input": x, "target": y}) + "\n" for x, y in zip(XOR["inputs"], XOR["targets"]))
        table = "a,b,parity\n" + "".join(f"{a},{b},{y}\n" for (a, b), y in zip(XOR["inputs"], XOR["targets"]))
        path = self.file("job.json", job)
        shas = {backpropd("train", *call).stdout.splitlines()[-1] for call in (
            (path, "--dataset", self.file("xor.csv", table)),
            (path, "--dataset", self.file("xor.json", XOR)),
            (path, "--dataset", self.file("xor.ndjson", lines)),
            (self.file("inline.json", small_job()),))}
        self.assertEqual(len(shas), 1, "one dataset, one set of weights")

    def test_train_and_the_server_end_in_the_same_bits(self):
        alone = json.loads(backpropd("train", *IRIS, "--json", "--threads", "1").stdout.splitlines()[-1])["sha256"]
        with Server() as server:
            ended = server.wait(server.submit(example("iris", dataset=server.upload("iris", "species"), threads=1)))
            self.assertEqual(server.get(f"/v1/models/{ended['model']}").json["sha256"], alone)

    def test_output_is_safetensors(self):
        path = os.path.join(self.folder, "iris.safetensors")
        backpropd("train", *IRIS, "--output", path)
        with open(path, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            rest = len(file.read())
        self.assertEqual(header["dense_1.kernel"]["shape"], [4, 16])
        self.assertEqual(header["dense_2.bias"]["dtype"], "F32")
        self.assertEqual(rest, 4 * (4 * 16 + 16 + 16 * 3 + 3))

    def test_check_prints_the_plan(self):
        self.assertIn("131 parameters", backpropd("check", *IRIS).stdout)
        plan = json.loads(backpropd("check", *IRIS, "--json").stdout)["plan"]
        self.assertEqual(plan["parameters"], 131)

    def test_check_prints_every_problem(self):
        job = small_job()
        job["model"]["layers"][0]["units"] = "many"
        job["training"]["epoch"] = 3
        job["trainin"] = {}
        path = self.file("job.json", job)
        out = backpropd("check", path, status=1).stdout
        for pointer in ("/model/layers/0/units: ", "/training/epoch: ", "/trainin: "):
            self.assertIn(pointer, out)
        self.assertIn("3 problems", out)
        self.assertEqual(len(json.loads(backpropd("check", path, "--json", status=1).stdout)["errors"]), 3)
        self.assertIn("/training/epoch", backpropd("train", path, status=1).stdout)

    def test_gradcheck_passes_and_says_how_well(self):
        self.assertIn("passed", backpropd("gradcheck", *IRIS).stdout)
        report = json.loads(backpropd("gradcheck", *IRIS, "--json").stdout)
        self.assertTrue(report["passed"])
        self.assertLess(report["max_relative_error"], 1e-6)
        self.assertEqual(set(report["weights"]), {"dense_1", "dense_2"})

    def test_catalog_is_what_the_server_says(self):
        with Server() as server:
            self.assertEqual(json.loads(backpropd("catalog").stdout), server.get("/v1/layers").json)
            self.assertEqual(json.loads(backpropd("openapi").stdout), server.get("/v1/openapi.json").json)

    def test_version(self):
        self.assertRegex(backpropd("--version").stdout, r"^backpropd \d+\.\d+\.\d+\n$")

    def test_wrong_calls_say_how_it_goes(self):
        for call in ((), ("unheard",), ("train",), ("train", "a.json", "b.json"), ("train", "--unheard", "a.json"),
                     ("train", "a.json", "--threads", "0"), ("check",), ("catalog", "x"), ("serve", "--unheard")):
            with self.subTest(call):
                self.assertTrue(backpropd(*call, status=2).stderr)

    def test_missing_and_broken_files(self):
        self.assertIn("nowhere.json", backpropd("train", "/nowhere.json", status=1).stderr)
        self.assertIn("line 1", backpropd("check", self.file("job.json", "{"), status=1).stdout)
        job = small_job()
        del job["dataset"]
        self.assertIn("--dataset", backpropd("check", self.file("job.json", job), status=1).stdout)

    @unittest.skipIf(SANITIZED, "no time to interrupt in")
    def test_interrupted_training_keeps_its_weights(self):
        job = example("digits")
        job["training"]["epochs"] = 100000
        path = os.path.join(self.folder, "digits.safetensors")
        run = subprocess.Popen([BINARY, "train", self.file("job.json", job), "--dataset",
                                os.path.join(EXAMPLES, "digits.csv"), "--output", path, "--json"],
                               stdout=subprocess.PIPE, text=True)
        run.stdout.readline()
        run.terminate()
        out, _ = run.communicate(timeout=PATIENCE)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(json.loads(out.splitlines()[-1])["status"], "stopped")
        self.assertGreater(os.path.getsize(path), 1000)


if __name__ == "__main__":
    unittest.main()

"""Every command of the READMEs is run: the ```sh blocks of a document, one after the other, against a live server."""
import os
import re
import subprocess
import tempfile
import unittest

from harness import BINARY, PATIENCE, ROOT, Server

# What the test adds for a reader: curl's own exit status does not tell an error from an answer.
PREAMBLE = """
set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; }
"""


class Tour(unittest.TestCase):
    def run_document(self, path):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            blocks = re.findall(r"^```sh\n(.*?)^```$", file.read(), re.M | re.S)
        self.assertTrue(blocks, "a document with commands")
        with Server() as server, tempfile.TemporaryDirectory() as folder:
            script = "\n".join(f"echo '== block {n}' >&2\n{block}" for n, block in enumerate(blocks, 1))
            script = script.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
            script = script.replace("build/backpropd", BINARY).replace("/tmp/", folder + "/")
            run = subprocess.run(["bash", "-c", PREAMBLE + script], cwd=ROOT, capture_output=True, text=True,
                                 timeout=PATIENCE, check=False)
        self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
        return run.stdout

    def test_readme(self):
        out = self.run_document("README.md")
        for words in ('"predictions":["setosa"]', '"status":"succeeded"', "/model/layers/0/unit", "passed"):
            self.assertIn(words, out)

    def test_examples(self):
        out = self.run_document("examples/README.md")
        self.assertIn('"predictions":["0"]', out)


if __name__ == "__main__":
    unittest.main()

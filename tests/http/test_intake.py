"""Datasets of any size in little memory: what the server ever held, mapped files included, does not grow with them. The promise is
100 MB, which `./dev intake` tries with real data and gigabytes; here bodies are just large enough to be seen if they were held."""
import gzip
import json
import struct
import unittest

from harness import SANITIZED, Server, multipart

LIMIT = 64_000_000
ROWS = 200_000
PIXELS = 100


def lines(count, width=50):
    """Rows of small numbers as text, over and over: (numbers of a row, its class)."""
    block = [([(7 * row + 3 * column) % 256 for column in range(width)], row % 5) for row in range(200)]
    for at in range(count):
        yield block[at % len(block)]


@unittest.skipIf(SANITIZED, "sanitizers multiply memory")
class Memory(unittest.TestCase):
    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.finish)

    def take(self, body, content_type, query="", **wanted):
        self.assertGreater(len(body), 36_000_000)
        answer = self.server.post("/v1/datasets" + query, body, headers={"Content-Type": content_type})
        self.assertEqual(answer.status, 201, answer)
        for key, value in wanted.items():
            self.assertEqual(answer.json[key], value)
        peak = self.server.peak_bytes()
        self.assertLess(peak, LIMIT, f"{len(body)} bytes of {content_type} took {peak}")
        return answer.json

    def test_json(self):
        rows = [json.dumps(numbers) for numbers, _ in lines(200)]
        inputs = ", ".join(rows[at % 200] for at in range(ROWS))
        targets = ", ".join(str(at % 5) for at in range(ROWS))
        body = f'{{"inputs": [{inputs}], "targets": [{targets}]}}'.encode()
        self.take(body, "application/json", rows=ROWS, input_shape=[50])

    def test_lines(self):
        rows = [json.dumps({"input": numbers, "target": label}) for numbers, label in lines(200)]
        self.take("\n".join(rows[at % 200] for at in range(ROWS)).encode(), "application/x-ndjson", rows=ROWS)

    def test_csv(self):
        rows = [",".join(map(str, [*numbers, f"class {label}"])) for numbers, label in lines(200)]
        head = ",".join([*(f"x{i}" for i in range(50)), "y"])
        body = "\n".join([head, *(rows[at % 200] for at in range(ROWS))]).encode()
        made = self.take(body, "text/csv", query="?target=y", rows=ROWS)
        self.assertEqual(made["classes"], [f"class {i}" for i in range(5)])

    def test_csv_with_a_quote_left_open_and_one_with_a_single_line(self):
        for body in (b'a,y\n"1,2\n' + b"3,4\n" * 12_000_000, b"a,y\n" + b"1," * 25_000_000):
            answer = self.server.post("/v1/datasets", body, headers={"Content-Type": "text/csv"})
            self.assertEqual(answer.status, 422, answer)
            self.assertLess(self.server.peak_bytes(), LIMIT)

    def test_arrays(self):
        image = bytes((row * 5 + column) % 256 for row in range(100) for column in range(PIXELS))
        inputs = struct.pack(">4B2I", 0, 0, 8, 2, ROWS, PIXELS) + image * (ROWS // 100)
        targets = struct.pack(">4BI", 0, 0, 8, 1, ROWS) + bytes(range(10)) * (ROWS // 10)
        for pack in (bytes, lambda file: gzip.compress(file, 1)):
            body = multipart([("inputs", pack(inputs)), ("targets", targets)], "bound")
            answer = self.server.post("/v1/datasets", body, headers={"Content-Type": "multipart/form-data; boundary=bound"})
            self.assertEqual(answer.status, 201, answer)
            self.assertEqual((answer.json["rows"], answer.json["input_shape"]), (ROWS, [PIXELS]))
            self.assertLess(self.server.peak_bytes(), LIMIT)

    def test_texts_and_a_corpus(self):
        text = "the quick brown fox jumps over the lazy dog, and says so to everyone who asks; "
        texts = ", ".join(f'"{text}"' for _ in range(500_000))
        targets = ", ".join(("0", "1")[at % 2] for at in range(500_000))
        self.take(f'{{"texts": [{texts}], "targets": [{targets}]}}'.encode(), "application/json", rows=500_000)
        self.take(f'{{"text": "{text * 600_000}"}}'.encode(), "application/json", task="language_model")

    def test_json_that_is_not_taken(self):
        """A mistake at the end of a long body, and a long text where none belongs."""
        long = "1," * 25_000_000
        for body, status in ((f'{{"inputs": [{long}1], "targets": [1, ]}}', 400), (f'{{"name": "{long}"}}', 413),
                             (f'{{"inputs": [[{long}1]], "targets": [1]}}', 422),
                             (f'{{"inputs": [[1], [2]], "targets": ["{long}", "b"]}}', 422)):
            with self.subTest(status=status):
                answer = self.server.post("/v1/datasets", body.encode(), headers={"Content-Type": "application/json"})
                self.assertEqual(answer.status, status, answer)
                self.assertLess(self.server.peak_bytes(), LIMIT)


if __name__ == "__main__":
    unittest.main()

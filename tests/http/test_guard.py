"""The request guard on raw sockets: what two readers of the same bytes could understand differently, what is too large, and
who is too slow."""
import json
import re
import socket
import time
import unittest

from harness import LiveTest, SANITIZED, small_job

HOST = b"Host: 127.0.0.1\r\n"


class Guard(LiveTest):
    flags = ("--max-body", "1000000")

    def status(self, data, timeout=5):
        """Status of the first answer, and all that came."""
        answer = self.server.raw(data, timeout)
        line = answer.split(b"\r\n", 1)[0].split(b" ")
        return (int(line[1]) if len(line) > 1 else None), answer

    def test_sound_requests_pass(self):
        for name, data in {
            "http/1.1": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
            "http/1.0": b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n",
            "odd but allowed spacing": b"GET /healthz HTTP/1.0\r\nHost:127.0.0.1 \r\nX:\t a b \r\n\r\n",
            "an empty value": b"GET /healthz HTTP/1.0\r\n" + HOST + b"X:\r\nY: \r\n\r\n",
            "an empty line before": b"\r\nGET /healthz HTTP/1.0\r\n" + HOST + b"\r\n",
            "bytes beyond ASCII in a value": b"GET /healthz HTTP/1.0\r\n" + HOST + b"X: \xc3\xa4\r\n\r\n",
            "a query": b"GET /v1/jobs?limit=1 HTTP/1.0\r\n" + HOST + b"\r\n",
        }.items():
            with self.subTest(name):
                self.assertEqual(self.status(data)[0], 200)

    def test_what_is_ambiguous_is_400_and_closes(self):
        post = b"POST /v1/jobs HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
        get = b"GET /healthz HTTP/1.1\r\n"
        for name, data in {
            "no host": get + b"\r\n",
            "no host in 1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
            "two hosts": get + HOST + HOST + b"\r\n",
            "a host that is none": get + b"Host: a b\r\n\r\n",
            "length and chunked": post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "two lengths": post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            "two equal lengths": post + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            "a list of lengths": post + b"Content-Length: 2, 2\r\n\r\n{}",
            "a signed length": post + b"Content-Length: +2\r\n\r\n{}",
            "a hexadecimal length": post + b"Content-Length: 0x2\r\n\r\n{}",
            "two codings": post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "another coding": post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "chunked in 1.0": post.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "a blank before the colon": post + b"Content-Length : 2\r\n\r\n{}",
            "a tab before the colon": post + b"Content-Length\t: 2\r\n\r\n{}",
            "a blank in a name": get + HOST + b"X Y: 1\r\n\r\n",
            "a bare CR in a value": get + HOST + b"X: a\rb\r\n\r\n",
            "a control character in a value": get + HOST + b"X: a\x01b\r\n\r\n",
            "a NUL in the last value": get + HOST + b"X: a\0b\r\n\r\n",
            "a NUL in another value": get + b"X: a\0b\r\n" + HOST + b"\r\n",
            "a NUL in the host": get + b"Host: 127.0.0.1\0.evil.example\r\n\r\n",
            "a NUL in the path": b"GET /healthz\0/x HTTP/1.1\r\n" + HOST + b"\r\n",
            "a NUL before the last line": get + HOST + b"X: 1\r\n\0\r\n\r\n",
            "a NUL that begins a line": get + HOST + b"\0X: 1\r\n\r\n",
            "a NUL that begins a line of LF": get + HOST + b"\0X: 1\n\n",
            "%00 in the path": b"GET /healthz%00 HTTP/1.1\r\n" + HOST + b"\r\n",
            "%00 in the query": b"GET /v1/jobs?tag=a%00 HTTP/1.1\r\n" + HOST + b"\r\n",
            "a wrong escape": b"GET /v1/jobs?tag=%zz HTTP/1.1\r\n" + HOST + b"\r\n",
            "a folded line": get + HOST + b"X: a\r\n b\r\n\r\n",
            "a folded host": get + b"Host: 127.0.0.1\r\n .evil.example\r\n\r\n",
            "a folded coding": post + b"Transfer-Enco: chunked\r\n ding\r\n\r\n0\r\n\r\n",
            "a blank in the target": b"GET /healthz /x HTTP/1.1\r\n" + HOST + b"\r\n",
            "two blanks": b"GET  /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
            "a blank at the line's end": b"GET /healthz HTTP/1.1 \r\n" + HOST + b"\r\n",
            "a whole address": b"GET http://127.0.0.1/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
            "bytes beyond ASCII in the path": b"GET /\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n",
            "an unknown method": b"BREW /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
            "a lower-case method": b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
            "no colon": get + HOST + b"nothing\r\n\r\n",
        }.items():
            with self.subTest(name):
                status, answer = self.status(data + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
                self.assertEqual(status, 400, answer)
                self.assertNotIn(b" 200 OK", answer, "what stands behind it is not read")

    def test_other_protocols_are_refused(self):
        for version in (b"HTTP/2.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/1", b"HTTPS/1.1", b""):
            with self.subTest(version):
                status, answer = self.status(b"GET /healthz " + version + b"\r\n" + HOST + b"\r\n")
                self.assertTrue(status is None or status in (400, 505), answer)

    def test_a_refusal_is_a_problem(self):
        _, answer = self.status(b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertIn(b"application/problem+json", head)
        self.assertIn(b"Connection: close", head)
        self.assertIn("Host", json.loads(body)["detail"])

    def test_heads_are_bounded(self):
        line = b"GET /healthz HTTP/1.1\r\n" + HOST
        self.assertIn(self.status(line + b"X: " + b"a" * 100000 + b"\r\n\r\n")[0], (400, 413, 431))
        self.assertIn(self.status(line + b"".join(b"X%d: 1\r\n" % i for i in range(200)) + b"\r\n")[0], (400, 431))
        self.assertIn(self.status(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")[0], (400, 414))
        self.assertEqual(self.status(b"GET /" + b"a" * 10000 + b" HTTP/1.0\r\n" + HOST + b"\r\n")[0], 400)

    def test_who_sends_first_and_reads_later_still_gets_the_answer(self):
        body = b"1" * 20000000
        json_type = {"Content-Type": "application/json"}
        self.assertProblem(self.server.post("/v1/datasets", body, headers=json_type), 413)
        self.assertProblem(self.server.post("/v1/nowhere", body[:900000]), 404)
        self.assertProblem(self.server.post("/v1/jobs", body[:900000], headers={"Content-Type": "text/html"}), 415)

    def test_a_chunked_body_over_the_bound_is_413_on_the_way(self):
        head = b"POST /v1/datasets HTTP/1.1\r\n" + HOST + b"Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"10000\r\n" + b"1,2,3,4\n" * (0x10000 // 8) + b"\r\n"
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as connection:
            connection.sendall(head)
            try:
                for _ in range(30):
                    connection.sendall(chunk)
            except OSError:
                pass
            answer = b""
            try:
                while piece := connection.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:200])
        self.assertIn(b"application/problem+json", answer)

    def test_a_chunked_body_arrives_whole(self):
        body = json.dumps(small_job()).encode()
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7))
        status, answer = self.status(b"POST /v1/jobs?dry_run=true HTTP/1.1\r\n" + HOST +
                                     b"Content-Type: application/json\r\nConnection: close\r\n"
                                     b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n")
        self.assertEqual(status, 200, answer)

    def test_a_malformed_chunk_is_refused(self):
        head = b"POST /v1/jobs HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        for chunks in (b"x\r\n", b"-1\r\n", b"2\r\n{}x\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n"):
            with self.subTest(chunks):
                self.assertIn(self.status(head + chunks)[0], (400, 413))

    def test_requests_may_follow_each_other(self):
        get = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
        refused = b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n"
        wrong_type = b"POST /v1/jobs HTTP/1.1\r\n" + HOST + b"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
        last = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
        _, answer = self.status(get + refused + wrong_type + last)
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+) ", answer), [b"200", b"404", b"415", b"200"])

    @unittest.skipIf(SANITIZED, "figures of the plain build")
    def test_who_drips_is_cut(self):
        heads = {
            "a head": b"GET /healthz HTTP/1.1\r\n" + HOST,
            "a body": b"POST /v1/jobs HTTP/1.1\r\n" + HOST +
                      b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
        }
        begin = time.monotonic()
        open_ones = {}
        for name, head in heads.items():
            connection = socket.create_connection(("127.0.0.1", self.server.port))
            connection.sendall(head)
            connection.setblocking(False)
            open_ones[name] = connection
        lived = {}
        while open_ones and time.monotonic() - begin < 20:
            for name, connection in list(open_ones.items()):
                try:
                    connection.send(b" ")
                    if connection.recv(1000) == b"":
                        raise ConnectionResetError
                except BlockingIOError:
                    continue
                except OSError:
                    lived[name] = time.monotonic() - begin
                    open_ones.pop(name).close()
            time.sleep(0.5)
        self.assertEqual(set(lived), set(heads))
        self.assertLess(max(lived.values()), 15)
        self.assertEqual(self.server.get("/healthz").status, 200)


if __name__ == "__main__":
    unittest.main()

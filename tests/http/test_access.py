"""Who gets in: tokens, the page's session, foreign hosts and origins, malformed requests."""
import os
import stat
import tempfile
import unittest

from harness import LiveTest, Server, small_job


class Token(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Any address but loopback makes a token at first start.
        cls.server = Server("--listen", "0.0.0.0:PORT")
        cls.server.start()
        path = os.path.join(cls.server.folder, "token")
        cls.mode = stat.S_IMODE(os.stat(path).st_mode)
        with open(path, encoding="ascii") as file:
            cls.token = file.read().strip()

    @classmethod
    def tearDownClass(cls):
        cls.server.finish()

    def bearer(self, token):
        return {"Authorization": f"Bearer {token}"}

    def test_it_is_made_at_first_start_for_its_owner_alone(self):
        self.assertEqual(self.mode, 0o600)
        self.assertGreaterEqual(len(self.token), 43)  # 32 random bytes
        log = self.server.log_text()
        self.assertIn(os.path.join(self.server.folder, "token"), log)
        self.assertNotIn(self.token, log)

    def test_every_route_asks_for_it_but_health_and_the_page(self):
        for path in ("/v1/jobs", "/v1/datasets", "/v1/models", "/v1/layers", "/v1/status", "/v1/openapi.json",
                     "/v1/jobs/job_none", "/v1/jobs/job_none/events", "/metrics"):
            with self.subTest(path):
                answer = self.server.get(path)
                self.assertEqual(answer.status, 401, answer)
                self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assertEqual(self.server.post("/v1/jobs", small_job()).status, 401)
        for path in ("/healthz", "/readyz", "/"):
            with self.subTest(path):
                self.assertEqual(self.server.get(path).status, 200)

    def test_it_opens_and_a_wrong_one_does_not(self):
        self.assertEqual(self.server.get("/v1/jobs", headers=self.bearer(self.token)).status, 200)
        for wrong in (self.token[:-1], self.token + "0", "", self.token.swapcase() + "x"):
            with self.subTest(wrong):
                self.assertEqual(self.server.get("/v1/jobs", headers=self.bearer(wrong)).status, 401)
        self.assertEqual(self.server.get(f"/v1/jobs?token={self.token}").status, 401)

    def test_the_page_trades_it_for_a_cookie(self):
        self.assertEqual(self.server.post("/v1/session", {"token": "wrong"}).status, 401)
        answer = self.server.post("/v1/session", {"token": self.token})
        self.assertIn(answer.status, (200, 201, 204))
        cookie = answer.headers["Set-Cookie"]
        self.assertIn("HttpOnly", cookie)
        self.assertIn("SameSite=Strict", cookie)
        self.assertNotIn(self.token, cookie)
        session = {"Cookie": cookie.split(";")[0]}
        self.assertEqual(self.server.get("/v1/jobs", headers=session).status, 200)
        self.assertIn(self.server.delete("/v1/session", headers=session).status, (200, 204))
        self.assertEqual(self.server.get("/v1/jobs", headers=session).status, 401)

    def test_it_stays_the_same_after_a_restart(self):
        self.server.stop()
        self.server.start()
        self.assertEqual(self.server.get("/v1/jobs", headers=self.bearer(self.token)).status, 200)


class Web(LiveTest):
    def test_a_foreign_host_is_403(self):
        for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "169.254.169.254"):
            with self.subTest(host):
                self.assertEqual(self.server.get("/v1/jobs", headers={"Host": host}).status, 403)
        for host in ("localhost", f"localhost:{self.server.port}", "127.0.0.1", "[::1]:80"):
            with self.subTest(host):
                self.assertEqual(self.server.get("/v1/jobs", headers={"Host": host}).status, 200)

    def test_a_foreign_origin_is_403_but_for_reading(self):
        for origin in ("http://evil.example", "null", "http://localhost.evil.example"):
            with self.subTest(origin):
                self.assertEqual(self.server.post("/v1/jobs", small_job(), headers={"Origin": origin}).status, 403)
                self.assertEqual(self.server.delete("/v1/jobs/job_none", headers={"Origin": origin}).status, 403)
                self.assertNotIn("Access-Control-Allow-Origin",
                                 self.server.get("/v1/jobs", headers={"Origin": origin}).headers)
        own = f"http://127.0.0.1:{self.server.port}"
        self.assertEqual(self.server.post("/v1/jobs", small_job(), headers={"Origin": own}).status, 202)

    def test_it_is_checked_before_routing(self):
        self.assertEqual(self.server.get("/nowhere", headers={"Host": "evil.example"}).status, 403)


class Matrix(unittest.TestCase):
    """Combinations of address, Host, Origin, method, credentials and path; what must come is written down here anew.

    Each address takes a third of them, another one each; with BACKPROPD_WHOLE in the environment all.
    """

    METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    TOKEN = "a-token-of-some-length-0123456789"

    def hosts(self, port):
        """Host → whether it is the server's."""
        return {"localhost": True, f"localhost:{port}": True, f"127.0.0.1:{port}": True, f"[::1]:{port}": True, "LOCALHOST": True,
                "evil.example": False, f"evil.example:{port}": False, "localhost.evil.example": False, "127.0.0.1.evil.example": False,
                "localhost@evil.example": False, "169.254.169.254": False, "0.0.0.0": False, "localhost:x": False, "[::2]": False, "": False}

    def origins(self, host):
        """Origin → whether it is a page of the server's own."""
        return {None: True, f"http://{host}": True, f"https://{host}": True, "null": False, "http://evil.example": False,
                f"http://{host}.evil.example": False, f"http://{host}:1": False, f"ftp://{host}": False, "": False}

    def credentials(self):
        """Headers → whether the token is in them."""
        return [({}, False), ({"Authorization": f"Bearer {self.TOKEN}"}, True), ({"Authorization": f"Bearer {self.TOKEN}x"}, False),
                ({"Authorization": f"Bearer {self.TOKEN[:-1]}"}, False), ({"Authorization": f"Basic {self.TOKEN}"}, False),
                ({"Cookie": f"backpropd_session={self.TOKEN}"}, False)]

    def walk(self, server, wants_token, third):
        connection, count = server.connection(), 0
        self.addCleanup(connection.close)
        for host, known in self.hosts(server.port).items():
            for origin, own in self.origins(host).items():
                for method in self.METHODS:
                    for credentials, right in self.credentials():
                        # In a URL the token opens nothing.
                        for path in ("/v1/jobs" if right or not wants_token else f"/v1/jobs?token={self.TOKEN}", "/nowhere"):
                            count += 1
                            if count % 3 != third and "BACKPROPD_WHOLE" not in os.environ:
                                continue
                            foreign = not known or not own and method not in ("GET", "HEAD")
                            wanted = {400, 403} if foreign else {401} if wants_token and not right else None
                            headers = {"Host": host, **credentials, **({} if origin is None else {"Origin": origin})}
                            connection.request(method, path, headers=headers)
                            answer = connection.getresponse()
                            answer.read()
                            place = (method, path, headers)
                            if wanted is None:
                                self.assertNotIn(answer.status, (401, 403), place)
                            else:
                                self.assertIn(answer.status, wanted, place)
                            self.assertNotIn("Access-Control-Allow-Origin", answer.headers, place)
                            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff", place)
        self.assertGreater(count, 10000)

    def test_on_loopback(self):
        with Server() as server:
            self.walk(server, wants_token=False, third=0)

    def test_on_loopback_with_a_token(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(self.TOKEN + "\n")
            file.flush()
            with Server("--token-file", file.name) as server:
                server.headers = {"Authorization": f"Bearer {self.TOKEN}"}
                self.walk(server, wants_token=True, third=1)

    def test_on_every_address(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(self.TOKEN + "\n")
            file.flush()
            with Server("--token-file", file.name, "--listen", "0.0.0.0:PORT") as server:
                self.walk(server, wants_token=True, third=2)


class Malformed(LiveTest):
    def refused(self, data):
        answer = self.server.raw(data, timeout=3)
        first = answer.split(b"\r\n")[0]
        # A closed connection is a refusal too.
        self.assertTrue(not answer or first.split(b" ")[1][:1] in (b"4", b"5"), answer[:200])
        self.assertEqual(self.server.get("/healthz").status, 200)

    def test_ambiguous_requests_are_refused(self):
        host = b"Host: 127.0.0.1\r\n"
        for name, data in {
            "two hosts": b"GET /v1/jobs HTTP/1.1\r\n" + host + host + b"\r\n",
            "no host": b"GET /v1/jobs HTTP/1.1\r\n\r\n",
            "both lengths": b"POST /v1/jobs HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "two lengths": b"POST /v1/jobs HTTP/1.1\r\n" + host + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            "a nul in the path": b"GET /v1/jobs%00 HTTP/1.1\r\n" + host + b"\r\n",
            "an unknown method": b"BREW /v1/jobs HTTP/1.1\r\n" + host + b"\r\n",
            "a newer protocol": b"GET /v1/jobs HTTP/2.7\r\n" + host + b"\r\n",
            "an unknown coding": b"POST /v1/jobs HTTP/1.1\r\n" + host + b"Transfer-Encoding: gzip\r\n\r\n",
            "a path upwards": b"GET /../../etc/passwd HTTP/1.1\r\n" + host + b"\r\n",
        }.items():
            with self.subTest(name):
                self.refused(data)


if __name__ == "__main__":
    unittest.main()

"""More connections than there may be, and a disk that hangs: health answers all the same."""
import os
import resource
import socket
import sqlite3
import threading
import time
import unittest

from harness import Server, XOR


class Connections(unittest.TestCase):
    def setUp(self):
        # So few files that 188 connections are left, of which the last 24 are for health.
        self.server = Server(limits={resource.RLIMIT_NOFILE: 700}).start()
        self.addCleanup(self.server.finish)
        self.open = []
        self.addCleanup(lambda: [connection.close() for connection in self.open])

    def connect(self, count, data=b""):
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
            connection.sendall(data)
            self.open.append(connection)

    def get(self, path):
        """A connection of the reserve is cut after a second without a request: a slow machine tries again."""
        for _ in range(5):
            try:
                return self.server.get(path)
            except OSError:
                pass
        return self.server.get(path)

    def test_the_last_ones_are_for_health(self):
        self.connect(170, b"GET /v1/jobs HTTP/1.1\r\n")  # so many slow heads
        self.assertEqual(self.get("/healthz").status, 200)
        self.assertEqual(self.get("/readyz").status, 200)
        refused = self.get("/v1/jobs")
        self.assertEqual(refused.status, 503)
        self.assertEqual(refused.headers["Retry-After"], "1")
        # Who takes the reserve away and says nothing gives it back in a moment.
        self.connect(40)
        begin = time.monotonic()
        self.assertEqual(self.get("/healthz").status, 200)
        self.assertLess(time.monotonic() - begin, 10)
        for connection in self.open:
            connection.close()
        deadline = time.monotonic() + 5
        while self.server.get("/v1/jobs").status != 200:
            self.assertLess(time.monotonic(), deadline)


class Disk(unittest.TestCase):
    def test_a_writer_that_stands_still_is_not_ready(self):
        with Server() as server:
            database = sqlite3.connect(os.path.join(server.folder, "backpropd.db"), isolation_level=None)
            database.execute("BEGIN IMMEDIATE")  # the writer waits for us, as it would for a disk
            answers = []
            thread = threading.Thread(target=lambda: answers.append(server.post("/v1/datasets", XOR)))
            thread.start()
            deadline = time.monotonic() + 4.9
            while server.get("/readyz").status == 200 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(server.get("/readyz").status, 503)
            self.assertEqual(server.get("/healthz").status, 200)
            database.execute("ROLLBACK")
            thread.join()
            self.assertEqual(answers[0].status, 201)
            self.assertEqual(server.get("/readyz").status, 200)
            database.close()


if __name__ == "__main__":
    unittest.main()

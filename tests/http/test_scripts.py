"""For scripts and operators: `backpropd wait`, `backpropd status`, --keep-days, --log-format json, --max-connections."""
import json
import os
import re
import socket
import sqlite3
import subprocess
import time
import unittest
import unittest.mock

from harness import BINARY, LiveTest, PATIENCE, Server, long_job, small_job


def backpropd(*arguments, status=0, **more):
    run = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False, **more)
    assert run.returncode == status, (run.returncode, run.stdout, run.stderr)
    return run


class Wait(LiveTest):
    flags = ("--workers", "1")

    def wait(self, job, *more, status=0):
        return backpropd("wait", job, "--server", f"http://127.0.0.1:{self.server.port}", *more, status=status)

    def test_the_exit_status_says_how_it_ended(self):
        good = self.server.submit(small_job())
        self.assertIn("succeeded mdl_", self.wait(good).stdout)
        self.assertEqual(json.loads(self.wait(good, "--json").stdout), self.server.get(f"/v1/jobs/{good}").json)
        bad = small_job(epochs=200, optimizer={"type": "sgd", "learning_rate": 1e30})
        bad["model"]["layers"][0]["activation"] = "linear"
        bad = self.server.submit(bad)
        self.assertIn(f"{bad} failed", self.wait(bad, status=1).stdout)
        dataset = self.server.upload("digits", "digit")
        gone = self.server.submit(long_job(dataset))
        begin = time.monotonic()
        self.assertIn("running", self.wait(gone, "--timeout", "1", status=4).stdout)
        self.assertGreaterEqual(time.monotonic() - begin, 0.9)
        waiting = subprocess.Popen([BINARY, "wait", gone, "--server", f"127.0.0.1:{self.server.port}"],
                                   stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)
        self.assertIsNone(waiting.poll())
        self.server.post(f"/v1/jobs/{gone}/cancel")
        self.assertIn("cancelled", waiting.communicate(timeout=PATIENCE)[0])
        self.assertEqual(waiting.returncode, 3)

    def test_it_waits_over_a_restart(self):
        job = self.server.submit(long_job(self.server.upload("digits", "digit")))
        self.server.wait_for(job, lambda state: state["progress"] and state["progress"]["epoch"] >= 3)
        waiting = subprocess.Popen([BINARY, "wait", job, "--server", f"http://127.0.0.1:{self.server.port}/"],
                                   stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        self.server.kill()
        time.sleep(0.5)
        with unittest.mock.patch("harness.free_port", return_value=self.server.port):
            self.server.start()
        self.server.wait_for(job, lambda state: state["status"] == "running" and state["attempt"] == 2)
        self.assertIsNone(waiting.poll())
        self.server.post(f"/v1/jobs/{job}/stop")
        self.assertIn("succeeded", waiting.communicate(timeout=PATIENCE)[0])
        self.assertEqual(waiting.returncode, 0)

    def test_wrong_calls_and_no_server(self):
        self.assertIn("no such job", self.wait("job_none", status=5).stderr)
        for call in ((), ("a", "b"), ("job_1", "--timeout", "x"), ("job_1", "--timeout"), ("../x",), ("--unheard",),
                     ("job_1", "--server", "https://127.0.0.1:1")):
            with self.subTest(call):
                self.assertTrue(backpropd("wait", *call, status=2).stderr)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
            self.assertIn("no server", backpropd("wait", "job_1", "--server", address, status=5).stderr)
            self.assertIn("no server", backpropd("status", "--server", address, status=5).stderr)
        self.assertIn("succeeded", backpropd("wait", "--help").stdout)

    def test_status(self):
        address = f"http://127.0.0.1:{self.server.port}"
        told = backpropd("status", env={**os.environ, "BACKPROPD_SERVER": address}).stdout
        self.assertRegex(told, r"^backpropd \d+\.\d+\.\d+ at 127\.0\.0\.1:\d+, up .*, ready\nworkers  \d of 1 busy\n"
                               r"queue    \d waiting, \d running, \d paused, room for 20000\n$")
        self.assertEqual(json.loads(backpropd("status", "--json", "--server", address).stdout)["workers"]["total"], 1)
        backpropd("status", "--unheard", status=2)

    def test_with_a_token(self):
        with Server("--listen", "0.0.0.0:PORT") as server:
            path = os.path.join(server.folder, "token")
            with open(path, encoding="ascii") as file:
                server.headers = {"Authorization": f"Bearer {file.read().strip()}"}
            job = server.submit(small_job())
            address = f"http://127.0.0.1:{server.port}"
            self.assertIn("401", backpropd("wait", job, "--server", address, status=5).stderr)
            self.assertIn("succeeded", backpropd("wait", job, "--server", address, "--token-file", path).stdout)
            self.assertIn("ready", backpropd("status", "--server", address, "--token-file", path).stdout)


class Retention(unittest.TestCase):
    def test_old_jobs_go_and_models_stay(self):
        with Server("--workers", "1", "--keep-days", "2") as server:
            old = server.wait(server.submit(small_job(), headers={"Idempotency-Key": "old"}))
            new = server.wait(server.submit(small_job(), headers={"Idempotency-Key": "new"}))
            dataset = server.upload("digits", "digit")
            paused = server.submit(long_job(dataset))
            server.wait_for(paused, lambda state: state["progress"] and state["progress"]["epoch"] >= 1)
            server.post(f"/v1/jobs/{paused}/pause")
            server.wait_for(paused, lambda state: state["status"] == "paused")
            server.stop()
            with sqlite3.connect(os.path.join(server.folder, "backpropd.db")) as database:
                database.execute("UPDATE jobs SET finished_at = finished_at - 3 * 86400000 WHERE id = ?", (old["id"],))
                database.execute("UPDATE jobs SET created_at = created_at - 3 * 86400000 WHERE id = ?", (paused,))
                database.execute("UPDATE keys SET created_at = created_at - 3 * 86400000 WHERE key = 'old'")
                # More records than one change takes away.
                database.executemany("INSERT INTO records VALUES (?, ?, 'finding', 0, 0, 0, x'7b7d')",
                                     ((old["id"], number) for number in range(100000, 112000)))
            server.start()
            deadline = time.monotonic() + 30
            while server.get(f"/v1/jobs/{old['id']}").status == 200 and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertEqual(server.get(f"/v1/jobs/{old['id']}").status, 404)
            self.assertEqual(server.get(f"/v1/models/{old['model']}").status, 200)
            self.assertEqual(server.get(f"/v1/jobs/{new['id']}").status, 200)
            self.assertEqual(server.get(f"/v1/jobs/{paused}").json["status"], "paused", "it has not ended")
            again = server.post("/v1/jobs", small_job(), headers={"Idempotency-Key": "new"})
            self.assertEqual(again.json["id"], new["id"])
            fresh = server.post("/v1/jobs", small_job(), headers={"Idempotency-Key": "old"})
            self.assertNotEqual(fresh.json["id"], old["id"], "its key is free again")
            self.assertIn("forgot 1 jobs", server.log_text())
            server.stop()
            with sqlite3.connect(os.path.join(server.folder, "backpropd.db")) as database:
                for table in ("records", "confusions"):
                    self.assertEqual(database.execute(f"SELECT COUNT(*) FROM {table} WHERE job = ?", (old["id"],)).fetchone(),
                                     (0,))

    def test_without_it_nothing_goes(self):
        with Server() as server:
            job = server.wait(server.submit(small_job()))["id"]
            server.stop()
            with sqlite3.connect(os.path.join(server.folder, "backpropd.db")) as database:
                database.execute("UPDATE jobs SET finished_at = 1000")
            server.start()
            time.sleep(1.5)
            self.assertEqual(server.get(f"/v1/jobs/{job}").status, 200)


class Logs(unittest.TestCase):
    def test_every_line_is_an_object_of_json(self):
        with Server("--log-format", "json", "--workers", "1") as server:
            job = server.wait(server.submit({**small_job(), "name": "\"quoted\"\n\\ and Übung"}))["id"]
            # A worker's own lines too: its checkpoints lie where a file is.
            dataset = server.upload("digits", "digit")
            checkpoints = os.path.join(server.folder, "checkpoints")
            os.rmdir(checkpoints)
            with open(checkpoints, "w", encoding="ascii"):
                pass
            failing = server.submit(long_job(dataset, checkpoint_seconds=0.1))
            deadline = time.monotonic() + 30
            while '"warning"' not in server.log_text() and time.monotonic() < deadline:
                time.sleep(0.1)
            server.post(f"/v1/jobs/{failing}/cancel")
            server.wait(failing)
            os.remove(checkpoints)
            server.stop()
            lines = [json.loads(line) for line in server.log_text().splitlines()]
            for line in lines:
                self.assertEqual(set(line) - {"job"}, {"time", "level", "message"}, line)
                self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                self.assertIn(line["level"], ("info", "warning", "error"))
            self.assertIn("listens on", lines[0]["message"])
            self.assertIn("succeeded", [line["message"] for line in lines if line.get("job") == job])
            self.assertTrue([line for line in lines if line.get("job") == failing and "checkpoint" in line["message"]])

    def test_an_unknown_format_is_refused(self):
        run = subprocess.run([BINARY, "serve", "--log-format", "xml"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--log-format must be one of text|json, not \"xml\"", run.stderr)


class Connections(unittest.TestCase):
    def open(self, server, count):
        """So many connections; those on which a request is answered."""
        held, alive = [], 0
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            held.append(connection)
        for connection in held:
            try:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                alive += connection.recv(4096).startswith(b"HTTP/1.1 200")
            except OSError:
                pass
        for connection in held:
            connection.close()
        return alive

    def test_one_address_has_so_many_and_no_more(self):
        with Server("--max-connections", "10") as server:
            # The harness's own may not be closed yet.
            self.assertIn(self.open(server, 30), (8, 9, 10))
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:  # those that were closed are counted no more
                try:
                    if server.get("/healthz").status == 200:
                        break
                except OSError:
                    time.sleep(0.05)
            self.assertEqual(server.get("/healthz").status, 200)
            figures = server.get("/metrics").body.decode()
            cut = float(re.search(r"^backpropd_http_connections_cut_total (\S+)$", figures, re.M)[1])
            self.assertGreaterEqual(cut, 20)

    def test_loopback_has_any_number_unless_told(self):
        with Server() as server:
            self.assertEqual(self.open(server, 400), 400)


if __name__ == "__main__":
    unittest.main()

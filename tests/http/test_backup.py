"""`backpropd backup`: a consistent copy while the server works, and a server that goes on from the copy."""
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile
import threading
import time
import unittest

from harness import BINARY, PATIENCE, Server, XOR, example, long_job, small_job

ROW = {"inputs": [[0, 1], [1, 1], [0.5, 0.25]]}


def backup(source, target, status=0):
    run = subprocess.run([BINARY, "backup", target, "--data", source], capture_output=True, text=True, timeout=PATIENCE,
                         check=False)
    assert run.returncode == status, (run.returncode, run.stdout, run.stderr)
    return run


class Backup(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="backup-under-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.target = os.path.join(self.folder, "copy")

    def test_a_copy_made_under_load_serves_the_same(self):
        with Server("--workers", "1") as server:
            model = server.wait(server.submit({**small_job(), "alias": "kept"}))["model"]
            digits = server.upload("digits", "digit")
            job = example("digits", dataset=digits, threads=1)
            job["training"] = {**job["training"], "epochs": 100, "checkpoint_seconds": 0.1}
            running = server.submit(job)
            server.wait_for(running, lambda state: state["progress"] and state["progress"]["epoch"] >= 10)

            stop, made = threading.Event(), []

            def load():  # datasets come and go, jobs are queued
                while not stop.is_set():
                    gone = server.post("/v1/datasets", XOR).json["id"]
                    made.append(server.submit(small_job(server.post("/v1/datasets", XOR).json["id"])))
                    server.delete(f"/v1/datasets/{gone}")

            busy = threading.Thread(target=load)
            busy.start()
            try:
                told = backup(server.folder, self.target).stdout
            finally:
                stop.set()
                busy.join()
            self.assertRegex(told, r"\d+ files, \d+\.\d MiB")
            answers = [server.post(f"/v1/models/{name}/predict", ROW).body for name in (model, "kept")]
            weights = server.get(f"/v1/models/{model}/weights").body
            digits_row = server.get(f"/v1/datasets/{digits}").body
            alone = server.get(f"/v1/models/{server.wait(running)['model']}").json["sha256"]
        self.assertEqual(stat.S_IMODE(os.stat(self.target).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.target, "backpropd.db")).st_mode), 0o600)
        with sqlite3.connect(os.path.join(self.target, "backpropd.db")) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            for table in ("datasets", "models"):
                for (name,) in database.execute(f"SELECT id FROM {table}"):
                    self.assertTrue(os.path.exists(os.path.join(self.target, table, name + ".bpa")), name)
        with Server("--workers", "1", folder=self.target) as copy:
            self.assertEqual([copy.post(f"/v1/models/{name}/predict", ROW).body for name in (model, "kept")], answers)
            self.assertEqual(copy.get(f"/v1/models/{model}/weights").body, weights)
            self.assertEqual(copy.get(f"/v1/datasets/{digits}").body, digits_row)
            # The job that ran goes on, to the same bits.
            ended = copy.wait(running)
            self.assertEqual((ended["status"], ended["attempt"]), ("succeeded", 2))
            self.assertEqual(copy.get(f"/v1/models/{ended['model']}").json["sha256"], alone)
            steps = copy.get(f"/v1/jobs/{running}/metrics?points=all&series=train_loss").json["series"]["train_loss"]
            self.assertEqual(steps["step"], list(range(1, ended["plan"]["steps"] + 1)))
            known = [job for job in made if copy.get(f"/v1/jobs/{job}").status == 200]
            self.assertEqual(known, made[:len(known)], "the jobs of one moment: none is missing before the last")
            for job in known:
                self.assertEqual(copy.wait(job)["status"], "succeeded")

    def test_a_server_at_rest_can_be_copied_too(self):
        with Server("--listen", "0.0.0.0:PORT") as server:
            with open(os.path.join(server.folder, "token"), encoding="ascii") as file:
                token = file.read()
            server.headers = {"Authorization": f"Bearer {token.strip()}"}
            model = server.wait(server.submit(small_job()))["model"]
            answer = server.post(f"/v1/models/{model}/predict", ROW).body
            server.stop()
            backup(server.folder, self.target)
            server.start()
        with open(os.path.join(self.target, "token"), encoding="ascii") as file:
            self.assertEqual(file.read(), token)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.target, "token")).st_mode), 0o600)
        with Server(folder=self.target) as copy:
            self.assertEqual(copy.post(f"/v1/models/{model}/predict", ROW).body, answer)

    def test_a_paused_job_is_paused_in_the_copy_and_goes_on(self):
        with Server("--workers", "1") as server:
            job = server.submit(long_job(server.upload("digits", "digit")))
            server.wait_for(job, lambda state: state["progress"] and state["progress"]["epoch"] >= 5)
            server.post(f"/v1/jobs/{job}/pause")
            state = server.wait_for(job, lambda state: state["status"] == "paused")
            backup(server.folder, self.target)
        with Server("--workers", "1", folder=self.target) as copy:
            self.assertEqual(copy.get(f"/v1/jobs/{job}").json["progress"], state["progress"])
            copy.post(f"/v1/jobs/{job}/stop")
            self.assertEqual(copy.wait(job)["status"], "succeeded")
            self.assertGreater(copy.get(f"/v1/jobs/{job}").json["progress"]["step"], state["progress"]["step"] - 1)

    def test_what_is_damaged_or_in_the_way_is_refused(self):
        with Server() as server:
            dataset = server.post("/v1/datasets", XOR).json["id"]
            backup(server.folder, self.target)
            self.assertIn("is there already", backup(server.folder, self.target, 1).stderr)
            path = os.path.join(server.folder, "datasets", dataset + ".bpa")
            os.chmod(path, 0o600)
            with open(path, "r+b") as file:
                file.seek(70)
                byte = file.read(1)
                file.seek(70)
                file.write(bytes([byte[0] ^ 1]))
            other = os.path.join(self.folder, "other")
            self.assertIn(dataset, backup(server.folder, other, 1).stderr)
            self.assertEqual(os.listdir(self.folder), ["copy"], "nothing is left of it")
        self.assertIn("backpropd.db", backup(self.folder, other, 1).stderr)
        self.assertEqual(subprocess.run([BINARY, "backup"], capture_output=True, check=False).returncode, 2)

    def test_the_log_of_the_database_is_no_loss(self):
        """What is only in the write-ahead log is in the copy."""
        with Server() as server:
            jobs = [server.submit(small_job()) for _ in range(3)]
            for job in jobs:
                server.wait(job)
            self.assertGreater(os.path.getsize(os.path.join(server.folder, "backpropd.db-wal")), 0)
            before = [json.loads(server.get(f"/v1/jobs/{job}").body) for job in jobs]
            backup(server.folder, self.target)
            server.kill()
            server.start()
        begin = time.monotonic()
        with Server(folder=self.target) as copy:
            self.assertEqual([copy.get(f"/v1/jobs/{job}").json for job in jobs], before)
        self.assertLess(time.monotonic() - begin, PATIENCE)


if __name__ == "__main__":
    unittest.main()

"""GET /metrics: Prometheus' text format to the letter, figures that are true, labels that stay bounded."""
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

import exposition
from harness import LiveTest, Server, example, long_job, small_job


class Format(unittest.TestCase):
    """The reader itself refuses what is wrong."""

    def test_it_is_strict(self):
        good = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\"} 2\n"
        self.assertEqual(exposition.parse(good)["a_total"].value(x="1"), 2)
        for bad in ("a_total 1\n", good[:-1], good + good, good.replace("counter", "count"), good.replace(" 2", " two"),
                    good.replace("a_total", "a"), good.replace('"1"', "1"), good + 'a_total{x="1"} 3\n',
                    good + "b_total 1\n", good.replace(" 2", " -2"), good.replace("{x", "{x=\"1\",x"),
                    "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
                    "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"):
            with self.subTest(bad):
                with self.assertRaises((AssertionError, ValueError, KeyError, IndexError)):
                    exposition.parse(bad)


class Metrics(LiveTest):
    flags = ("--workers", "1", "--max-queue", "50")

    def read(self):
        answer = self.server.get("/metrics")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        return exposition.parse(answer.body.decode())

    def test_requests_are_counted_by_route_and_status(self):
        before = self.read()
        for _ in range(5):
            self.server.get("/v1/jobs/job_none")
            self.server.get(f"/nowhere/{time.time()}")
            self.server.get("/v1/status", headers={"Host": "evil.example"})
        self.server.get("/app.js")
        self.server.request("HEAD", "/healthz")
        after = self.read()

        def grown(method, route, status):
            values = []
            for families in (before, after):
                try:
                    values.append(families["backpropd_http_requests_total"].value(method=method, route=route, status=status))
                except KeyError:
                    values.append(0)
            return values[1] - values[0]
        self.assertEqual(grown("GET", "/v1/jobs/{id}", "404"), 5)
        self.assertEqual(grown("", "none", "404"), 5)
        self.assertEqual(grown("", "none", "403"), 5)
        self.assertEqual(grown("", "page", "200"), 1)
        self.assertEqual(grown("GET", "/healthz", "200"), 1)
        self.assertEqual(grown("GET", "/metrics", "200"), 1)
        durations = after["backpropd_http_request_duration_seconds"]
        self.assertEqual(durations.value("_count", method="GET", route="/v1/jobs/{id}", status="4xx"),
                         after["backpropd_http_requests_total"].value(method="GET", route="/v1/jobs/{id}", status="404"))

    def test_a_latency_is_what_the_client_sees(self):
        job = self.server.submit(small_job())
        self.server.wait(job)
        before = self.read()["backpropd_http_request_duration_seconds"]
        labels = {"method": "POST", "route": "/v1/gradcheck", "status": "2xx"}
        begin = time.monotonic()
        answer = self.server.post("/v1/gradcheck", small_job())
        seen = time.monotonic() - begin
        self.assertEqual(answer.status, 200, answer)
        after = self.read()["backpropd_http_request_duration_seconds"]
        self.assertNotIn((before.name + "_sum", frozenset(labels.items())), before.samples)
        self.assertEqual(after.value("_count", **labels), 1)
        self.assertLessEqual(after.value("_sum", **labels), seen)
        self.assertGreater(after.value("_sum", **labels), 0)

    def test_labels_stay_bounded(self):
        document = self.server.get("/v1/openapi.json").json
        routes = {(method.upper(), path) for path, item in document["paths"].items() for method in item if method != "parameters"}
        for index in range(30):
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                self.server.request(method, f"/v1/jobs/job_{index}/{'x' * index}?a={index}")
        families = self.read()
        for name in ("backpropd_http_requests_total", "backpropd_http_request_duration_seconds"):
            for (_, labels) in families[name].samples:
                labels = dict(labels)
                self.assertTrue((labels["method"], labels["route"]) in routes or
                                (labels["method"], labels["route"]) in {("", "none"), ("", "page")} or
                                labels["route"] == "/", labels)
                self.assertRegex(labels["status"], r"^(\d{3}|\dxx|other)$")

    def test_jobs_workers_and_samples(self):
        before = self.read()
        job = example("iris", dataset=self.server.upload("iris", "species"))
        ended = self.server.wait(self.server.submit(job))

        def grown(name, **labels):
            return after[name].value(**labels) - before[name].value(**labels)
        deadline = time.monotonic() + 10  # a job is counted just behind the commit that ends it
        after = self.read()
        while grown("backpropd_jobs_ended_total", status="succeeded") == 0 and time.monotonic() < deadline:
            after = self.read()
        self.assertEqual(grown("backpropd_jobs", status="succeeded"), 1)
        self.assertEqual(grown("backpropd_jobs_ended_total", status="succeeded"), 1)
        self.assertEqual(grown("backpropd_worker_starts_total"), 1)
        self.assertEqual(grown("backpropd_worker_deaths_total"), 0)
        rows = 150 - round(150 * ended["spec"]["training"]["validation_split"])
        self.assertEqual(grown("backpropd_samples_trained_total"), rows * ended["progress"]["epochs"])
        self.assertGreater(grown("backpropd_store_changes_total"), 0)
        self.assertGreater(grown("backpropd_store_commits_total"), 0)
        dataset = self.server.upload("digits", "digit")
        running, *queued = [self.server.submit(long_job(dataset)) for _ in range(3)]
        self.server.wait_for(running, lambda state: state["progress"] and state["progress"]["epoch"] >= 3)
        families = self.read()
        self.assertEqual(families["backpropd_queue_length"].value(), 2)
        self.assertEqual(families["backpropd_queue_limit"].value(), 50)
        self.assertEqual(families["backpropd_jobs"].value(status="running"), 1)
        self.assertEqual((families["backpropd_workers"].value(), families["backpropd_workers_busy"].value()), (1, 1))
        [worker] = self.server.workers()
        os.kill(worker, signal.SIGKILL)
        self.server.wait_for(running, lambda state: state["interruption"])
        self.assertEqual(self.read()["backpropd_worker_deaths_total"].value(),
                         families["backpropd_worker_deaths_total"].value() + 1)
        for job in [*queued, running]:
            self.server.post(f"/v1/jobs/{job}/cancel")
            self.server.wait(job)

    def test_the_process_and_its_disk(self):
        families = self.read()
        with open(f"/proc/{self.server.process.pid}/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        self.assertLess(abs(families["process_resident_memory_bytes"].value() - resident), 8 << 20)
        self.assertLess(abs(families["process_start_time_seconds"].value() - time.time()), 600)
        descriptors = len(os.listdir(f"/proc/{self.server.process.pid}/fd"))
        self.assertLessEqual(abs(families["process_open_fds"].value() - descriptors), 2)
        disk = shutil.disk_usage(self.server.folder)
        self.assertEqual(families["backpropd_disk_size_bytes"].value(), disk.total)
        self.assertLess(abs(families["backpropd_disk_free_bytes"].value() - disk.free), 1 << 30)
        self.assertGreater(families["backpropd_database_bytes"].value(), 4096)
        self.assertEqual(families["backpropd_store_failed"].value(), 0)
        self.assertLess(families["backpropd_store_lag_seconds"].value(), 5)
        self.assertGreater(families["process_cpu_seconds_total"].value(), 0)
        version = self.server.get("/v1/status").json["version"]
        self.assertEqual(families["backpropd_build_info"].value(version=version), 1)

    def test_viewers_are_counted(self):
        job = self.server.submit(long_job(self.server.upload("digits", "digit")))
        connection = self.server.connection()
        connection.request("GET", f"/v1/jobs/{job}/events")
        connection.getresponse()
        self.assertEqual(self.read()["backpropd_http_streams"].value(), 1)
        connection.close()
        self.server.post(f"/v1/jobs/{job}/cancel")
        self.server.wait(job)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not here (Debian and Ubuntu: apt install prometheus)")
    def test_promtool_finds_nothing(self):
        self.server.wait(self.server.submit(small_job()))
        run = subprocess.run(["promtool", "check", "metrics"], input=self.server.get("/metrics").body, capture_output=True,
                             check=False)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, b"", b""))


class Stall(unittest.TestCase):
    def test_a_writer_that_waits_is_seen(self):
        """Another process holds the database's write lock: what a disk that hangs looks like."""
        with Server() as server:
            self.assertEqual(server.get("/readyz").status, 200)
            database = sqlite3.connect(os.path.join(server.folder, "backpropd.db"), isolation_level=None)
            database.execute("BEGIN IMMEDIATE")
            answers = []
            try:
                posts = [threading.Thread(target=lambda: answers.append(server.post("/v1/jobs", small_job()).status))
                         for _ in range(4)]
                for post in posts:
                    post.start()
                deadline, lag = time.monotonic() + 4, 0
                while time.monotonic() < deadline and lag < 1:
                    lag = exposition.parse(server.get("/metrics").body.decode())["backpropd_store_lag_seconds"].value()
                    time.sleep(0.1)
                self.assertGreaterEqual(lag, 1)
                self.assertGreaterEqual(
                    exposition.parse(server.get("/metrics").body.decode())["backpropd_store_waiting"].value(), 1)
                self.assertEqual(server.get("/healthz").status, 200)
            finally:
                database.execute("ROLLBACK")
                database.close()
            for post in posts:
                post.join()
            self.assertEqual(server.get("/readyz").status, 200)


if __name__ == "__main__":
    unittest.main()

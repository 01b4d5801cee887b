"""A live server for a test: starts the built program on a free port with a folder of its own, speaks HTTP to it with
Python's standard library alone, and ends it by its process id."""
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.path.join(ROOT, os.environ.get("BACKPROPD_BUILD", "build"), "backpropd")
# What `./dev test` has unpacked: nginx, promtool.
os.environ["PATH"] += os.pathsep + os.path.join(ROOT, "build", "tools") + os.pathsep + "/usr/sbin"
# Sanitizers multiply time and memory: tests of figures are for the plain build.
SANITIZED = "BACKPROPD_SANITIZED" in os.environ
PATIENCE = 600 if SANITIZED else 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class Server:
    """`with Server() as server:` … server.get("/v1/jobs").json"""

    def __init__(self, *flags, folder=None, environment=None, limits=None):
        """`limits`: of the process, by resource.RLIMIT_…"""
        self.own_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="service-under-test-")
        self.flags = flags
        self.environment = environment or {}
        self.limits = limits or {}
        self.process = None
        self.headers = {}

    def start(self):
        self.port = free_port()
        self.log = open(os.path.join(self.folder, "server.log"), "ab")
        begin = time.monotonic()
        flags = list(self.flags)
        if "--listen" not in flags:
            flags += ["--listen", f"127.0.0.1:{self.port}"]
        else:
            flags = [flag.replace("PORT", str(self.port)) for flag in flags]
        self.process = subprocess.Popen([BINARY, "serve", "--data", self.folder, *flags],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={**os.environ, **self.environment}, preexec_fn=self.limit)
        deadline = begin + PATIENCE
        while True:
            try:
                if self.get("/readyz").status == 200:
                    break
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                self.log.close()
                raise RuntimeError(f"the server did not start: {self.log_text()}")
            time.sleep(0.002)
        self.start_seconds = time.monotonic() - begin
        return self

    def limit(self):
        for limit, value in self.limits.items():
            resource.setrlimit(limit, (value, value))

    def log_text(self):
        with open(os.path.join(self.folder, "server.log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.log.close()

    def finish(self):
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.finish()

    # ---- requests ----

    def connection(self, timeout=PATIENCE):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, timeout=PATIENCE):
        connection = self.connection(timeout)
        headers = {**self.headers, **(headers or {})}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        try:
            connection.request(method, path, body, {k: v for k, v in headers.items() if v is not None})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def raw(self, data, timeout=10):
        """Sends bytes as they are and returns what comes back until the server closes or falls silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(data)
            answer = b""
            try:
                while chunk := connection.recv(65536):
                    answer += chunk
            except (socket.timeout, ConnectionResetError):
                pass
            return answer

    def post_pieces(self, path, pieces, length, content_type, timeout=3600):
        """A body that is made while it is sent."""
        connection = self.connection(timeout)
        try:
            connection.request("POST", path, pieces, {**self.headers, "Content-Type": content_type, "Content-Length": str(length)})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def peak_bytes(self):
        """The most memory that the server ever had, mapped files included."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    # ---- the usual things ----

    def upload(self, name, target):
        """An example's CSV file; the dataset's id."""
        with open(os.path.join(ROOT, "examples", name + ".csv"), "rb") as file:
            answer = self.post(f"/v1/datasets?name={name}&target={target}", file.read(),
                               headers={"Content-Type": "text/csv"})
        assert answer.status == 201, answer
        return answer.json["id"]

    def submit(self, job, **more):
        answer = self.post("/v1/jobs", job, **more)
        assert answer.status == 202, answer
        return answer.json["id"]

    def wait(self, job, seconds=PATIENCE):
        """The job once it has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.get(f"/v1/jobs/{job}?wait=10").json
            if state["status"] in ("succeeded", "failed", "cancelled"):
                return state
        raise AssertionError(f"{job} has not ended: {state}")

    def wait_for(self, job, condition, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.get(f"/v1/jobs/{job}").json
            if condition(state):
                return state
            time.sleep(0.02)
        raise AssertionError(f"{job} never got there: {state}")

    def events(self, job, after=None, headers=None, until=lambda event: False):
        """The job's events as (id, name, data) until the stream closes or `until` holds."""
        connection = self.connection()
        more = {**self.headers, **(headers or {}), "Accept": "text/event-stream"}
        if after is not None:
            more["Last-Event-ID"] = str(after)
        connection.request("GET", f"/v1/jobs/{job}/events", headers=more)
        response = connection.getresponse()
        assert response.status == 200, (response.status, response.read())
        assert response.headers["Content-Type"].startswith("text/event-stream"), response.headers
        events, fields = [], {}
        try:
            for line in response:
                line = line.decode().rstrip("\r\n")
                if line:
                    key, _, value = line.partition(":")
                    if key:
                        fields[key] = value.removeprefix(" ")
                elif "data" in fields:
                    events.append((int(fields["id"]), fields.get("event"), json.loads(fields["data"])))
                    fields = {}
                    if until(events[-1]):
                        break
        finally:
            connection.close()
        return events

    def worker_of(self, job, attempt):
        """The process id of a job's worker, as the log told it; None: not yet."""
        found = re.findall(rf"{job}: attempt {attempt}, worker (\d+)", self.log_text())
        return int(found[-1]) if found else None

    def workers(self):
        """Process ids of the server's workers."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                        fields = file.read().rpartition(")")[2].split()
                    if int(fields[1]) == self.process.pid and fields[0] != "Z":
                        found.append(int(entry))
                except (OSError, IndexError):
                    pass
        return found


def multipart(parts, boundary):
    """A body of multipart/form-data out of (name, bytes)."""
    body = b""
    for name, data in parts:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.bin"\r\n'.encode()
        body += b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


def example(name, /, **more):
    """An example's job with members replaced: example("iris", dataset=id)."""
    with open(os.path.join(ROOT, "examples", name + ".json"), encoding="utf-8") as file:
        return {**json.load(file), **more}


XOR = {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": ["even", "odd", "odd", "even"]}


def small_job(dataset=None, **training):
    """A job that ends in a blink."""
    return {
        "name": "small",
        "dataset": dataset or XOR,
        "model": {"layers": [{"type": "dense", "units": 8, "activation": "tanh"}, {"type": "dense", "units": 2}]},
        "training": {"epochs": 3, "batch_size": 4, "validation_split": 0, **training},
    }


def long_job(dataset, seconds_of_work=60, **training):
    """A job over the digits that goes on until it is stopped."""
    job = example("digits", dataset=dataset, name="long")
    job["training"] = {**job["training"], "epochs": 200 * seconds_of_work, **training}
    return job


class LiveTest(unittest.TestCase):
    """Tests that share one server."""

    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.flags).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.finish()

    def assertProblem(self, answer, status):
        """An answer of RFC 9457 with this status; its body."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/problem+json", answer)
        body = answer.json
        for member in ("type", "title", "status", "detail"):
            self.assertIn(member, body)
        self.assertEqual(body["status"], status)
        return body

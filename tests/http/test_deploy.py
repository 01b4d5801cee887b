"""The files of deploy/, each put to work: nginx with TLS before a server, the systemd unit, Prometheus' alerts."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import exposition
from harness import BINARY, PATIENCE, ROOT, Server, example, free_port, long_job, small_job

DEPLOY = os.path.join(ROOT, "deploy")
NAME = "train.example.org"
TOKEN = "a-token-for-the-proxys-test"


def read(name):
    with open(os.path.join(DEPLOY, name), encoding="utf-8") as file:
        return file.read()


def missing(program, package):
    return unittest.skipUnless(shutil.which(program), f"{program} is not here (Debian and Ubuntu: apt install {package})")


@missing("nginx", "nginx-light")
@missing("openssl", "openssl")
class Proxy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="proxy-under-test-")
        with open(os.path.join(cls.folder, "token"), "w", encoding="ascii") as file:
            file.write(TOKEN)
        cls.server = Server("--workers", "1", "--token-file", file.name, "--allow-host", NAME).start()
        cls.server.headers = {"Authorization": f"Bearer {TOKEN}"}
        cls.port, cls.plain_port = free_port(), free_port()
        key, certificate = (os.path.join(cls.folder, name) for name in ("key", "pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={NAME}",
                        "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", certificate], check=True,
                       capture_output=True)
        # The file as it is, but for its addresses and paths.
        text = read("nginx.conf")
        for before, after in (("listen 443 ssl", f"listen 127.0.0.1:{cls.port} ssl"), ("listen 80;", f"listen 127.0.0.1:{cls.plain_port};"),
                              ("server 127.0.0.1:8080;", f"server 127.0.0.1:{cls.server.port};"),
                              (f"/etc/ssl/{NAME}.pem", certificate), (f"/etc/ssl/{NAME}.key", key),
                              ("/run/nginx.pid", f"{cls.folder}/pid"), ("/var/log/nginx/", f"{cls.folder}/"),
                              ("http {\n", f"http {{\n    client_body_temp_path {cls.folder};\n    proxy_temp_path {cls.folder};\n"
                                           f"    fastcgi_temp_path {cls.folder};\n    uwsgi_temp_path {cls.folder};\n"
                                           f"    scgi_temp_path {cls.folder};\n"),
                              ("worker_processes auto;", "worker_processes 1;\ndaemon off;")):
            assert before in text, before
            text = text.replace(before, after)
        with open(os.path.join(cls.folder, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        cls.nginx = subprocess.Popen([shutil.which("nginx"), "-p", cls.folder, "-c", file.name, "-e", os.path.join(cls.folder, "error.log")],
                                     stderr=subprocess.PIPE)
        cls.tls = ssl.create_default_context(cafile=certificate)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                cls.request("GET", "/healthz")
                break
            except OSError:
                if cls.nginx.poll() is not None or time.monotonic() > deadline:
                    error = cls.nginx.stderr.read()
                    cls.tearDownClass()
                    raise RuntimeError(error)
                time.sleep(0.05)

    @classmethod
    def tearDownClass(cls):
        if cls.nginx.poll() is None:
            cls.nginx.send_signal(signal.SIGQUIT)
            try:
                cls.nginx.wait(10)
            except subprocess.TimeoutExpired:
                cls.nginx.kill()
                cls.nginx.wait()
        cls.nginx.stderr.close()
        cls.server.finish()
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def connection(cls):
        connection = http.client.HTTPSConnection("127.0.0.1", cls.port, timeout=PATIENCE, context=cls.tls)
        connection.sock = cls.tls.wrap_socket(
            socket.create_connection(("127.0.0.1", cls.port), timeout=PATIENCE), server_hostname=NAME)
        return connection

    @classmethod
    def request(cls, method, path, body=None, **headers):
        connection = cls.connection()
        try:
            headers = {"Host": NAME, "Authorization": f"Bearer {TOKEN}", **headers}
            if isinstance(body, dict):
                body = json.dumps(body)
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, {key: value for key, value in headers.items() if value is not None})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def test_the_api_works_through_it(self):
        status, headers, body = self.request("POST", "/v1/jobs", small_job(), Origin=f"https://{NAME}")
        self.assertEqual(status, 202, body)
        self.assertEqual(headers["Strict-Transport-Security"], "max-age=31536000")
        job = json.loads(body)["id"]
        ended = json.loads(self.request("GET", f"/v1/jobs/{job}?wait=60")[2])
        self.assertEqual(ended["status"], "succeeded")
        status, _, body = self.request("POST", f"/v1/models/{ended['model']}/predict", {"inputs": [[0, 1]]})
        self.assertEqual(status, 200, body)

    def test_who_gets_in(self):
        self.assertEqual(self.request("GET", "/v1/jobs", Authorization=None)[0], 401)
        self.assertEqual(self.request("POST", "/v1/jobs", small_job(), Origin="https://evil.example")[0], 403)
        self.assertEqual(self.request("GET", "/v1/jobs", Host="evil.example")[0], 403)
        self.assertEqual(self.request("GET", "/")[0], 200)

    def test_the_cookie_is_for_tls_alone(self):
        status, headers, _ = self.request("POST", "/v1/session", {"token": TOKEN}, Authorization=None)
        self.assertEqual(status, 204)
        cookie = headers["Set-Cookie"]
        for flag in ("secure", "httponly", "samesite=strict"):
            self.assertIn(flag, cookie.lower())
        self.assertEqual(self.request("GET", "/v1/jobs", Authorization=None, Cookie=cookie.split(";")[0])[0], 200)

    def test_plain_http_is_sent_to_tls(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=10)
        connection.request("GET", "/v1/jobs", headers={"Host": NAME})
        response = connection.getresponse()
        self.assertEqual((response.status, response.headers["Location"]), (308, f"https://{NAME}/v1/jobs"))
        connection.close()

    def test_events_come_as_they_happen(self):
        job = self.server.submit(long_job(self.server.upload("digits", "digit")))
        connection = self.connection()
        connection.request("GET", f"/v1/jobs/{job}/events", headers={"Host": NAME, "Authorization": f"Bearer {TOKEN}"})
        response = connection.getresponse()
        self.assertEqual(response.headers["Content-Type"].split(";")[0], "text/event-stream")
        seen, begin = set(), time.monotonic()
        for line in response:
            if line.startswith(b"event: "):
                seen.add(line[7:].strip().decode())
            if {"status", "metrics", "gradients"} <= seen:
                break
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(self.server.get(f"/v1/jobs/{job}").json["status"], "running", "it was still under way")
        connection.close()
        self.server.post(f"/v1/jobs/{job}/cancel")
        self.server.wait(job)

    def test_a_large_dataset_goes_through(self):
        rows = "a,b,c\n" + "1.25,2.5,x\n3.5,4.75,y\n" * 200000  # 4 MB, beyond nginx's own bound of 1 MB
        status, _, body = self.request("POST", "/v1/datasets?name=large&target=c", rows, **{"Content-Type": "text/csv"})
        self.assertEqual(status, 201, body)
        self.assertEqual(json.loads(body)["rows"], 400000)


@missing("systemd-analyze", "systemd")
class Unit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        program = os.path.join(folder.name, "backpropd")  # verify wants the program to be there
        with open(program, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n")
        os.chmod(program, 0o755)
        text = read("backpropd.service")
        self.assertIn("ExecStart=/usr/local/bin/backpropd serve ", text)
        self.path = os.path.join(folder.name, "backpropd.service")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/local/bin/backpropd", program))

    def test_systemd_finds_nothing_wrong_in_it(self):
        run = subprocess.run(["systemd-analyze", "verify", "--man=no", self.path], capture_output=True, text=True, check=False)
        told = [line for line in (run.stdout + run.stderr).splitlines() if "backpropd" in line]
        self.assertEqual((run.returncode, told), (0, []), run.stderr)

    def test_it_is_well_shut_in(self):
        run = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", self.path], capture_output=True,
                             text=True, check=False)
        if "Unknown" in run.stderr or "unrecognized" in run.stderr:
            self.skipTest("systemd is older than 250")
        match = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", run.stdout)
        self.assertTrue(match, run.stdout + run.stderr)
        self.assertLess(float(match[1]), 2.0, run.stdout)

    def test_its_flags_are_real(self):
        command = re.search(r"^ExecStart=\S+ (.*)$", read("backpropd.service"), re.M)[1].split()
        flags = [word for word in command if word.startswith("--")]
        told = subprocess.run([BINARY, "serve", "--help"], capture_output=True, text=True, check=True).stdout
        self.assertEqual([flag for flag in flags if flag not in told], [])
        with Server("--log-format", "json") as server:
            self.assertEqual(server.get("/healthz").status, 200)


class Alerts(unittest.TestCase):
    def test_every_figure_that_they_name_is_there(self):
        with Server() as server:
            server.wait(server.submit(example("iris", dataset=server.upload("iris", "species"))))
            families = exposition.parse(server.get("/metrics").body.decode())
        named = set(re.findall(r"\b(?:backpropd|process)_[a-z_]+\b", "\n".join(
            line for line in read("alerts.yml").splitlines() if "summary" not in line and "description" not in line)))
        known = {name for family in families.values() for name in (
            [family.name + suffix for suffix in ("_bucket", "_sum", "_count")] if family.type == "histogram" else [family.name])}
        self.assertEqual(named - known, set())
        self.assertGreaterEqual(len(named), 8)

    @missing("promtool", "prometheus")
    def test_promtool_takes_them(self):
        run = subprocess.run(["promtool", "check", "rules", os.path.join(DEPLOY, "alerts.yml")], capture_output=True, text=True,
                             check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("SUCCESS: 10 rules found", run.stdout)

    @missing("promtool", "prometheus")
    def test_they_fire_when_they_should(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(os.path.join(DEPLOY, "alerts.yml"), folder)
            shutil.copy(os.path.join(ROOT, "tests", "http", "alerts_test.yml"), folder)
            run = subprocess.run(["promtool", "test", "rules", "alerts_test.yml"], cwd=folder, capture_output=True, text=True,
                                 check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    @missing("promtool", "prometheus")
    def test_promtool_takes_the_scrape(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "token"), "w", encoding="ascii") as file:
                file.write(TOKEN)
            shutil.copy(os.path.join(DEPLOY, "alerts.yml"), folder)
            with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as config:
                config.write(read("prometheus.yml").replace("/etc/prometheus/backpropd.token", file.name))
            run = subprocess.run(["promtool", "check", "config", config.name], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()

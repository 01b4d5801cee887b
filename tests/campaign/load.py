"""Many clients, slow ones, and a long queue (P8, P9, P10, P11).

    load.py [slow] [viewers] [queue] [body] [--connections 1000] [--viewers 1000] [--jobs 10000] [--seconds 30]

slow     slowhttptest's three ways to hold a server up, one after the other, each with so many connections: predictions beside them keep
         their pace, /healthz answers, and whoever drips or does not read is cut within 15 s of the last connection.
viewers  so many server-sent event streams of a running job, which leave and come back with Last-Event-ID, a tenth of which never read: every
         one of the others has every step once and in order, and the server stays below 200 MB.
queue    so many jobs, two workers, kills of workers and server: each ends once, and submitting stays fast.
body     a claimed body of 100 GB is refused before it is read, and a chunked one without an end at the bound.
"""
import argparse
import asyncio
import csv
import http.client
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))
from harness import Server, XOR, example, small_job  # noqa: E402
from torture import iris, resident  # noqa: E402

ROW = b'{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("nan")


class Predictions(threading.Thread):
    """One client that predicts all the time on a connection that it keeps, and asks after the server's health on new ones."""

    def __init__(self, server, model, wanted):
        super().__init__()
        self.server, self.model, self.wanted = server, model, wanted
        self.seconds, self.mistakes, self.health = [], [], []
        self.stopping = threading.Event()

    def run(self):
        connection = self.server.connection(30)
        while not self.stopping.wait(0.004):
            begin = time.monotonic()
            try:
                connection.request("POST", f"/v1/models/{self.model}/predict", ROW, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200 or body != self.wanted:
                    self.mistakes.append(f"a prediction: {answer.status} {body[:200]}")
            except (OSError, http.client.HTTPException) as error:
                self.mistakes.append(f"a prediction: {error!r}")
                connection.close()
            self.seconds.append(time.monotonic() - begin)
            if len(self.seconds) % 20 == 0:
                begin = time.monotonic()
                try:
                    if self.server.get("/healthz", timeout=30).status != 200:
                        self.mistakes.append("/healthz is not 200")
                except OSError as error:
                    self.mistakes.append(f"/healthz: {error!r}")
                self.health.append(time.monotonic() - begin)
        connection.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()


def attack(server, flags, connections, folder):
    """Runs slowhttptest; seconds from the last connection made to the last one cut, and how many the server did take."""
    prefix = os.path.join(folder, "slow")
    run = subprocess.run(["slowhttptest", *flags, "-c", str(connections), "-r", "500", "-l", "40", "-g", "-o", prefix],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    with open(prefix + ".csv", encoding="ascii") as file:
        rows = [[int(cell) for cell in row[:4]] for row in list(csv.reader(file))[1:] if row and row[0].isdigit()]
    if not rows:
        raise RuntimeError(f"slowhttptest said nothing: {run.stdout[-500:]}")
    opened = [closed + connected for _, closed, _, connected in rows]
    last_opened = next(row[0] for row, count in zip(rows, opened) if count == max(opened))
    still = [row[0] for row in rows if row[3] > 0 or row[2] > 0]
    return (max(still) if still else last_opened) + 1 - last_opened, max(opened), rows[-1]


def slow(options):
    failures, told = [], []
    with Server("--workers", "1") as server, tempfile.TemporaryDirectory() as folder:
        model, _, _, wanted = iris(server)
        base = f"http://127.0.0.1:{server.port}"
        with Predictions(server, model, wanted) as alone:
            time.sleep(3)
        told.append(f"p99 of a prediction alone {percentile(alone.seconds, 0.99) * 1000:.1f} ms")
        attacks = {
            "-H": ["-H", "-i", "3", "-t", "GET", "-u", base + "/v1/jobs"],
            "-B": ["-B", "-i", "3", "-s", "100000", "-f", "application/json", "-u", base + "/v1/datasets"],
            "-X": ["-X", "-w", "10", "-y", "20", "-n", "5", "-z", "8", "-k", "3", "-u", base + "/v1/openapi.json"],
        }
        for name, flags in attacks.items():
            with Predictions(server, model, wanted) as beside:
                seconds, opened, last = attack(server, flags, options.connections, folder)
            p99 = percentile(beside.seconds, 0.99) * 1000
            told.append(f"{name}: {opened} connections, cut after {seconds} s, p99 {p99:.1f} ms of {len(beside.seconds)} predictions, "
                        f"slowest /healthz {max(beside.health) * 1000:.0f} ms")
            print(told[-1], flush=True)
            failures += [f"{name}: {mistake}" for mistake in beside.mistakes[:5]]
            if seconds > 15:
                failures.append(f"{name}: offenders stay {seconds} s (in the end: {last})")
            if p99 > 20:
                failures.append(f"{name}: p99 of a prediction is {p99:.1f} ms")
        server.stop()
    return failures, "slow: " + "; ".join(told)


# ---- viewers ----

class Viewer:
    def __init__(self, port, job, chance, reads):
        self.port, self.job, self.chance, self.reads = port, job, chance, reads
        self.last, self.step, self.visits, self.events = None, 0, 0, 0
        self.ended, self.mistake = False, None

    async def run(self, until):
        while not self.ended and time.monotonic() < until and self.mistake is None:
            try:
                await self.visit(until)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.2)

    async def visit(self, until):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        self.visits += 1
        last = f"Last-Event-ID: {self.last}\r\n" if self.last is not None else ""
        writer.write(f"GET /v1/jobs/{self.job}/events HTTP/1.0\r\nHost: localhost\r\n{last}\r\n".encode())
        leave = time.monotonic() + (self.chance.uniform(0.5, 8) if self.reads else 3600)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n")[0]:
                self.mistake = head.decode()
                return
            if not self.reads:
                await asyncio.sleep(max(0, until - time.monotonic()))
                return
            while time.monotonic() < leave:
                try:
                    event = await asyncio.wait_for(reader.readuntil(b"\n\n"), timeout=leave - time.monotonic())
                except asyncio.TimeoutError:
                    return
                self.take(event)
                if self.ended:
                    return
        finally:
            writer.close()  # in the middle of whatever comes

    def take(self, event):
        found = re.search(rb"^id: ?(\d+)$", event, re.M)
        if found is None:
            return
        number = int(found[1])
        if self.last is not None and number <= self.last:
            self.mistake = f"event {number} after {self.last}"
        self.last = number
        self.events += 1
        if re.search(rb"^event: ?end$", event, re.M):
            self.ended = True
        if re.search(rb"^event: ?metrics$", event, re.M):
            steps = re.search(rb'"train_loss":\{"step":\[([\d,]+)\]', event)
            steps = [int(step) for step in steps[1].split(b",")] if steps else []
            if steps and steps != list(range(self.step + 1, self.step + 1 + len(steps))):
                self.mistake = f"steps {steps[0]} to {steps[-1]} after {self.step}"
            self.step = steps[-1] if steps else self.step


async def watch(viewers, until):
    await asyncio.gather(*(viewer.run(until) for viewer in viewers))


def viewers(options):
    failures, most = [], 0
    with Server("--workers", "1") as server:
        job = example("digits_cnn", dataset=server.upload("digits", "digit"), threads=1)
        job["model"]["input"] = {"shape": [8, 8, 1]}
        job["training"].update(epochs=100000, checkpoint_seconds=5)
        running = server.submit({**job, "max_seconds": options.seconds})
        server.wait_for(running, lambda state: state["status"] == "running")
        chance = random.Random(3)
        crowd = [Viewer(server.port, running, chance, number % 10 != 0) for number in range(options.viewers)]
        until = time.monotonic() + options.seconds + 60
        stopping = threading.Event()

        def measure():
            nonlocal most
            while not stopping.wait(0.5):
                most = max(most, resident(server.process.pid))

        meter = threading.Thread(target=measure)
        meter.start()
        silent = [viewer for viewer in crowd if not viewer.reads]
        readers = [viewer for viewer in crowd if viewer.reads]

        async def both():
            await asyncio.gather(watch(readers, until), watch(silent, time.monotonic() + options.seconds + 5))

        asyncio.run(both())
        stopping.set()
        meter.join()
        ended = server.wait(running)
        last = server.get(f"/v1/jobs/{running}").json["progress"]["step"]
        for viewer in readers:
            if viewer.mistake or not viewer.ended or viewer.step < last:
                failures.append(f"a viewer: {viewer.mistake or 'no end'}, step {viewer.step} of {last}, {viewer.visits} visits")
        if most > 200 * 1000:
            failures.append(f"the server took {most} KiB")
        visits, events = sum(v.visits for v in crowd), sum(v.events for v in readers)
        server.stop()
    return failures, (f"viewers: {len(readers)} readers and {len(silent)} that never read, {visits} visits, {events} events, "
                      f"{ended['status']} at step {last}; the server took {most // 1024} MiB at most")


# ---- the queue ----

def submit_until_accepted(server, job, key, seconds):
    while True:
        begin = time.monotonic()
        try:
            answer = server.post("/v1/jobs", job, headers={"Idempotency-Key": key}, timeout=20)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            continue
        if answer.status == 202:
            seconds.append(time.monotonic() - begin)
            return answer.json["id"]
        assert answer.status in (409, 503), answer
        time.sleep(0.05)


def queue(options):
    failures, seconds, killed, chance = [], [], {"worker": 0, "server": 0}, random.Random(4)
    with Server("--workers", "2") as server:
        job = small_job(server.post("/v1/datasets", XOR).json["id"])
        submitted, lock = [], threading.Lock()  # the lock: nobody submits while the server is killed

        def submitting():
            for number in range(options.jobs):
                with lock:
                    submitted.append(submit_until_accepted(server, {**job, "name": f"job {number}"}, f"key {number}", seconds))

        thread = threading.Thread(target=submitting)
        thread.start()
        begin, last_kill, left = time.monotonic(), {}, options.jobs
        while thread.is_alive() or left:
            time.sleep(chance.uniform(0.2, 1.5))
            if chance.random() < 0.1:
                with lock:
                    server.kill()
                    server.start()
                killed["server"] += 1
            else:
                for pid in server.workers()[:1]:
                    if time.monotonic() - last_kill.get("at", 0) > 1:  # three deaths at one step would fail a job
                        os.kill(pid, signal.SIGKILL)
                        last_kill["at"] = time.monotonic()
                        killed["worker"] += 1
            counts = server.get("/v1/status").json["queue"]
            left = counts["queued"] + counts["running"]
            if time.monotonic() - begin > 7200:
                failures.append(f"{left} are left after two hours")
                break
        thread.join()
        took = time.monotonic() - begin
        items, path = [], "/v1/jobs?limit=500"
        while path:
            page = server.get(path).json
            items += page["items"]
            path = f"/v1/jobs?limit=500&cursor={page['next']}" if page["next"] else None
        if sorted(item["id"] for item in items) != sorted(submitted) or len(set(submitted)) != options.jobs:
            failures.append(f"{len(set(submitted))} acknowledged, {len(items)} there")
        failures += [f"{item['id']}: {item['status']}: {item['error']}" for item in items if item["status"] != "succeeded"]
        models, path = 0, "/v1/models?limit=500"
        while path:
            page = server.get(path).json
            models += len(page["items"])
            path = f"/v1/models?limit=500&cursor={page['next']}" if page["next"] else None
        if models != options.jobs:
            failures.append(f"{models} models of {options.jobs} jobs")
        for item in random.Random(5).sample(items, min(200, len(items))):
            names = [name for _, name, _ in server.events(item["id"])]
            if names.count("end") != 1:
                failures.append(f"{item['id']}: {names.count('end')} ends")
        p99 = percentile(seconds, 0.99) * 1000
        if p99 > 50:
            failures.append(f"p99 of a submission is {p99:.1f} ms")
        server.stop()
    return failures, (f"queue: {options.jobs} jobs in {took:.0f} s, {killed['worker']} workers and {killed['server']} servers killed, "
                      f"submitting takes {percentile(seconds, 0.5) * 1000:.1f} ms (p99 {p99:.1f} ms)")


# ---- bodies ----

def body(_):
    failures = []
    with Server("--max-body", "64M") as server:
        before = resident(server.process.pid)
        head = b"POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        begin = time.monotonic()
        for _ in range(100):
            answer = server.raw(head + b"Content-Length: 100000000000\r\n\r\n", timeout=5)
            if not answer.startswith(b"HTTP/1.1 413 "):
                failures.append(f"100 GB: {answer[:100]}")
        claimed = time.monotonic() - begin
        begin = time.monotonic()
        sent, piece = 0, b"10000\r\n" + b"1" * 65536 + b"\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            try:
                while sent < 1 << 30:
                    connection.sendall(piece)
                    sent += 65536
            except OSError:
                pass
        cut = time.monotonic() - begin  # it is read over for two seconds, so that the client hears why
        if cut > 30:
            failures.append(f"an endless chunked body was read for {cut:.0f} s")
        after = resident(server.process.pid)
        if after - before > 4096:
            failures.append(f"memory went from {before} to {after} KiB")
        server.stop()
    return failures, (f"body: 100 claims of 100 GB refused in {claimed * 1000:.0f} ms, an endless chunked body cut after {cut:.1f} s, memory from {before} to {after} KiB")


PARTS = {"slow": slow, "viewers": viewers, "queue": queue, "body": body}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=10000)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    if shutil.which("slowhttptest") is None and "slow" in (options.parts or PARTS):
        sys.exit("slow needs slowhttptest (Debian: apt-get install slowhttptest)")
    status = 0
    for name in options.parts or PARTS:
        failures, told = PARTS[name](options)
        print("\n".join(failures[:50]))
        print(f"{told}; {len(failures)} failures", flush=True)
        status = status or (1 if failures else 0)
    return status


if __name__ == "__main__":
    sys.exit(main())

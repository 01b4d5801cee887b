"""Many clients, slow ones, and a long queue (P8, P9, P10, P11).

    load.py [slow] [viewers] [queue] [body] [--connections 1000] [--ways HBX] [--viewers 1000] [--jobs 10000] [--submit-ms 50] [--seconds 30]

slow     slowhttptest's three ways to hold a server up, one after the other, each with so many connections: predictions beside them keep
         their pace, /healthz answers, and whoever drips or does not read is cut within 15 s.
viewers  so many server-sent event streams of a running job, which leave and come back with Last-Event-ID, a tenth of which never read: every
         one of the others has every event of the job's log and every step, once, in order and in the same bytes; the server stays below 200 MB.
queue    so many jobs, two workers, kills of workers and server: each ends once, and submitting stays fast.
body     a claimed body of 100 GB is refused before it is read, and a chunked one without an end at the bound.
"""
import argparse
import collections
import heapq
import http.client
import json
import os
import random
import re
import selectors
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
from held import Held  # noqa: E402
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
                if answer.status != 200 or json.loads(body)["outputs"] != self.wanted:  # a drift note may come beside them
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
    """Runs slowhttptest until the server has cut all its connections, or for as long as it goes on; for how many seconds it held each."""
    with open(os.path.join(folder, "slow.log"), "w+", encoding="utf-8") as log:
        run = subprocess.Popen(["slowhttptest", *flags, "-c", str(connections), "-r", "500", "-l", "40"], stdin=subprocess.DEVNULL,
                               stdout=log, stderr=subprocess.STDOUT, start_new_session=True)  # a terminal would stop it in the background
        with Held(server.port, run.pid) as held:
            while run.poll() is None and not (held.seen == connections and held.now == 0):
                held.wait()
        if run.poll() is None:
            run.terminate()
        run.wait()
        if not held.lives:
            log.seek(0)
            raise RuntimeError(f"slowhttptest made no connection: {log.read()[-500:]}")
    return held.lives


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
            if name[1] not in options.ways:
                continue
            with Predictions(server, model, wanted) as beside:
                lives = attack(server, flags, options.connections, folder)
            p99 = percentile(beside.seconds, 0.99) * 1000
            told.append(f"{name}: {len(lives)} connections, held {percentile(lives, 0.5):.1f} s, the longest {max(lives):.1f} s, p99 {p99:.1f} ms of {len(beside.seconds)} predictions, "
                        f"slowest /healthz {max(beside.health) * 1000:.0f} ms")
            print(told[-1], flush=True)
            failures += [f"{name}: {mistake}" for mistake in beside.mistakes[:5]]
            if max(lives) > 15:
                failures.append(f"{name}: {sum(life > 15 for life in lives)} offenders stay up to {max(lives):.1f} s")
            if len(lives) < options.connections:
                failures.append(f"{name}: {len(lives)} connections of {options.connections}")
            if p99 > 20:
                failures.append(f"{name}: p99 of a prediction is {p99:.1f} ms")
        server.stop()
    return failures, "slow: " + "; ".join(told)


# ---- viewers ----

STEPS = re.compile(rb'"train_loss":\{"step":\[([\d,]+)\]')


class Event:
    """One event of the job, taken apart once: every viewer must get these very bytes."""

    def __init__(self, number, data):
        self.number, self.data = number, data
        kind = re.search(rb"^event: ?(\w+)$", data, re.M)
        self.kind = kind[1] if kind else b""
        found = STEPS.search(data) if self.kind == b"metrics" else None
        steps = [int(step) for step in found[1].split(b",")] if found else []
        self.first, self.last = (steps[0], steps[-1]) if steps else (None, None)
        self.whole = not steps or steps == list(range(steps[0], steps[-1] + 1))


class Viewer:
    def __init__(self, reads):
        self.reads = reads
        self.last, self.step, self.visits, self.numbers = None, 0, 0, []
        self.ended, self.mistake = False, None
        self.socket, self.buffer, self.head, self.until = None, bytearray(), False, 0

    def take(self, crowd, data):
        if not data.startswith(b"id: "):
            return
        number = int(data[4:data.index(b"\n")])
        event = crowd.events.get(number)
        if event is None:
            event = crowd.events[number] = Event(number, data)
        elif event.data != data:
            self.mistake = f"event {number} is not what others got"
        if self.last is not None and number <= self.last:
            self.mistake = f"event {number} after {self.last}"
        self.last = number
        self.numbers.append(number)
        self.ended = self.ended or event.kind == b"end"
        if event.first is not None:
            if event.first != self.step + 1 or not event.whole:
                self.mistake = f"steps {event.first} to {event.last} after {self.step}"
            self.step = event.last

    def gap(self, crowd, log):
        """What is wrong with what it saw of a job, beside the log of it, an event's bytes by number; None: nothing. Each state of the
        progress takes the place of the one before, in the log too: those of the past may be seen or not. Everything else must."""
        if self.mistake:
            return self.mistake
        missed = sorted(log.keys() - set(self.numbers))
        if missed:
            return f"{len(missed)} events are missing, the first is {log[missed[0]][:60]!r}"
        for number in self.numbers:
            event = crowd.events[number]
            if number in log and event.data != log[number] or number not in log and event.kind != b"status":
                return f"event {number} is not what the log has: {event.data[:60]!r}"
        return None if self.ended else "no end"


def log_of(server, job):
    """The events of a job that has ended, as a late viewer gets them."""
    stream = server.get(f"/v1/jobs/{job}/events", headers={"Accept": "text/event-stream"}).body
    events = [data for data in stream.split(b"\n\n") if data.startswith(b"id: ")]
    return {int(data[4:data.index(b"\n")]): data for data in events}


class Crowd:
    """All viewers, in one thread."""

    def __init__(self, port, job, count):
        self.address, self.job, self.chance = ("127.0.0.1", port), job, random.Random(3)
        self.viewers = [Viewer(number % 10 != 0) for number in range(count)]
        self.events, self.soon = {}, []  # (time, tie, viewer, its visit): when it comes or leaves
        self.selector = selectors.DefaultSelector()

    def plan(self, viewer, delay):
        heapq.heappush(self.soon, (time.monotonic() + delay, id(viewer), viewer, viewer.visits))

    def come(self, viewer):
        last = f"Last-Event-ID: {viewer.last}\r\n" if viewer.last is not None else ""
        viewer.visits += 1
        viewer.head, viewer.buffer = False, bytearray()
        viewer.socket = socket.socket()
        if not viewer.reads:
            viewer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            viewer.socket.settimeout(5)
            viewer.socket.connect(self.address)
            viewer.socket.sendall(f"GET /v1/jobs/{self.job}/events HTTP/1.0\r\nHost: localhost\r\n{last}\r\n".encode())
        except OSError:
            self.go(viewer)
            return
        viewer.socket.setblocking(False)
        if viewer.reads:
            self.selector.register(viewer.socket, selectors.EVENT_READ, viewer)
            self.plan(viewer, self.chance.uniform(0.5, 8))

    def go(self, viewer):
        """In the middle of whatever comes; it is back in a moment."""
        if viewer.reads and viewer.socket in self.selector.get_map():
            self.selector.unregister(viewer.socket)
        viewer.socket.close()
        viewer.socket = None
        if not viewer.ended and viewer.mistake is None:
            self.plan(viewer, 0.2)

    def read(self, viewer):
        try:
            piece = viewer.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        viewer.buffer += piece
        end = b"\n\n" if viewer.head else b"\r\n\r\n"
        if end in piece or end in viewer.buffer:
            *whole, rest = bytes(viewer.buffer).split(end, maxsplit=-1 if viewer.head else 1)
            if not viewer.head:
                viewer.head = True
                if b" 200 " not in whole[0].split(b"\r\n")[0]:
                    if b" 503 " in whole[0].split(b"\r\n")[0]:  # too many for this moment
                        self.go(viewer)
                    else:
                        viewer.mistake = whole[0].decode()
                    return
                *whole, rest = rest.split(b"\n\n")
            viewer.buffer = bytearray(rest)
            for data in whole:
                viewer.take(self, data)
        if not piece or viewer.ended or viewer.mistake is not None:
            self.go(viewer)

    def run(self, until):
        """Until every reader has seen the end."""
        for number, viewer in enumerate(self.viewers):
            self.plan(viewer, number / 500)
        watching = [viewer for viewer in self.viewers if viewer.reads]
        while time.monotonic() < until and any(not (v.ended or v.mistake) for v in watching):
            while self.soon and self.soon[0][0] <= time.monotonic():
                _, _, viewer, visit = heapq.heappop(self.soon)
                if viewer.socket is None and not viewer.ended:
                    self.come(viewer)
                elif viewer.socket is not None and viewer.visits == visit:
                    self.go(viewer)
            for key, _ in self.selector.select(min(0.1, max(0, self.soon[0][0] - time.monotonic())) if self.soon else 0.1):
                if key.data.socket is key.fileobj:
                    self.read(key.data)
        for viewer in self.viewers:
            if viewer.socket is not None:
                viewer.ended = True
                self.go(viewer)


def viewers(options):
    failures, most = [], 0
    with Server("--workers", "1") as server:
        job = example("digits_cnn", dataset=server.upload("digits", "digit"), threads=1)
        job["training"].update(epochs=100000, checkpoint_seconds=5, schedule="constant")
        running = server.submit(job)
        server.wait_for(running, lambda state: state["status"] == "running")
        crowd = Crowd(server.port, running, options.viewers)
        stopping = threading.Event()

        def measure():
            nonlocal most
            begin, stopped = time.monotonic(), False
            while not stopping.wait(0.5):
                most = max(most, resident(server.process.pid))
                if not stopped and time.monotonic() - begin > options.seconds:
                    stopped = server.post(f"/v1/jobs/{running}/stop").status == 202

        meter = threading.Thread(target=measure)
        meter.start()
        readers = [viewer for viewer in crowd.viewers if viewer.reads]
        crowd.run(time.monotonic() + options.seconds + 120)
        stopping.set()
        meter.join()
        ended = server.wait(running)
        last, log = ended["progress"]["step"], log_of(server, running)
        for viewer in readers:
            gap = viewer.gap(crowd, log)
            if gap or viewer.step != last:
                failures.append(f"a viewer: {gap}, step {viewer.step} of {last}, {viewer.visits} visits")
        if ended["status"] != "succeeded":
            failures.append(f"the job: {ended['error']}")
        if most > 200 * 1000:
            failures.append(f"the server took {most} KiB")
        visits, events = sum(v.visits for v in crowd.viewers), sum(len(v.numbers) for v in readers)
        server.stop()
    kinds = collections.Counter(Event(number, data).kind.decode() for number, data in log.items())
    return failures, (f"viewers: {len(readers)} readers, {len(crowd.viewers) - len(readers)} that never read, {visits} visits, {events} events, "
                      f"{ended['status']} at step {last}, in the log {dict(kinds)}; the server took {most // 1024} MiB at most")


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
        if p99 > options.submit_ms:
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
    parser.add_argument("--ways", default="HBX", help="of slowhttptest: a letter each")
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=10000)
    parser.add_argument("--submit-ms", type=float, default=50, help="what the p99 of a submission may be")
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

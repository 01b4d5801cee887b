"""What a machine can do to a server: no memory, no disk, files that went bad, jobs that eat too much (P3, P4, P5, P6).

    torture.py [memory] [files] [full] [hungry] [damage] [--every 1]

memory   every allocation of a request fails once, in the server and in every library below it: an error or the right answer comes, never
         a wrong 2xx; the server lives, and no block is lost. The core's own paths are tests/core/train/test_torture.c.
files    every write, sync, truncation and renaming of a request fails once, with ENOSPC and with EIO: nothing acknowledged is missing after a
         restart, predictions go on, and a server whose commit failed ends with status 1.
full     a small tmpfs fills up under a running job and uploads, again and again: predictions go on, 503 for what would write, then all
         recovers, and the job ends in the same bits.
hungry   100 jobs too large for what their workers may take: each `failed` with `out_of_memory`; the server's memory does not move.
damage   files of a server flipped and cut: jobs fail with `damaged`, predictions are refused, a damaged checkpoint is passed over.

--every N looks at every Nth place only. `full` needs the right to mount in a namespace of its own (`unshare`).
"""
import argparse
import ctypes
import gzip
import http.client
import json
import mmap
import os
import random
import re
import resource
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))
from harness import BINARY, ROOT, Server, XOR, example, small_job  # noqa: E402

LIBRARY = os.path.join(os.path.dirname(BINARY), "tests", "campaign", "faults.so")
EIO, ENOSPC = 5, 28


class Faults:
    """The other side of faults.c."""
    FIELDS = ("memory_countdown", "memory_fired", "allocations", "live", "file_countdown", "file_fired", "file_calls", "file_errno",
              "file_always")

    def __init__(self, folder):
        self.path = os.path.join(folder, "faults")
        with open(self.path, "wb") as file:
            file.write(bytes(8 * len(self.FIELDS)))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.environment = {"LD_PRELOAD": LIBRARY, "FAULTS": self.path}

    def get(self, field):
        return struct.unpack_from("q", self.map, 8 * self.FIELDS.index(field))[0]

    def set(self, field, value):
        struct.pack_into("q", self.map, 8 * self.FIELDS.index(field), value)

    def settled_live(self):
        """Blocks that live once nothing moves any more."""
        last, since = None, time.monotonic()
        while time.monotonic() - since < 0.06:
            live = self.get("live")
            if live != last:
                last, since = live, time.monotonic()
            time.sleep(0.005)
        return last


def ask(server, method, path, body=None, headers=None):
    """The answer, or None where the connection ended without one."""
    try:
        return server.request(method, path, body, headers=headers, timeout=30)
    except (OSError, http.client.HTTPException):
        return None


def integrity(server):
    with sqlite3.connect(os.path.join(server.folder, "backpropd.db")) as database:
        return database.execute("PRAGMA integrity_check").fetchone()[0]


def iris(server):
    """A trained model of flowers, the ids of its job and its dataset, and what it says of a row."""
    dataset = server.upload("iris", "species")
    job = server.wait(server.submit(example("iris", dataset=dataset, training={"epochs": 5, "seed": 1})))
    assert job["status"] == "succeeded", job
    return job["model"], job["id"], dataset, outputs(predict(server, job["model"]))


def predict(server, model):
    return server.post(f"/v1/models/{model}/predict", {"inputs": [[5.1, 3.5, 1.4, 0.2]]})


def outputs(prediction):
    """What the model says. A drift note may come beside it, since these campaigns ask for one row again and again."""
    return prediction.json["outputs"]


# ---- memory ----

def requests_of_memory(model, job, dataset, language_model):
    with open(os.path.join(ROOT, "examples", "learn", "two_two_one.json"), "rb") as file:
        trace = file.read()
    with open(os.path.join(ROOT, "examples", "iris.csv"), "rb") as file:
        csv = file.read()
    json_type = {"Content-Type": "application/json"}
    lines = "\n".join('{"input": [1, %d], "target": "%s"}' % (n, "ab"[n % 2]) for n in range(20))
    graph = {"graph": {"nodes": [[n, 1] for n in range(6)], "edges": [[n, (n + 1) % 6] for n in range(6)],
                       "targets": ["a", "b"] * 3, "splits": {"train": [0, 1, 2], "validation": [3], "test": [4, 5]}}}
    return {
        "health": ("GET", "/healthz", None, {}), "a list": ("GET", "/v1/jobs?limit=2", None, {}),
        "a job": ("GET", f"/v1/jobs/{job}", None, {}), "metrics": ("GET", f"/v1/jobs/{job}/metrics", None, {}),
        "metrics as CSV": ("GET", f"/v1/jobs/{job}/metrics?points=all", None, {"Accept": "text/csv"}),
        "gradients": ("GET", f"/v1/jobs/{job}/gradients", None, {"Accept-Encoding": "gzip"}),
        "confusion": ("GET", f"/v1/jobs/{job}/confusion", None, {}),
        "events": ("GET", f"/v1/jobs/{job}/events", None, {"Accept": "text/event-stream"}),
        "rows": ("GET", f"/v1/datasets/{dataset}/rows", None, {}), "a dataset": ("GET", f"/v1/datasets/{dataset}", None, {}),
        "the page": ("GET", "/", None, {"Accept-Encoding": "gzip"}), "layers": ("GET", "/v1/layers", None, {}),
        "OpenAPI": ("GET", "/v1/openapi.json", None, {"Accept-Encoding": "gzip"}),
        "weights": ("GET", f"/v1/models/{model}/weights", None, {}),
        "a prediction": ("POST", f"/v1/models/{model}/predict", {"inputs": [[5.1, 3.5, 1.4, 0.2]]}, {}),
        "an evaluation": ("POST", f"/v1/models/{model}/evaluate", {"dataset": dataset}, {}),
        "a text": ("POST", f"/v1/models/{language_model}/generate", {"prompt": "ab", "max_tokens": 5, "seed": 1}, {}),
        "a trace": ("POST", "/v1/trace", trace, json_type),
        "a gradient check": ("POST", "/v1/gradcheck", small_job(), {}),
        "a dry run": ("POST", "/v1/jobs?dry_run=true", small_job(), {}),
        "a refusal": ("POST", "/v1/jobs", {"model": {"layers": [{"type": "dens"}]}, "dataset": 5, "colour": 1}, {}),
        "no JSON": ("POST", "/v1/jobs", b'{"a": [1, {"b": tru}]}', json_type),
        "a dataset of rows": ("POST", "/v1/datasets", XOR, {}),
        "a dataset of texts": ("POST", "/v1/datasets", {"texts": ["a b", "c d", "a d"], "targets": ["x", "y", "x"]}, {}),
        "a dataset of a graph": ("POST", "/v1/datasets", graph, {}),
        "a dataset of a series": ("POST", "/v1/datasets", {"series": [[n % 7, n] for n in range(40)], "window": 4}, {}),
        "a dataset of CSV": ("POST", "/v1/datasets?target=species", csv, {"Content-Type": "text/csv"}),
        "a dataset of lines": ("POST", "/v1/datasets", lines, {"Content-Type": "application/x-ndjson"}),
        "a job, once": ("POST", "/v1/jobs", small_job(dataset=None), {"Idempotency-Key": "KEY"}),
    }


def check_memory_answer(server, name, request, answer, wanted):
    """Why an answer under a fault is wrong; None where it is right."""
    if answer is None or answer.status >= 500:
        return None
    if answer.status != wanted.status:
        return f"{answer.status} instead of {wanted.status}"
    if answer.status in (201, 202) and answer.headers["Location"]:
        there = server.get(answer.headers["Location"])
        return None if there.status == 200 else f"acknowledged, but {there}"
    # Predictions of one row again and again: sooner or later a note on drift comes beside them, in a language.
    noted = {"Content-Language", "Vary"} if name == "a prediction" else set()
    missing = set(wanted.headers.keys()) - {"Content-Encoding"} - noted - set(answer.headers.keys())
    if missing:
        return f"headers are missing: {missing}"
    # A stream may break off, but not end as if it were whole; its reader would come back for the rest.
    if name == "events":
        return None if wanted.body.startswith(answer.body) else "other events"
    bodies = [gzip.decompress(one.body) if one.headers["Content-Encoding"] == "gzip" else one.body for one in (answer, wanted)]
    bodies = [re.sub(rb'(ds|job|mdl)_[0-9A-Za-z]+|"estimated_seconds":[\d.e-]+', b"", body) for body in bodies]
    if noted:
        bodies = [{key: value for key, value in json.loads(body).items() if key != "drift"} for body in bodies]
    return None if bodies[0] == bodies[1] else f"another body: {answer.body[:200]}"


def sweep(server, faults, name, request, every, failures):
    """Fails the nth allocation for every n. How many failed."""
    method, path, body, headers = request
    number = 0

    def once():
        nonlocal number
        number += 1
        fresh = {key: f"{value}-{time.monotonic_ns()}" if value == "KEY" else value for key, value in headers.items()}
        return ask(server, method, path, body, fresh)

    once()
    wanted = once()
    nth = 1
    while True:
        faults.set("memory_fired", 0)
        faults.set("memory_countdown", nth)
        answer = once()
        faults.set("memory_countdown", 0)
        if server.process.poll() is not None:
            failures.append(f"{name}, allocation {nth}: the server ended with {server.process.returncode}: {server.log_text()[-600:]}")
            server.log.close()
            server.start()
            once()
        why = check_memory_answer(server, name, request, answer, wanted)
        if why:
            failures.append(f"{name}, allocation {nth}: {why}")
            print(failures[-1], flush=True)
        if not faults.get("memory_fired"):
            return nth - 1
        nth += every


def memory(every, only=""):
    failures, failed = [], 0
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        faults = Faults(folder)
        with Server("--workers", "1", environment=faults.environment) as server:
            model, job, dataset, _ = iris(server)
            text = {"dataset": {"text": "abcde" * 40, "tokenizer": "char"}, "training": {"steps": 3, "sequence_length": 5},
                    "model": {"layers": [{"type": "embedding", "units": 3}, {"type": "lstm", "units": 3, "return_sequences": True},
                                         {"type": "dense", "units": 5}]}}
            language_model = server.wait(server.submit(text))["model"]
            requests = requests_of_memory(model, job, dataset, language_model)
            small = server.post("/v1/datasets", XOR).json["id"]
            requests["a job, once"][2]["dataset"] = small
            lost = {}
            for name, request in requests.items():
                if only not in name:
                    continue
                # The first round fills what is kept (readers, statements, caches); what the later ones add is lost.
                lives, seen = [], 0
                for _ in range(4 if every == 1 else 3):
                    seen = sweep(server, faults, name, request, every, failures)
                    lives.append(faults.settled_live())
                    failed += seen
                growth = [after - before for before, after in zip(lives[1:], lives[2:])]
                # What stores something lets the database grow, and with it the pages that SQLite keeps.
                kept = 16 if name == "events" else 0  # batches that are kept for other viewers, one a second until there are so many
                if all(more > 0 for more in growth) and len(growth) > 1 and sum(growth) > kept and not name.startswith(("a dataset of", "a job, once")):
                    lost[name] = growth
                print(f"memory: {name}: {seen} allocations, blocks {lives}", flush=True)
            failures += [f"{name}: blocks are lost: {growth}" for name, growth in lost.items()]
            for item in server.get("/v1/jobs?limit=500").json["items"]:
                ended = server.wait(item["id"], 1800)  # the newest first: there may be thousands before it
                if ended["status"] != "succeeded":
                    failures.append(f"{item['id']}: {ended['status']}: {ended['error']}")
            if server.stop() != 0:
                failures.append("SIGTERM did not end in 0")
            if integrity(server) != "ok":
                failures.append("integrity_check")
    return failures, f"memory: {failed} allocations failed in {len(requests)} kinds of request"


# ---- files ----

def files(every):
    failures, failed, ended = [], 0, 0
    large = {"inputs": [[n / 7] * 40 for n in range(1000)], "targets": [n % 2 for n in range(1000)]}  # spills to the disk
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        faults = Faults(folder)
        with Server("--workers", "1", environment=faults.environment) as server:
            model, _, _, prediction = iris(server)
            small = server.post("/v1/datasets", XOR).json["id"]
            requests = {
                "a dataset": ("POST", "/v1/datasets", XOR), "a spilled body": ("POST", "/v1/datasets", large),
                "a job": ("POST", "/v1/jobs", small_job(small)), "weights": ("GET", f"/v1/models/{model}/weights", None),
                "a forgotten one": ("DELETE", None, None)}
            acknowledged, gone = {}, set()
            for code in (ENOSPC, EIO):
                for name, (method, path, body) in requests.items():
                    nth = 1
                    while True:
                        target = path
                        if method == "DELETE":
                            target = "/v1/datasets/" + server.post("/v1/datasets", XOR).json["id"]
                        faults.set("file_errno", code)
                        faults.set("file_fired", 0)
                        faults.set("file_countdown", nth)
                        answer = ask(server, method, target, body)
                        faults.set("file_countdown", 0)
                        fired = faults.get("file_fired")
                        failed += fired
                        where = f"{name}, call {nth}, errno {code}"
                        if answer is not None and answer.status in (201, 202):
                            acknowledged[answer.headers["Location"]] = where
                        elif answer is not None and answer.status == 204:
                            gone.add(target)
                        elif answer is not None and answer.status not in (200, 500, 503):
                            failures.append(f"{where}: {answer}")
                        if answer is not None and answer.status == 200 and not answer.body:
                            failures.append(f"{where}: an empty 200")
                        time.sleep(0.02)
                        again = ask(server, "POST", f"/v1/models/{model}/predict", {"inputs": [[5.1, 3.5, 1.4, 0.2]]})
                        if again is not None and (again.status != 200 or outputs(again) != prediction):
                            failures.append(f"{where}: then a prediction: {again}")
                        if "failed" in server.log_text()[-2000:] or again is None or answer is not None and answer.status == 500:
                            try:
                                status = server.process.wait(timeout=3)
                            except subprocess.TimeoutExpired:
                                status = None  # it took the fault as one of this request alone
                            if status is not None:
                                ended += 1
                                if status != 1:
                                    failures.append(f"{where}: the server ended with {status}")
                                server.log.close()
                                os.truncate(os.path.join(server.folder, "server.log"), 0)
                                server.start()
                        if not fired:
                            break
                        nth += every
                    print(f"files: {name}, errno {code}: {nth - 1} calls, the server ended {ended} times so far", flush=True)
            server.stop()
            server.start()
            for location, where in acknowledged.items():
                if server.get(location).status != 200:
                    failures.append(f"{where}: acknowledged, and gone")
                if "/jobs/" in location and server.wait(location.split("/")[-1])["status"] != "succeeded":
                    failures.append(f"{where}: the job did not succeed")
            failures += [f"{path}: forgotten, and back" for path in gone if server.get(path).status != 404]
            failures += drain_on_full_disk(server, faults)
            if server.stop() != 0 or integrity(server) != "ok":
                failures.append("integrity_check, or SIGTERM did not end in 0")
    return failures, f"files: {failed} calls failed, {len(acknowledged)} acknowledgements held, the server ended itself {ended} times"


def drain_on_full_disk(server, faults):
    """SIGTERM while no job's end, nor anything else, can be stored: it ends in time all the same, and the job goes on at the next start."""
    failures = []
    job = example("digits", dataset=server.upload("digits", "digit"), threads=1)
    job["training"].update(epochs=300, checkpoint_seconds=0.1)
    running = server.submit(job)
    server.wait_for(running, lambda state: state["progress"] and state["progress"]["epoch"] >= 1)
    faults.set("file_errno", ENOSPC)
    faults.set("file_always", 1)
    time.sleep(1)
    begin = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    try:
        status = server.process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        status = "not at all"
        server.process.kill()
        server.process.wait()
    took = time.monotonic() - begin
    faults.set("file_always", 0)
    server.log.close()
    if status != 0 or took > 10:
        failures.append(f"on a full disk SIGTERM ends it after {took:.1f} s, with {status}")
    server.start()
    ended = server.wait(running, 600)
    if ended["status"] != "succeeded" or ended["interruption"]:
        failures.append(f"on a full disk drained, the job is {ended['status']}: {ended['error']}, {ended['interruption']}")
    return failures


# ---- a full disk ----

def tmpfs(folder, megabytes):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, f"size={megabytes}m,mode=0700".encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount")


def fill(path, leave):
    """A file that takes all but `leave` bytes."""
    room = os.statvfs(os.path.dirname(path))
    try:
        with open(path, "wb", buffering=0) as file:
            for _ in range(max(0, room.f_bavail * room.f_frsize - leave) // 4096):
                file.write(bytes(4096))
    except OSError:
        pass


def full(every):
    if "TORTURE_MOUNTS" not in os.environ:  # again, where we may mount
        flags = ["-m"] if os.geteuid() == 0 else ["-U", "-r", "-m"]
        run = subprocess.run(["unshare", *flags, sys.executable, os.path.abspath(__file__), "full", "--every", str(every)],
                             env={**os.environ, "TORTURE_MOUNTS": "1"}, check=False)
        return ([] if run.returncode == 0 else ["full: see above"]), "full: above"
    failures, refused, rounds, unready = [], {}, max(1, 12 // every), 0
    chance = random.Random(1)
    folder = tempfile.mkdtemp(prefix="full-disk-")
    tmpfs(folder, 64)
    server = Server("--workers", "1", folder=folder)
    try:
        server.start()
        model, _, _, prediction = iris(server)
        digits = server.upload("digits", "digit")
        job = example("digits", dataset=digits, threads=1)
        job["training"].update(epochs=60, checkpoint_seconds=0.1)
        alone = server.wait(server.submit(job))
        wanted = server.get(f"/v1/models/{alone['model']}").json["sha256"]
        short = {**job, "name": "short", "training": {**job["training"], "epochs": 1}}
        acknowledged, ballast = [], os.path.join(folder, "ballast")
        for number in range(rounds):
            running = server.submit(job)
            acknowledged.append(f"/v1/jobs/{running}")
            fill(ballast, [0, 4096, 40 << 10, 1 << 20][number % 4])
            until, queued = time.monotonic() + 3, 0
            while time.monotonic() < until:
                body = {"inputs": [[chance.random()] * 30 for _ in range(200)], "targets": [0, 1] * 100}
                for path, what in (("/v1/datasets", body), ("/v1/jobs", short)):
                    if what is short and queued == 40:  # it has room for some, in its log as it is
                        continue
                    answer = server.post(path, what)
                    queued += what is short and answer.status == 202
                    if answer.status in (201, 202):
                        acknowledged.append(answer.headers["Location"])
                    elif answer.status == 503 and "disk is full" in answer.json["detail"] and answer.headers["Retry-After"]:
                        refused[path] = refused.get(path, 0) + 1
                    else:
                        failures.append(f"round {number}: {path}: {answer}")
                if outputs(predict(server, model)) != prediction:
                    failures.append(f"round {number}: another prediction")
                unready += server.get("/readyz").status == 503
            if os.path.exists(ballast):
                os.remove(ballast)
            ended = server.wait(running, 600)
            if ended["status"] != "succeeded":
                failures.append(f"round {number}: {ended['error']}")
            elif server.get(f"/v1/models/{ended['model']}").json["sha256"] != wanted:
                failures.append(f"round {number}: other weights")
            if server.get("/readyz").status != 200 or server.post("/v1/datasets", XOR).status != 201:
                failures.append(f"round {number}: it does not recover: {server.get('/readyz')}")
            for path in acknowledged:
                if server.get(path).status != 200:
                    failures.append(f"round {number}: {path} was acknowledged, and is gone")
                elif "/jobs/" in path and (ended := server.wait(path.split("/")[-1]))["status"] != "succeeded":
                    failures.append(f"round {number}: {path}: {ended['error']}")
            for path in acknowledged:  # room for the next round
                state = server.get(path).json
                if state.get("model"):
                    server.delete(f"/v1/models/{state['model']}")
                server.delete(path)
            acknowledged = []
        if server.stop() != 0 or integrity(server) != "ok":
            failures.append("integrity_check, or SIGTERM did not end in 0")
        if len(refused) < 2 or not unready:
            failures.append(f"the disk never was full: refused were {refused}, not ready it was {unready} times")
    finally:
        server.finish()
        ctypes.CDLL(None).umount2(folder.encode(), 2)  # MNT_DETACH: whoever still looks may look
        os.rmdir(folder)
    return failures, f"full: {rounds} times full, {refused} requests refused with 503, {unready} times not ready"


# ---- hungry jobs ----

def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Rss:"))


def hungry(every):
    failures, jobs = [], max(3, 100 // every)
    with Server("--workers", "1") as server:
        dataset = server.post("/v1/datasets", XOR).json["id"]
        job = small_job(dataset)
        wide = {"type": "dense", "units": 6000, "activation": "tanh"}
        job["model"]["layers"] = [wide, wide, {"type": "dense", "units": 2}]  # 36 million weights: 576 MB with Adam's memory
        job["training"]["optimizer"] = "adam"
        job["threads"] = 1
        server.wait(server.submit(small_job(dataset)))
        # The workers inherit it.
        resource.prlimit(server.process.pid, resource.RLIMIT_DATA, (320 << 20, 320 << 20))
        before = None
        for number in range(jobs):
            ended = server.wait(server.submit(job))
            code = (ended["error"] or {}).get("code")
            if ended["status"] != "failed" or code != "out_of_memory" or ended["attempt"] != 1:
                failures.append(f"job {number}: {ended['status']}: {ended['error']}")
            if number == 2:  # by then it has what it keeps
                before = resident(server.process.pid)
        after = resident(server.process.pid)
        if server.wait(server.submit(small_job(dataset)))["status"] != "succeeded":
            failures.append("a modest job after them did not succeed")
        if after - before > 2048:
            failures.append(f"the server grew from {before} to {after} KiB")
        server.stop()
    return failures, f"hungry: {jobs} jobs, the server's memory went from {before} to {after} KiB"


# ---- damage ----

def damaged(path, chance, count):
    """Yields as often with the file flipped at a byte, or cut; whole again afterwards."""
    with open(path, "rb") as file:
        whole = file.read()
    for number in range(count):
        with open(path, "wb") as file:
            if number % 3 == 2:
                file.write(whole[:chance.randrange(len(whole))])
            else:
                at = chance.randrange(len(whole))
                file.write(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1:])
        yield number
    with open(path, "wb") as file:
        file.write(whole)


def damage(every):
    failures, chance, count = [], random.Random(2), max(3, 60 // every)
    with Server("--workers", "1") as server:
        model, _, dataset, prediction = iris(server)
        job = example("iris", dataset=dataset, training={"epochs": 2})
        for number in damaged(os.path.join(server.folder, "datasets", dataset + ".bpa"), chance, count):
            answer = server.post("/v1/jobs", job)
            if answer.status == 202:
                ended = server.wait(answer.json["id"])
                if ended["status"] != "failed" or ended["error"]["code"] != "damaged":
                    failures.append(f"dataset, {number}: {ended['status']}: {ended['error']}")
            elif answer.status < 500:
                failures.append(f"dataset, {number}: {answer}")
            for path, body in ((f"/v1/models/{model}/evaluate", {"dataset": dataset}), ("/v1/gradcheck", job)):
                if server.post(path, body).status < 500:
                    failures.append(f"dataset, {number}: {path} takes it")
        if server.wait(server.submit(job))["status"] != "succeeded":
            failures.append("the whole dataset is refused")
        for number in damaged(os.path.join(server.folder, "models", model + ".bpa"), chance, count):
            server.stop()  # it keeps models that it has loaded
            server.start()
            for answer in (predict(server, model), server.get(f"/v1/models/{model}/weights"),
                           server.post(f"/v1/models/{model}/evaluate", {"dataset": dataset})):
                if answer.status < 500:
                    failures.append(f"model, {number}: {answer}")
        server.stop()
        server.start()
        if outputs(predict(server, model)) != prediction:
            failures.append("the whole model predicts otherwise")
        failures += damage_checkpoints(server, chance, max(2, count // 4))
        server.stop()
    return failures, f"damage: {count} of a dataset, {count} of a model, {max(2, count // 4)} of checkpoints"


def damage_checkpoints(server, chance, count):
    """The newer checkpoint of a stopped job damaged, then both: the older one, or the beginning, leads to the same bits."""
    failures = []
    job = example("digits", dataset=server.upload("digits", "digit"), threads=1)
    job["training"].update(epochs=40, checkpoint_seconds=0.05)
    alone = server.wait(server.submit(job))
    wanted = server.get(f"/v1/models/{alone['model']}").json["sha256"]
    for number in range(count):
        torn = server.submit(job)
        server.wait_for(torn, lambda state: state["progress"] and state["progress"]["epoch"] >= 10)
        server.kill()
        paths = [os.path.join(server.folder, "checkpoints", f"{torn}.{letter}") for letter in "ab"]
        paths = sorted((path for path in paths if os.path.exists(path)), key=os.path.getmtime)
        for path in paths[-1 - number % 2:]:
            next(damaged(path, chance, 1))
        server.start()
        ended = server.wait(torn)
        if ended["status"] != "succeeded" or server.get(f"/v1/models/{ended['model']}").json["sha256"] != wanted:
            failures.append(f"checkpoint, {number}: {ended['status']}: {ended['error']}, or other weights")
    return failures


PARTS = {"memory": memory, "files": files, "full": full, "hungry": hungry, "damage": damage}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds of request whose name has this in it (memory)")
    options = parser.parse_args()
    status = 0
    for name in options.parts or PARTS:
        begin = time.monotonic()
        more = (options.only,) if name == "memory" else ()
        failures, told = PARTS[name](options.every, *more)
        print("\n".join(failures[:50]))
        print(f"{told}; {len(failures)} failures; {time.monotonic() - begin:.0f} s", flush=True)
        status = status or (1 if failures else 0)
    return status


if __name__ == "__main__":
    sys.exit(main())

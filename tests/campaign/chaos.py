"""kill -9 of the server and of its workers, again and again, while clients submit; then everything acknowledged is accounted for.

    chaos.py [--kills 200] [--seed 1]

P1: what was acknowledged survives. A client keeps a ledger of every 201 and 202; in the end each of those jobs has succeeded
once, with one model and one `end`, each dataset is there whole, nothing is there twice, and `PRAGMA integrity_check` says ok.
Idempotency keys make a retry after a cut connection safe: what was accepted without its answer arriving is not doubled.

P2: a resumed run ends in the same bits. Each kind of job below ran once in a server that was left alone: the SHA-256 of its weights,
and every recorded loss, metric, gradient norm and finding, must come again from each of the killed ones. (Samples a second are no result.)

A worker is killed only when its job has gone on since its last death: three deaths at one step are meant to fail a job.
`kill -9` leaves the page cache whole, so this is no test of a power loss.
"""
import argparse
import http.client
import os
import random
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from harness import Server, example  # noqa: E402

WAITING_MOST = 4  # jobs that wait or run at a time


def layer(name, /, **more):
    return {"type": name, **more}


def corpus(chance):
    return {"text": "".join(chance.choice(["the ", "cat ", "sat ", "on ", "a ", "mat. "]) for _ in range(900)), "tokenizer": "char"}


def job_kinds(server):
    """What is trained: two to four seconds each, and everything that draws or remembers in one of them."""
    digits = server.upload("digits", "digit")
    text = server.post("/v1/datasets", corpus(random.Random(1))).json["id"]
    dense = example("digits", dataset=digits, threads=1)
    dense["training"].update(epochs=200, checkpoint_seconds=0.2)
    every = example("digits", dataset=digits, threads=1)
    every["model"] = {"layers": [*every["model"]["layers"][:-1], layer("batch_norm"), layer("dropout", rate=0.2),
                                 every["model"]["layers"][-1]]}
    every["training"].update(epochs=120, checkpoint_seconds=0.2, augment=["noise"], clip_norm=1, optimizer="adam",
                             schedule={"type": "plateau", "patience": 1, "factor": 0.7}, early_stopping={"patience": 1000})
    recurrent = {"dataset": text, "threads": 1, "model": {"layers": [
        layer("embedding", units=8), layer("lstm", units=24, return_sequences=True), layer("dropout", rate=0.2),
        layer("dense", units=11)]}, "training": {"epochs": 250, "batch_size": 8, "sequence_length": 16, "seed": 4,
                                                 "checkpoint_seconds": 0.2, "optimizer": "adam"}}
    return [dense, every, recurrent]


def but_speed(series):
    return {name: values for name, values in (series or {}).items() if name != "samples_per_second"}


def result_of(server, job):
    """Everything that was measured in a job but how fast it went; None and why where it did not succeed."""
    ended = server.wait(job, 600)
    if ended["status"] != "succeeded":
        return None, f"{job}: {ended['status']}: {ended['error']}"
    return {
        "sha256": server.get(f"/v1/models/{ended['model']}").json["sha256"],
        "last": but_speed(ended["metrics"]), "best": but_speed(ended["best"]), "diagnosis": ended["diagnosis"],
        "metrics": but_speed(server.get(f"/v1/jobs/{job}/metrics?points=all").json["series"]),
        "gradients": server.get(f"/v1/jobs/{job}/gradients?points=all").json,
    }, ended


class Client:
    """Submits with idempotency keys and remembers what was acknowledged."""

    def __init__(self, server, kinds):
        self.server, self.kinds = server, kinds
        self.jobs, self.datasets = {}, {}  # id → kind; id → rows
        self.job_key = self.dataset_key = 0
        self.cut = 0  # requests without an answer

    def post(self, path, body, key, status):
        try:
            answer = self.server.post(path, body, headers={"Idempotency-Key": key}, timeout=20)
        except (OSError, http.client.HTTPException):
            self.cut += 1
            return None
        if answer.status == status:
            return answer.json["id"]
        if answer.status not in (409, 503):
            raise AssertionError(f"{key}: {answer}")
        return None

    def submit(self):
        kind = self.job_key % len(self.kinds)
        accepted = self.post("/v1/jobs", {**self.kinds[kind], "name": f"job-{self.job_key}"}, f"job-{self.job_key}", 202)
        if accepted:
            self.jobs[accepted] = kind
            self.job_key += 1

    def upload(self):
        rows = 2 + self.dataset_key % 50
        body = {"name": f"rows-{self.dataset_key}", "inputs": [[n, -n] for n in range(rows)], "targets": [n % 2 for n in range(rows)]}
        accepted = self.post("/v1/datasets", body, f"rows-{self.dataset_key}", 201)
        if accepted:
            self.datasets[accepted] = rows
            self.dataset_key += 1

    def unfinished(self):
        return sum(len(self.server.get(f"/v1/jobs?status={status}&limit=500").json["items"])
                   for status in ("queued", "running"))


def kill_worker(server, last_deaths):
    """Kills one whose job has gone on since its last death; False where there is none such."""
    for job in server.get("/v1/jobs?status=running").json["items"]:
        step = (job["progress"] or {}).get("step", 0)
        pid = server.worker_of(job["id"], job["attempt"])
        if pid in server.workers() and step > last_deaths.get(job["id"], 0):
            last_deaths[job["id"]] = step
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def killing(server, client, kills, chance):
    """The campaign itself: how many of each were killed, and the slowest start."""
    killed, last_deaths, slowest = {"server": 0, "worker": 0}, {}, 0.0
    while sum(killed.values()) < kills:
        deadline = time.monotonic() + chance.uniform(0.02, 1.0)
        while time.monotonic() < deadline:
            if chance.random() < 0.3:
                client.upload()
            elif client.unfinished() < WAITING_MOST:
                client.submit()
            time.sleep(0.01)
        if chance.random() < 0.5:
            if kill_worker(server, last_deaths):
                killed["worker"] += 1
            continue
        # In the middle of a request, as often as not.
        server.kill_after(chance.uniform(0, 0.01))
        if chance.random() < 0.5:
            client.submit()
        else:
            client.upload()
        server.killed()
        server.start()
        killed["server"] += 1
        slowest = max(slowest, server.start_seconds)
        print(f"{sum(killed.values())} kills: {len(client.jobs)} jobs and {len(client.datasets)} datasets acknowledged, "
              f"{client.cut} requests cut, ready again in {server.start_seconds * 1000:.0f} ms", flush=True)
    return killed, slowest


def check(server, client, wanted, uploads_before):
    failures = []
    for job, kind in client.jobs.items():
        result, ended = result_of(server, job)
        if result is None:
            failures.append(ended)
            continue
        steps = result["metrics"]["train_loss"]["step"]
        if steps != list(range(1, ended["plan"]["steps"] + 1)):
            failures.append(f"{job}: steps are missing or doubled")
        failures += [f"{job}: {part} differ from those of the run left alone" for part in result
                     if result[part] != wanted[kind][part]]
        names = [name for _, name, _ in server.events(job)]
        if names.count("end") != 1:
            failures.append(f"{job}: {names.count('end')} ends")
    for dataset, rows in client.datasets.items():
        answer = server.get(f"/v1/datasets/{dataset}/rows?limit=100")
        if answer.status != 200 or [item["input"] for item in answer.json["items"]] != [[n, -n] for n in range(rows)]:
            failures.append(f"{dataset}: {answer}")
    for what, known in (("jobs", client.jobs), ("models", client.jobs), ("datasets", {**client.datasets, **uploads_before})):
        found, path = [], f"/v1/{what}?limit=500"
        while path:
            page = server.get(path).json
            found += page["items"]
            path = f"/v1/{what}?limit=500&cursor={page['next']}" if page["next"] else None
        if len(found) != len(known) or len({item["id"] for item in found}) != len(found):
            failures.append(f"{what}: {len(known)} acknowledged, {len(found)} there")
    return failures


class Killed(Server):
    def kill_after(self, seconds):
        """kill -9 from a process of its own, so that it falls into a request of ours."""
        pid = self.process.pid
        self.killer = os.fork()
        if self.killer == 0:
            time.sleep(seconds)
            os.kill(pid, signal.SIGKILL)
            os._exit(0)

    def killed(self):
        os.waitpid(self.killer, 0)
        self.process.wait()
        self.log.close()


def campaign(kills, seed, kinds_count=3):
    """What went wrong, as lines, and one line of what was done; with the last so many kinds of job."""
    with Server("--workers", "2") as alone:
        kinds = job_kinds(alone)[-kinds_count:]
        wanted = []
        for job in kinds:
            result, ended = result_of(alone, alone.submit(job))
            assert result is not None, ended
            wanted.append(result)
    with Killed("--workers", "2") as server:
        client = Client(server, job_kinds(server)[-kinds_count:])
        uploads_before = {item["id"]: None for item in server.get("/v1/datasets").json["items"]}
        killed, slowest = killing(server, client, kills, random.Random(seed))
        for _ in range(kinds_count):  # a kind that had no turn yet
            client.submit()
        failures = check(server, client, wanted, uploads_before)
        if server.stop() != 0:
            failures.append("SIGTERM did not end in 0")
        with sqlite3.connect(os.path.join(server.folder, "backpropd.db")) as database:
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            failures.append(f"integrity_check: {verdict}")
    return failures, (f"{killed['server']} kills of the server and {killed['worker']} of a worker; {len(client.jobs)} jobs and "
                      f"{len(client.datasets)} datasets acknowledged; {client.cut} requests cut; slowest start {slowest * 1000:.0f} ms; "
                      f"{len(failures)} failures")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failures, told = campaign(options.kills, options.seed)
    print("\n".join(failures) or "every acknowledged job and dataset is there once, with the same bits; integrity_check ok")
    print(told)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""Everything a client does, over and over from many threads, for the campaigns: race, soak.

    with Workload(server, threads=6) as load: time.sleep(60)
    load.mistakes, load.counts

Each thread picks an act at random: submit, watch, cancel, forget, predict, evaluate, continue a text, upload in every form, read every
list and series, be refused. What it makes it also forgets, so that a server under it stands still in size.
"""
import http.client
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from harness import ROOT, XOR, example, small_job  # noqa: E402
from test_gradcheck import CORPUS, JOBS, TEXTS  # noqa: E402

KEPT = 12  # jobs, and models, that stay before the oldest are forgotten
JSON_HEADER = {"Content-Type": "application/json"}
REFUSED = ('{"name": }', '{"a": 1e999}', '{"a": 1, "a": 2}', "[" * 100, '{"dataset": 1}', "\x00", '{"name": "\\ud800"}')


class Workload:
    def __init__(self, server, threads=6, seed=1, tolerated=()):
        self.server, self.tolerated = server, tolerated
        self.stopping = threading.Event()
        self.lock = threading.Lock()  # guards the two below
        self.counts, self.mistakes = {}, []
        self.threads = [threading.Thread(target=self.run, args=(seed * 1000 + n,)) for n in range(threads)]
        self.acts = [self.submit, self.submit, self.watch, self.cancel, self.forget, self.predict, self.predict, self.evaluate,
                     self.generate, self.upload, self.read, self.read, self.refused, self.calculate, self.hang_up]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self, seed):
        chance = random.Random(seed)
        while not self.stopping.is_set():
            act = chance.choice(self.acts)
            try:
                act(chance)
                mistake = None
            except AssertionError as error:
                mistake = f"{act.__name__}: {error}"
            except (OSError, http.client.HTTPException) as error:
                mistake = None if "connection" in self.tolerated else f"{act.__name__}: {error!r}"
            with self.lock:
                self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1
                if mistake:
                    self.mistakes.append(mistake)

    def expect(self, answer, *statuses):
        assert answer.status in statuses or answer.status in self.tolerated, answer
        return answer

    def items(self, path):
        answer = self.expect(self.server.get(path), 200)
        return answer.json["items"] if answer.status == 200 else []

    # ---- acts ----

    def submit(self, chance):
        if len(self.items("/v1/jobs?status=queued&limit=500")) > 4:
            time.sleep(0.05)
            return
        dataset, layers, training = chance.choice(list(JOBS.values()))
        job = {"dataset": dataset, "model": {"layers": layers}, "threads": chance.randint(1, 2),
               "training": {"epochs": chance.choice([2, 40]), "batch_size": 8, "checkpoint_seconds": 0.05, **training}}
        headers = {"Idempotency-Key": f"key-{chance.random()}"} if chance.random() < 0.5 else {}
        answer = self.expect(self.server.post("/v1/jobs", job, headers=headers), 202)
        if headers and answer.status == 202:
            again = self.server.post("/v1/jobs", job, headers=headers)
            assert again.status in self.tolerated or again.json["id"] == answer.json["id"], again

    def watch(self, chance):
        jobs = self.items("/v1/jobs?limit=20")
        if not jobs:
            return
        job = chance.choice(jobs)["id"]
        seen, most = [], chance.randint(1, 60)
        for after in (None, "last"):  # leave in the middle, come back for the rest
            try:
                events = self.server.events(job, after=seen[-1] if after and seen else None,
                                            until=lambda event: after is None and len(seen) >= most or seen.append(event[0]))
            except (AssertionError, IndexError):
                return  # forgotten meanwhile
            if after is None and events and events[-1][1] == "end":
                break
        assert seen == sorted(set(seen)), f"{job}: events out of order or doubled: {seen}"

    def cancel(self, chance):
        jobs = self.items("/v1/jobs?limit=20")
        if jobs and chance.random() < 0.3:
            self.expect(self.server.post(f"/v1/jobs/{chance.choice(jobs)['id']}/cancel"), 202, 404, 409)

    def forget(self, _):
        jobs = [job for job in self.items("/v1/jobs?limit=500") if job["finished_at"]]
        for job in jobs[KEPT:]:
            self.expect(self.server.delete(f"/v1/jobs/{job['id']}"), 204, 404, 409)
        for what in ("models", "datasets"):
            for item in self.items(f"/v1/{what}?limit=500")[KEPT * 2:]:
                self.expect(self.server.delete(f"/v1/{what}/{item['id']}"), 204, 404, 409)

    def model(self, chance):
        models = self.items("/v1/models?limit=20")
        return chance.choice(models) if models else None

    def predict(self, chance):
        model = self.model(chance)
        if model is None:
            return
        shape, row = model["input_shape"], chance.random()
        for size in reversed(shape if all(shape) else [2]):
            row = [row] * size
        texts = {"texts": TEXTS["texts"][:chance.randint(1, 6)]}
        body = texts if chance.random() < 0.3 else {"inputs": [row] * chance.choice([1, 3, 300])}
        self.expect(self.server.post(f"/v1/models/{model['id']}/predict", body), 200, 404, 413, 422)
        if chance.random() < 0.2:
            self.expect(self.server.get(f"/v1/models/{model['id']}/weights"), 200, 404)

    def evaluate(self, chance):
        model, datasets = self.model(chance), self.items("/v1/datasets?limit=20")
        if model and datasets:
            self.expect(self.server.post(f"/v1/models/{model['id']}/evaluate", {"dataset": chance.choice(datasets)["id"]}),
                        200, 404, 409, 422)

    def generate(self, chance):
        model = self.model(chance)
        if model:
            self.expect(self.server.post(f"/v1/models/{model['id']}/generate",
                                         {"prompt": "to be", "max_tokens": 20, "stream": chance.random() < 0.5}), 200, 404, 409, 422, 503)

    def upload(self, chance):
        kind = chance.randrange(5)
        if kind == 0:
            with open(os.path.join(ROOT, "examples", "iris.csv"), "rb") as file:
                answer = self.server.post("/v1/datasets?target=species", file.read(), headers={"Content-Type": "text/csv"})
        elif kind == 1:
            lines = "\n".join(json.dumps({"input": [n, chance.random()], "target": n % 2}) for n in range(50))
            answer = self.server.post("/v1/datasets", lines, headers={"Content-Type": "application/x-ndjson"})
        elif kind == 2:  # larger than what stays in memory
            rows = [[0.123456789] * 50] * 1000
            answer = self.server.post("/v1/datasets", {"inputs": rows, "targets": [n % 3 for n in range(1000)]})
        else:
            answer = self.server.post("/v1/datasets", chance.choice([XOR, CORPUS, TEXTS]))
        self.expect(answer, 201)

    def read(self, chance):
        paths = ["/", "/healthz", "/readyz", "/v1/layers", "/v1/openapi.json", "/v1/status", "/v1/jobs?status=running", "/v1/datasets",
                 "/v1/models"]
        for job in self.items("/v1/jobs?limit=5"):
            paths += [f"/v1/jobs/{job['id']}{part}" for part in ("", "/metrics", "/metrics?points=all", "/gradients", "/confusion")]
        for dataset in self.items("/v1/datasets?limit=3"):
            paths += [f"/v1/datasets/{dataset['id']}", f"/v1/datasets/{dataset['id']}/rows?limit=3"]
        accept = {"Accept": "text/csv"} if chance.random() < 0.2 else {}
        self.expect(self.server.get(chance.choice(paths), headers={**accept, "Accept-Encoding": chance.choice(["gzip", ""])}),
                    200, 404, 409)

    def refused(self, chance):
        self.expect(self.server.post("/v1/jobs", chance.choice(REFUSED).encode(), headers=JSON_HEADER), 400, 422)

    def calculate(self, chance):
        dataset, layers, training = chance.choice(list(JOBS.values()))
        job = {"dataset": dataset, "model": {"layers": layers}, "training": training}
        if chance.random() < 0.7:
            self.expect(self.server.post("/v1/jobs?dry_run=true", {**small_job(), "name": "dry"}), 200)
        elif chance.random() < 0.5:
            self.expect(self.server.post("/v1/gradcheck", job), 200, 503)
        else:
            with open(os.path.join(ROOT, "examples", "learn", "two_two_one.json"), "rb") as file:
                self.expect(self.server.post("/v1/trace", file.read(), headers=JSON_HEADER), 200)

    def hang_up(self, chance):
        """Sends a part of a request, or all of it, and leaves."""
        body = json.dumps(example("digits", dataset="ds_none")).encode()
        request = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
            len(body), body)
        connection = self.server.connection()
        connection.connect()
        connection.sock.sendall(request[:chance.randrange(len(request) + 1)])
        connection.close()

"""Trains on public datasets as a user would, over HTTP, and holds the results against published ones.

    verify.py [NAME…]     all tasks of tasks.py, or those named; docs/results.md gets their rows

A task is run with seeds 1, 2 and 3 and counts by their mean where one run takes less than two minutes, else with seed 1
alone. Exits 1 where a result misses what it must reach; a task whose data is not here is skipped with a word."""
import argparse
import datetime
import json
import os
import re
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)
from tests.http.harness import Server  # noqa: E402
from tests.verify import data  # noqa: E402
from tests.verify.tasks import TASKS  # noqa: E402

RESULTS = os.path.join(ROOT, "docs", "results.md")
SHORT_RUN = 120  # seconds
SEEDS = (1, 2, 3)

HEAD = """# Results

Trained by `./dev verify` on public datasets over HTTP, one job at a time, and held against published or computed results.
*Must* is what a release has to reach. Seconds are a run's, from its start to its end, evaluation of the test rows included;
with three seeds, the middle one. Each row says when and on which processor it was measured last.

| name | task | model | reference | must | ours | seeds | seconds | measured |
|---|---|---|---|---|---|---|---|---|
"""


class Run:
    """A finished job: its numbers, its dataset's body, and its model's predictions."""

    def __init__(self, server, job, dataset):
        self.server, self.job, self.dataset = server, job, dataset
        self.metrics = job["metrics"]

    def series(self, name):
        answer = self.server.get(f"/v1/jobs/{self.job['id']}/metrics?series={name}&points=all").json
        return answer["series"][name]["value"]

    def gradients(self):
        return self.server.get(f"/v1/jobs/{self.job['id']}/gradients?points=50").json["layers"]

    def predict(self, rows):
        return expect(self.server.post(f"/v1/models/{self.job['model']}/predict", {"inputs": rows}), 200)["predictions"]

    @property
    def seconds(self):
        start, end = (datetime.datetime.fromisoformat(self.job[key].replace("Z", "+00:00"))
                      for key in ("started_at", "finished_at"))
        return (end - start).total_seconds()


def expect(answer, status):
    if answer.status != status:
        raise RuntimeError(f"{answer.status}: {answer.body[:2000].decode(errors='replace')}")
    return answer.json


def train(server, task, dataset_id, dataset, seed):
    body = json.loads(json.dumps(task.job))
    body.update(name=f"{task.name}-{seed}", dataset=dataset_id)
    body["training"]["seed"] = seed
    job = expect(server.post("/v1/jobs", body), 202)
    while job["status"] not in ("succeeded", "failed", "cancelled"):
        job = expect(server.get(f"/v1/jobs/{job['id']}?wait=60"), 200)
    if job["status"] != "succeeded":
        raise RuntimeError(f"the job {job['status']}: {job.get('error')}")
    return Run(server, job, dataset)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return re.search(r"model name\s*: (.*)", info.read())[1]


def row(task, values, seconds):
    mean = sum(values) / len(values)
    ours = f"{mean:.2f} {task.unit}"
    if len(values) > 1:
        ours += " (" + ", ".join(f"{value:.2f}" for value in values) + ")"
    sign = "≥" if task.better == "more" else "≤"
    middle = sorted(seconds)[len(seconds) // 2]
    must = f"{sign} {task.must:g} {task.unit}" + (f", < {task.within} s" if task.within else "")
    return (f"| {task.name} | {task.title} | {task.model} | {task.reference} | {must} | {ours} "
            f"| {len(values)} | {middle:.1f} | {datetime.date.today()}, {os.cpu_count()} × {processor()} |")


def write_rows(rows):
    """Puts the rows into the page, in the tasks' order; those of other tasks stay as they are."""
    known = {}
    if os.path.exists(RESULTS):
        with open(RESULTS, encoding="utf-8") as page:
            for line in page:
                match = re.match(r"\| (\w+) \|", line)
                if match and match[1] in TASKS:
                    known[match[1]] = line.rstrip("\n")
    known.update(rows)
    with open(RESULTS, "w", encoding="utf-8") as page:
        page.write(HEAD + "".join(known[name] + "\n" for name in TASKS if name in known))


def run_task(server, task, datasets):
    """The task's row and whether it reached what it must; None where its data is absent."""
    try:
        body = task.dataset()
    except data.Absent as absent:
        print(f"{task.name}: skipped, {absent}")
        return None
    key = json.dumps(body, sort_keys=True)
    if key not in datasets:
        datasets[key] = expect(server.post("/v1/datasets", body), 201)["id"]
    values, seconds = [], []
    for seed in SEEDS:
        run = train(server, task, datasets[key], body, seed)
        values.append(task.measure(run))
        seconds.append(run.seconds)
        if seconds[0] >= SHORT_RUN:
            break
    reached = task.reached(sum(values) / len(values), max(seconds))
    line = row(task, values, seconds)
    print(f"{'reached' if reached else 'MISSED '} {line}", flush=True)
    write_rows({task.name: line})
    return reached


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TASKS))
    names = parser.parse_args().names or list(TASKS)
    unknown = [name for name in names if name not in TASKS]
    if unknown:
        parser.error(f"there is no task {unknown[0]}; there are {', '.join(TASKS)}")
    begin, missed, datasets = time.monotonic(), [], {}
    with Server("--workers", "1") as server:
        for name in names:
            if run_task(server, TASKS[name], datasets) is False:
                missed.append(name)
    print(f"{len(names)} tasks in {time.monotonic() - begin:.0f} s" + (f"; missed: {', '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

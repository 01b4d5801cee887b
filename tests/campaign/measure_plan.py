"""Whether a job's plan keeps its word: memory_bytes against what its worker really holds, and estimated_seconds against its clock.

    measure_plan.py [--only NAME…] [--json FILE]

For each job of a table: the plan, and the worker's peak (VmHWM) above that of a worker that waits for its job. It fails where
the plan is off by more than 10 % and more than 16 MiB. Seconds are shown beside it: they are an estimate and depend on the
machine, so they only have to be shown.
"""
import argparse
import json
import math
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from harness import BINARY, Server  # noqa: E402

MIB = 1 << 20
SLACK_BYTES, SLACK_SHARE = 16 * MIB, 0.1


def dense(*units, activation="relu"):
    return [{"type": "dense", "units": n, "activation": activation} for n in units[:-1]] + [
        {"type": "dense", "units": units[-1]}]


def job(data, layers, **training):
    return {"dataset": data, "model": {"layers": layers}, "training": {"steps": 100, "seed": 1, **training}}


STOP = {"metric": "val_loss", "patience": 1000, "restore_best": True}
# name: a job whose dataset is a name of DATASETS.
JOBS = {
    "tiny": job("narrow", dense(16, 3), steps=20000),
    "small mlp": job("rows784", dense(128, 10), steps=3000),
    "small mlp, two threads": {**job("rows784", dense(128, 10), steps=3000), "threads": 2},
    "wide": job("rows784", dense(4096, 4096, 10), steps=20),
    "wide, two threads": {**job("rows784", dense(4096, 4096, 10), steps=20), "threads": 2},
    "wide, plain sgd": job("rows784", dense(4096, 4096, 10), steps=20, optimizer="sgd"),
    "wide, early stopping": job("rows784", dense(4096, 4096, 10), steps=20, early_stopping=STOP),
    "deep": job("rows784", dense(*[512] * 20, 10), steps=100, batch_size=256),
    "large batch": job("rows784", dense(1024, 1024, 10), steps=10, batch_size="full"),
    "large batch, two threads": {**job("rows784", dense(1024, 1024, 10), steps=10, batch_size="full"), "threads": 2},
    "evaluation": job("rows784", dense(8192, 10), steps=100, batch_size=1, validation_split=0.5),
    "norms and dropout": job("rows784", [{"type": "dense", "units": 2048, "activation": "gelu"}, {"type": "batch_norm"},
                                         {"type": "dropout", "rate": 0.3}, {"type": "layer_norm"}, *dense(2048, 10)],
                             steps=40, batch_size=512),
    "a large dataset": job("rows3000", dense(32, 10), steps=500),
}


def rows_dataset(width, rows, classes):
    chance = random.Random(width)
    values = [f"{chance.random():.3f}" for _ in range(4096)]
    lines = []
    for i in range(rows):
        row = ",".join(values[(i * 37 + j * 11) % 4096] for j in range(width))
        lines.append(f'{{"input":[{row}],"target":{i % classes}}}')
    return "\n".join(lines) + "\n"


DATASETS = {
    "narrow": lambda: rows_dataset(4, 150, 3),
    "rows784": lambda: rows_dataset(784, 6000, 10),
    "rows3000": lambda: rows_dataset(3000, 20000, 10),
}


def peak_bytes(process):
    """Of a process that lives; None where it is gone."""
    try:
        with open(f"/proc/{process}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def idle_peak():
    """Of a worker whose job has not come."""
    with subprocess.Popen([BINARY, "worker", str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        time.sleep(0.5)
        peak = peak_bytes(worker.pid)
        worker.kill()
    return peak


def run(server, spec):
    """The job as it ended, and its worker's peak."""
    while server.workers():  # the last job's, at its end
        time.sleep(0.01)
    identity = server.submit(spec)
    peak, state = 0, {"status": "queued"}
    while state["status"] in ("queued", "running"):
        for _ in range(20):
            for worker in server.workers():
                peak = max(peak, peak_bytes(worker) or 0)
            time.sleep(0.002)
        state = server.get(f"/v1/jobs/{identity}").json
    assert state["status"] == "succeeded", state
    return state, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--json")
    options = parser.parse_args()
    wrong, found, ratios = [], {}, []
    idle = idle_peak()
    print(f"an idle worker: {idle / MIB:.1f} MiB")
    print(f"{'job':<26} {'plan MiB':>9} {'peak MiB':>9} {'off':>7}   {'plan s':>8} {'real s':>8} {'ratio':>6}")
    with Server("--workers", "1") as server:
        known = {}
        for name, spec in JOBS.items():
            if options.only and name not in options.only:
                continue
            data = spec["dataset"]
            if data not in known:
                answer = server.post(f"/v1/datasets?name={data}", DATASETS[data](),
                                     headers={"Content-Type": "application/x-ndjson"})
                assert answer.status == 201, answer
                known[data] = answer.json["id"]
            begin = time.monotonic()
            state, peak = run(server, {"threads": 1, **spec, "dataset": known[data]})
            plan, real = state["plan"], peak - idle
            seconds = time.monotonic() - begin
            off = plan["memory_bytes"] - real
            ratio = plan["estimated_seconds"] / seconds
            ratios.append(ratio)
            bad = abs(off) > max(SLACK_BYTES, SLACK_SHARE * real)
            if bad:
                wrong.append(name)
            print(f"{name:<26} {plan['memory_bytes'] / MIB:9.1f} {real / MIB:9.1f} {off / MIB:+7.1f}"
                  f" {'!' if bad else ' '} {plan['estimated_seconds']:8.2f} {seconds:8.2f} {ratio:6.2f}", flush=True)
            found[name] = {"plan": plan, "peak": real, "seconds": seconds}
    spread = math.exp(sum(abs(math.log(ratio)) for ratio in ratios) / len(ratios))
    print(f"estimated seconds are off by a factor of {spread:.2f} on average (geometric)")
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump(found, file, indent=1)
    if wrong:
        print("memory beyond the bound: " + ", ".join(wrong))
    return 1 if wrong else 0


sys.exit(main())

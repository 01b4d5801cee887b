"""Whether a job's plan keeps its word: memory_bytes against what its worker really holds, and estimated_seconds against its clock.

    measure_plan.py [--only NAME…] [--json FILE]

For each job of a table: the plan; the worker's peak (VmHWM) above that of a worker that waits for its job; and the processor time
that it took, which on a machine at rest is a job's time times its threads. It fails where the memory is off by more than 10 %
and more than 16 MiB. Seconds are an estimate and depend on the machine: they are shown.
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


def layer(name, /, **more):
    return {"type": name, **more}


def conv(*filters):
    return [part for n in filters for part in (layer("conv2d", filters=n, kernel_size=3, padding="same", activation="relu"),
                                               layer("max_pool2d"))] + [layer("flatten"), *dense(64, 10)]


def blocks(count, **more):
    return [layer("embedding", units=64), layer("positional_embedding"),
            *[layer("transformer_block", heads=4, causal=True, **more) for _ in range(count)]]


# name: a job whose dataset is a name of DATASETS.
JOBS = {
    "tiny": job("narrow", dense(16, 3), steps=20000),
    "small mlp": job("rows784", dense(128, 10), steps=3000),
    "small mlp, two threads": {**job("rows784", dense(128, 10), steps=3000), "threads": 2},
    "wide": job("rows784", dense(4096, 4096, 10), steps=20),
    "wide, two threads": {**job("rows784", dense(4096, 4096, 10), steps=20), "threads": 2},
    "wide, plain sgd": job("rows784", dense(4096, 4096, 10), steps=20, optimizer="sgd"),
    "wide, early stopping": job("rows784", dense(4096, 4096, 10), steps=20, early_stopping=STOP),
    "deep": job("rows784", dense(*[512] * 20, 10), steps=60, batch_size=256),
    "large batch": job("rows784", dense(1024, 1024, 10), steps=10, batch_size="full"),
    "large batch, two threads": {**job("rows784", dense(1024, 1024, 10), steps=10, batch_size="full"), "threads": 2},
    "evaluation": job("rows784", dense(8192, 10), steps=100, batch_size=1, validation_split=0.5),
    "norms and dropout": job("rows784", [layer("dense", units=2048, activation="gelu"), layer("batch_norm"),
                                         layer("dropout", rate=0.3), layer("layer_norm"), *dense(2048, 10)],
                             steps=20, batch_size=512),
    "a large dataset": job("rows3000", dense(32, 10), steps=500),
    "single rows": job("rows784", dense(128, 10), steps=10000, batch_size=1),
    "images": job("images", conv(16, 32), steps=200),
    "images, a large batch": job("images", conv(32, 64), steps=10, batch_size=512),
    "images, two threads": {**job("images", conv(32, 64), steps=10, batch_size=512), "threads": 2},
    "rnn": job("texts", [layer("embedding", units=64), layer("rnn", units=128), *dense(32, 2)], steps=150),
    "gru, both ways": job("texts", [layer("embedding", units=64), layer("gru", units=128, bidirectional=True), *dense(2)],
                          steps=60),
    "lstm language model": job("corpus", [layer("embedding", units=64), layer("lstm", units=256, return_sequences=True),
                                          *dense(60)], steps=40, sequence_length=64),
    "transformer": job("texts", [*blocks(2), layer("global_avg_pool"), *dense(2)], steps=60),
    "transformer language model": job("corpus", [*blocks(4), *dense(60)], steps=40, sequence_length=64),
    "long attention": job("corpus", [*blocks(2), *dense(60)], steps=6, sequence_length=512, batch_size=16),
    "series": job("series", [layer("gru", units=64), *dense(1)], steps=300),
    "one graph": job("graph", [layer("gcn_conv", units=64, activation="relu"), layer("gcn_conv", units=5)], steps=200,
                     batch_size="full"),
    "one sparse graph": job("sparse graph", [layer("dropout", rate=0.5), layer("gat_conv", units=8, heads=8),
                                             layer("gat_conv", units=5)], steps=50, batch_size="full"),
    "many graphs": job("graphs", [layer("gin_conv", units=64, activation="relu"), layer("gin_conv", units=64),
                                  layer("global_avg_pool"), *dense(2)], steps=300),
}


def rows_dataset(width, rows, classes):
    chance = random.Random(width)
    values = [f"{chance.random():.3f}" for _ in range(4096)]
    lines = []
    for i in range(rows):
        row = ",".join(values[(i * 37 + j * 11) % 4096] for j in range(width))
        lines.append(f'{{"input":[{row}],"target":{i % classes}}}')
    return "\n".join(lines) + "\n"


def texts_dataset():
    chance = random.Random(2)
    words = ["".join(chance.choices("abcdefghijklmnop", k=5)) for _ in range(2000)]
    texts = [" ".join(chance.choices(words, k=chance.randint(10, 80))) for _ in range(1500)]
    return json.dumps({"texts": texts, "targets": [str(i % 2) for i in range(len(texts))], "tokenizer": "word"})


def corpus_dataset():
    chance = random.Random(3)
    letters = "".join(chr(code) for code in range(48, 108))
    return json.dumps({"text": letters + "".join(chance.choices(letters, k=200000)), "tokenizer": "char"})


def series_dataset():
    return json.dumps({"series": [[math.sin(i / 7) + math.sin(i / 31)] for i in range(4000)], "window": 48})


def images_dataset():
    chance = random.Random(4)
    rows = [[[[round(chance.random(), 2)] for _ in range(28)] for _ in range(28)] for _ in range(200)]
    return json.dumps({"inputs": [rows[i % 200] for i in range(3000)], "targets": [str(i % 10) for i in range(3000)]})


def random_edges(chance, nodes, count):
    return [list(pair) for pair in {tuple(sorted(chance.sample(range(nodes), 2))) for _ in range(count)}]


def graph_dataset():
    chance = random.Random(5)
    nodes = [[round(chance.random(), 3) for _ in range(128)] for _ in range(3000)]
    return json.dumps({"graph": {"nodes": nodes, "edges": random_edges(chance, 3000, 15000),
                                 "targets": [str(i % 5) for i in range(3000)]}})


def sparse_graph_dataset():
    chance = random.Random(6)
    indices = [[i, j] for i in range(3000) for j in sorted(chance.sample(range(1500), 20))]
    return json.dumps({"graph": {"nodes": {"shape": [3000, 1500], "indices": indices, "values": [1] * len(indices)},
                                 "edges": random_edges(chance, 3000, 8000), "targets": [str(i % 5) for i in range(3000)]}})


def graphs_dataset():
    chance = random.Random(7)
    graphs = []
    for _ in range(600):
        nodes = chance.randint(8, 40)
        graphs.append({"nodes": [[round(chance.random(), 2) for _ in range(16)] for _ in range(nodes)],
                       "edges": random_edges(chance, nodes, 3 * nodes)})
    return json.dumps({"graphs": graphs, "targets": [str(i % 2) for i in range(len(graphs))]})


DATASETS = {
    "graph": graph_dataset,
    "sparse graph": sparse_graph_dataset,
    "graphs": graphs_dataset,
    "narrow": lambda: rows_dataset(4, 150, 3),
    "rows784": lambda: rows_dataset(784, 6000, 10),
    "rows3000": lambda: rows_dataset(3000, 20000, 10),
    "texts": texts_dataset,
    "corpus": corpus_dataset,
    "series": series_dataset,
    "images": images_dataset,
}


def is_worker(process):
    """No longer the copy of the server that it is before it executes itself anew."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as arguments:
            return b"\0worker\0" in arguments.read()
    except (FileNotFoundError, ProcessLookupError):
        return False


def peak_bytes(process):
    """Of a process that lives; 0 where it is gone."""
    try:
        with open(f"/proc/{process}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def processor_seconds(process):
    """Likewise."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def idle_peak():
    """Of a worker whose job has not come."""
    with subprocess.Popen([BINARY, "worker", str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        time.sleep(0.5)
        peak = peak_bytes(worker.pid)
        worker.kill()
    return peak


def run(server, spec):
    """The job as it ended, its worker's peak and its processor seconds."""
    while server.workers():  # the last job's, at its end
        time.sleep(0.01)
    identity = server.submit(spec)
    peak, seconds, state = 0, 0, {"status": "queued"}
    while state["status"] in ("queued", "running"):
        for _ in range(20):
            for worker in filter(is_worker, server.workers()):
                peak, seconds = max(peak, peak_bytes(worker)), max(seconds, processor_seconds(worker))
            time.sleep(0.002)
        state = server.get(f"/v1/jobs/{identity}").json
    assert state["status"] == "succeeded", state
    return state, peak, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--json")
    options = parser.parse_args()
    wrong, found, ratios = [], {}, []
    idle = idle_peak()
    print(f"an idle worker: {idle / MIB:.1f} MiB")
    print(f"{'job':<26} {'plan MiB':>9} {'peak MiB':>9} {'off':>7}   {'plan s':>8} {'took s':>8} {'ratio':>6}")
    with Server("--workers", "1") as server:
        known = {}
        for name, spec in JOBS.items():
            if options.only and name not in options.only:
                continue
            data, threads = spec["dataset"], spec.get("threads", 1)
            if data not in known:
                body = DATASETS[data]()
                lines = "json" if "\n" not in body else "x-ndjson"
                answer = server.post(f"/v1/datasets?name={data}" if lines == "x-ndjson" else "/v1/datasets", body,
                                     headers={"Content-Type": f"application/{lines}"})
                assert answer.status == 201, answer
                known[data] = answer.json["id"]
            state, peak, processor = run(server, {"threads": threads, **spec, "dataset": known[data]})
            plan, real, seconds = state["plan"], peak - idle, processor / threads
            off, ratio = plan["memory_bytes"] - real, plan["estimated_seconds"] / max(seconds, 0.01)
            ratios.append(ratio)
            bad = abs(off) > max(SLACK_BYTES, SLACK_SHARE * real)
            if bad:
                wrong.append(name)
            print(f"{name:<26} {plan['memory_bytes'] / MIB:9.1f} {real / MIB:9.1f} {off / MIB:+7.1f}"
                  f" {'!' if bad else ' '} {plan['estimated_seconds']:8.2f} {seconds:8.2f} {ratio:6.2f}", flush=True)
            found[name] = {"plan": plan, "peak": real, "seconds": seconds, "job": spec}
    spread = math.exp(sum(abs(math.log(ratio)) for ratio in ratios) / len(ratios))
    print(f"estimated seconds are off by a factor of {spread:.2f} on average (geometric), {min(ratios):.2f} to {max(ratios):.2f}")
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump(found, file, indent=1)
    if wrong:
        print("memory beyond the bound: " + ", ".join(wrong))
    return 1 if wrong else 0


sys.exit(main())

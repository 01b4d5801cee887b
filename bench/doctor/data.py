"""Datasets for the doctor's bench, as a job's inline datasets: made here by seeded random numbers, or read from public data.

Where the public data lies is BACKPROPD_DATASETS, by default ../shared/data beside the checkout; what is not there is left out, and the
table says so.
"""
import csv
import functools
import gzip
import math
import os
import pathlib
import random
import struct

ROOT = pathlib.Path(__file__).resolve().parents[2]
PUBLIC = pathlib.Path(os.environ.get("BACKPROPD_DATASETS", ROOT.parent / "shared" / "data"))


def classes(inputs, targets, **more):
    return {"inputs": inputs, "targets": targets, "task": "classification", **more}


def numbers(inputs, targets, **more):
    return {"inputs": inputs, "targets": targets, "task": "regression", **more}


def blobs(rows=300, count=3, width=2, spread=1.0, seed=0, weights=None):
    rng = random.Random(f"blobs {seed}")
    centres = [[rng.uniform(-6, 6) for _ in range(width)] for _ in range(count)]
    names = list(range(count))
    picked = rng.choices(names, weights=weights, k=rows) if weights else [i % count for i in range(rows)]
    return classes([[rng.gauss(c, spread) for c in centres[k]] for k in picked], [f"class {k}" for k in picked])


def circles(rows=400, noise=0.08, seed=0):
    rng = random.Random(f"circles {seed}")
    inputs, targets = [], []
    for i in range(rows):
        radius, angle = (1.0, 0.5)[i % 2], rng.uniform(0, 2 * math.pi)
        inputs.append([radius * math.cos(angle) + rng.gauss(0, noise), radius * math.sin(angle) + rng.gauss(0, noise)])
        targets.append(("outer", "inner")[i % 2])
    return classes(inputs, targets)


def moons(rows=400, noise=0.12, seed=0):
    rng = random.Random(f"moons {seed}")
    inputs, targets = [], []
    for i in range(rows):
        t = rng.uniform(0, math.pi)
        x, y = (math.cos(t), math.sin(t)) if i % 2 else (1 - math.cos(t), 0.5 - math.sin(t))
        inputs.append([x + rng.gauss(0, noise), y + rng.gauss(0, noise)])
        targets.append(("lower", "upper")[i % 2])
    return classes(inputs, targets)


def friedman(rows=400, noise=1.0, seed=0, scale=1.0, offset=0.0, input_scale=1.0):
    rng = random.Random(f"friedman {seed}")
    inputs, targets = [], []
    for _ in range(rows):
        x = [rng.random() for _ in range(6)]
        y = 10 * math.sin(math.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4] + rng.gauss(0, noise)
        inputs.append([v * input_scale * (100 if i == 1 and input_scale != 1 else 1) for i, v in enumerate(x)])
        targets.append(y * scale + offset)
    return numbers(inputs, targets)


def weak_signal(rows=90, width=20, noise=1.0, seed=0):
    """Two features of many tell something, the rest is noise: a large net learns the noise by heart."""
    rng = random.Random(f"weak {seed}")
    inputs = [[rng.gauss(0, 1) for _ in range(width)] for _ in range(rows)]
    return numbers(inputs, [x[0] - 0.5 * x[1] + rng.gauss(0, noise) for x in inputs])


def sine(rows=300, noise=0.05, seed=0):
    rng = random.Random(f"sine {seed}")
    inputs = [[rng.uniform(-3, 3)] for _ in range(rows)]
    return numbers(inputs, [math.sin(2 * x[0]) + rng.gauss(0, noise) for x in inputs])


def patterns(rows=400, steps=20, seed=0):
    """Sequences of one number a step: which of two frequencies it swings with."""
    rng = random.Random(f"patterns {seed}")
    inputs, targets = [], []
    for i in range(rows):
        speed, phase = (0.5, 0.9)[i % 2], rng.uniform(0, 6.28)
        inputs.append([[math.sin(speed * t + phase) + rng.gauss(0, 0.2)] for t in range(steps)])
        targets.append(("slow", "fast")[i % 2])
    return classes(inputs, targets)


def bars(rows=300, seed=0):
    """Small images with a horizontal or a vertical bar."""
    rng = random.Random(f"bars {seed}")
    inputs, targets = [], []
    for i in range(rows):
        image = [[[rng.random() * 80] for _ in range(8)] for _ in range(8)]
        at = rng.randrange(1, 7)
        for k in range(8):
            image[at if i % 2 else k][k if i % 2 else at][0] = 170 + rng.random() * 80
        inputs.append(image)
        targets.append(("vertical", "horizontal")[i % 2])
    return classes(inputs, targets)


def community(nodes=90, seed=0):
    """A graph of three groups; most edges stay within one."""
    rng = random.Random(f"community {seed}")
    group = [i % 3 for i in range(nodes)]
    edges = [[a, b] for a in range(nodes) for b in range(a) if rng.random() < (0.15 if group[a] == group[b] else 0.01)]
    features = [[rng.gauss(1.0 if k == group[i] else 0.0, 1.0) for k in range(6)] for i in range(nodes)]
    order = list(range(nodes))
    rng.shuffle(order)
    return {"graph": {"nodes": features, "edges": edges, "targets": [f"group {g}" for g in group],
                      "splits": {"train": sorted(order[:45]), "validation": sorted(order[45:])}}, "task": "classification"}


def sentences(rows=240, seed=0):
    """Short texts of made-up words, good ones and bad ones among neutral ones."""
    rng = random.Random(f"sentences {seed}")
    good, bad, neutral = ["fine", "great", "lovely", "superb"], ["awful", "poor", "dull", "bad"], [
        "the", "film", "was", "a", "bit", "and", "so", "very", "we", "saw", "it", "today"]
    texts, targets = [], []
    for i in range(rows):
        words = [rng.choice(neutral) for _ in range(rng.randrange(4, 10))]
        for _ in range(2):
            words.insert(rng.randrange(len(words)), rng.choice(good if i % 2 else bad))
        texts.append(" ".join(words))
        targets.append(("no", "yes")[i % 2])
    return {"texts": texts, "targets": targets, "tokenizer": "word", "max_length": 16}


def verse(length=6000, seed=0):
    rng = random.Random(f"verse {seed}")
    words = ["sun", "moon", "river", "stone", "wind", "under", "over", "the", "a", "old", "sleeps", "sings", "falls"]
    text = ""
    while len(text) < length:
        text += " ".join(rng.choice(words) for _ in range(6)) + ".\n"
    return {"text": text[:length], "tokenizer": "char"}


# ---- public data ----

def table(name, target="target", task="classification", rows=None):
    path = PUBLIC / "tabular" / name
    with (gzip.open(path, "rt") if name.endswith(".gz") else open(path)) as file:
        lines = list(csv.DictReader(file))
    target = target if target in lines[0] else list(lines[0])[-1]
    if rows:
        random.Random(name).shuffle(lines)
        lines = lines[:rows]
    inputs = [[float(v) for k, v in line.items() if k != target] for line in lines]
    if task == "classification":
        return classes(inputs, [f"class {line[target]}" for line in lines])
    return numbers(inputs, [float(line[target]) for line in lines])


def idx_images(folder, rows):
    with gzip.open(PUBLIC / folder / "train-images-idx3-ubyte.gz") as file:
        _, _, high, wide = struct.unpack(">4I", file.read(16))
        pixels = file.read(rows * high * wide)
    with gzip.open(PUBLIC / folder / "train-labels-idx1-ubyte.gz") as file:
        file.read(8)
        labels = file.read(rows)
    return pixels, labels, high, wide


def images(folder, rows=1000, flat=False, half=False):
    pixels, labels, high, wide = idx_images(folder, rows)
    step = 2 if half else 1
    inputs = []
    for r in range(rows):
        at = r * high * wide
        image = [[pixels[at + y * wide + x] for x in range(0, wide, step)] for y in range(0, high, step)]
        inputs.append([p for line in image for p in line] if flat else [[[p] for p in line] for line in image])
    return classes(inputs, [str(v) for v in labels])


def messages(rows=500):
    with open(PUBLIC / "sms-spam" / "SMSSpamCollection.tsv", encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t", 1) for line in file][:4 * rows]
    spam = [line for line in lines if line[0] == "spam"][:rows // 3]
    ham = [line for line in lines if line[0] == "ham"][:rows - len(spam)]
    lines = spam + ham
    random.Random("messages").shuffle(lines)
    return {"texts": [line[1] for line in lines], "targets": [line[0] for line in lines], "tokenizer": "word",
            "max_length": 32}


def series(name, column, rows=500):
    with open(PUBLIC / "timeseries" / name) as file:
        values = [float(line[column]) for line in csv.DictReader(file) if line[column] not in ("", "NA")][:rows]
    return {"series": values, "window": 18, "horizon": 1}


def shakespeare(length=12000):
    return {"text": (PUBLIC / "tinyshakespeare" / "input.txt").read_text()[:length], "tokenizer": "char"}


# ---- faults of the data itself ----

def flip_labels(dataset, share, seed=0):
    rng = random.Random(f"flip {seed}")
    names = sorted(set(dataset["targets"]))
    targets = [rng.choice([n for n in names if n != t]) if rng.random() < share else t for t in dataset["targets"]]
    return {**dataset, "targets": targets}


def shuffle_targets(dataset, seed=0):
    targets = list(dataset["targets"])
    random.Random(f"shuffle {seed}").shuffle(targets)
    return {**dataset, "targets": targets}


def repeat_rows(dataset, times):
    return {**dataset, "inputs": dataset["inputs"] * times, "targets": dataset["targets"] * times}


def add_answer(dataset):
    names = sorted(set(dataset["targets"])) if isinstance(dataset["targets"][0], str) else None
    inputs = [row + [float(names.index(t)) if names else float(t)] for row, t in zip(dataset["inputs"], dataset["targets"])]
    return {**dataset, "inputs": inputs}


def own_split(dataset, key):
    """Validation rows are those with the largest key: they come from elsewhere."""
    order = sorted(range(len(dataset["inputs"])), key=lambda i: key(dataset["inputs"][i]))
    cut = len(order) * 4 // 5
    return {**dataset, "splits": {"train": sorted(order[:cut]), "validation": sorted(order[cut:])}}


@functools.lru_cache(maxsize=None)
def public():
    return PUBLIC.is_dir()

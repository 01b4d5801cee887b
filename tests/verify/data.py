"""The public datasets that results are verified on, as the JSON that a user would post. Every function returns a dataset's
body; the files are described in their own README, and Absent says which of them is not here."""
import csv
import gzip
import io
import json
import os
import struct

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "..", "shared", "data")


class Absent(Exception):
    pass


def content(*path):
    name = os.path.join(FOLDER, *path)
    if not os.path.exists(name):
        raise Absent(f"{os.path.normpath(name)} is not here")
    with (gzip.open if name.endswith(".gz") else open)(name, "rb") as file:
        return file.read()


def table(*path):
    return list(csv.DictReader(io.StringIO(content(*path).decode())))


def mod5(rows):
    """The split of sets without one of their own: row i is for testing when i % 5 == 4."""
    return {"train": [i for i in range(rows) if i % 5 != 4], "validation": [],
            "test": [i for i in range(rows) if i % 5 == 4]}


def idx_images(*path):
    body = content(*path)
    count, height, width = struct.unpack(">3I", body[4:16])
    row = height * width
    return [[list(body[16 + i * row + y * width:16 + i * row + (y + 1) * width]) for y in range(height)]
            for i in range(count)]


def idx_labels(*path):
    return list(content(*path)[8:])


def images(folder):
    return {"name": folder, "task": "classification",
            "inputs": idx_images(folder, "train-images-idx3-ubyte.gz"),
            "targets": idx_labels(folder, "train-labels-idx1-ubyte.gz"),
            "test_inputs": idx_images(folder, "t10k-images-idx3-ubyte.gz"),
            "test_targets": idx_labels(folder, "t10k-labels-idx1-ubyte.gz")}


def tabular(name):
    rows = table("tabular", name)
    features = [column for column in rows[0] if column != "target"]
    classes = name != "diabetes.csv"
    return {"name": name.split(".")[0], "task": "classification" if classes else "regression",
            "feature_names": features, "inputs": [[float(row[f]) for f in features] for row in rows],
            "targets": [int(row["target"]) if classes else float(row["target"]) for row in rows],
            "splits": mod5(len(rows))}


def shakespeare():
    return {"name": "tiny Shakespeare", "text": content("tinyshakespeare", "input.txt").decode(), "tokenizer": "char"}


def sms():
    lines = content("sms-spam", "SMSSpamCollection.tsv").decode().splitlines()
    pairs = [line.split("\t", 1) for line in lines]
    return {"name": "sms", "texts": [text for _, text in pairs], "targets": [label for label, _ in pairs],
            "tokenizer": "word", "max_length": 64, "splits": mod5(len(pairs))}


def cora():
    """Features divided by their row's sum, as in the paper's code."""
    nodes = table("cora", "nodes.csv.gz")
    words = [(int(row["node"]), int(row["word"])) for row in table("cora", "features.csv.gz")]
    count = [0] * len(nodes)
    for node, _ in words:
        count[node] += 1
    split = json.loads(content("cora", "split.json"))
    return {"name": "cora",
            "graph": {"nodes": {"shape": [len(nodes), 1433], "indices": [list(word) for word in words],
                                "values": [1 / count[node] for node, _ in words]},
                      "edges": [[int(row["src"]), int(row["dst"])] for row in table("cora", "edges.csv.gz")],
                      "targets": [row["class_name"] for row in nodes],
                      "splits": {"train": split["train"], "validation": split["val"], "test": split["test"]}}}


def karate():
    """Each member is told by itself alone, and only the two leaders' clubs are known: nodes 0 and 33."""
    nodes = table("karate", "nodes.csv")
    count = len(nodes)
    return {"name": "karate",
            "graph": {"nodes": {"shape": [count, count], "indices": [[i, i] for i in range(count)],
                                "values": [1.0] * count},
                      "edges": [[int(row["src"]), int(row["dst"])] for row in table("karate", "edges.csv")],
                      "targets": [row["club"] for row in nodes],
                      "splits": {"train": [0, count - 1], "validation": [], "test": list(range(1, count - 1))}}}


AIR_WINDOW = 13


def air_passengers():
    """Windows of AIR_WINDOW months, the month after as target; those of the last 24 months are for testing."""
    values = [float(row["passengers"]) for row in table("timeseries", "airpassengers.csv")]
    windows = len(values) - AIR_WINDOW
    return {"name": "air passengers", "series": values, "window": AIR_WINDOW, "horizon": 1,
            "columns": ["passengers"], "transform": "log_difference",
            "splits": {"train": list(range(windows - 24)), "validation": [],
                       "test": list(range(windows - 24, windows))}}

"""How much memory large datasets take on their way in, and how long: real data and gigabytes.

    measure_intake.py [--csv-bytes 5G] [--only NAME…] [--json FILE]

MNIST (from ../shared/data) as one JSON body, as lines, as four IDX files packed by gzip, as they are, and as NPY; and a CSV file of
`--csv-bytes`, made while it is sent. Each goes to a server of its own, whose peak (VmHWM, which counts mapped files) must stay
under 100 MB. All forms of MNIST must make one archive, byte for byte (but for lines, which have no split), and a short training on it
the same numbers. The data folder needs about 2.5 times the CSV's bytes.
"""
import argparse
import gzip
import itertools
import json
import os
import random
import shutil
import struct
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))
from harness import Server, multipart  # noqa: E402

LIMIT = 100_000_000
MNIST = os.path.join(HERE, "..", "..", "..", "shared", "data", "mnist")
FILES = {"inputs": "train-images-idx3-ubyte.gz", "targets": "train-labels-idx1-ubyte.gz",
         "test_inputs": "t10k-images-idx3-ubyte.gz", "test_targets": "t10k-labels-idx1-ubyte.gz"}
BOUNDARY = "------------------------9b1f2c3d4e5f6071"


def packed():
    for part, name in FILES.items():
        with open(os.path.join(MNIST, name), "rb") as file:
            yield part, file.read()


def unpacked():
    return ((part, gzip.decompress(file)) for part, file in packed())


def dims_of(file):
    return struct.unpack(f">{file[3]}I", file[4:4 + 4 * file[3]])


def as_json():
    members = []
    for part, file in unpacked():
        dims = dims_of(file)
        numbers = file[4 + 4 * len(dims):]
        if len(dims) == 3:
            _, height, width = dims
            rows = (f"[{','.join(str(list(numbers[at + y * width:at + (y + 1) * width])) for y in range(height))}]"
                    for at in range(0, len(numbers), height * width))
            members.append(f'"{part}":[{",".join(rows)}]')
        else:
            members.append(f'"{part}":{list(numbers)}')
    return ("{" + ",".join(members) + "}").replace(" ", "").encode(), "application/json"


def as_lines():
    files = dict(unpacked())
    size = 28 * 28
    lines = []
    for row, target in enumerate(files["targets"][8:]):
        at = 16 + row * size
        image = [list(files["inputs"][at + y * 28:at + (y + 1) * 28]) for y in range(28)]
        lines.append(f'{{"input":{image},"target":{target}}}'.replace(" ", ""))
    return "\n".join(lines).encode(), "application/x-ndjson"


def as_form(files):
    return multipart(files, BOUNDARY), f"multipart/form-data; boundary={BOUNDARY}"


def npy(file):
    dims = dims_of(file)
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({', '.join(map(str, dims))},), }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + file[4 + 4 * len(dims):]


FORMS = {
    "mnist, JSON": as_json,
    "mnist, IDX packed": lambda: as_form(packed()),
    "mnist, IDX": lambda: as_form(unpacked()),
    "mnist, NPY": lambda: as_form((part, npy(file)) for part, file in unpacked()),
    "mnist, lines": as_lines,
}

JOB = {"model": {"layers": [{"type": "flatten"}, {"type": "dense", "units": 16, "activation": "relu"},
                            {"type": "dense", "units": 10}]},
       "training": {"steps": 200, "batch_size": 64, "seed": 1}, "threads": 1}


def csv_pieces(length):
    """A table of eleven numbers and a class, `length` bytes long but for its last row: (pieces, bytes, rows)."""
    draw = random.Random(1)
    rows = [",".join([*(f"{draw.gauss(50, 20):.4f}" for _ in range(10)), str(draw.randrange(1000)),
                      draw.choice(["low", "middle", "high"])]) + "\n" for _ in range(20000)]
    head = ",".join([*(f"x{i}" for i in range(11)), "level"]) + "\n"
    block = "".join(rows).encode()
    times = max(1, (length - len(head)) // len(block))
    pieces = itertools.chain([head.encode()], itertools.repeat(block, times))
    return pieces, len(head) + times * len(block), times * len(rows)


def say(name, sent, seconds, peak, made):
    print(f"{name:20} {sent / 1e6:9.1f} MB {seconds:8.1f} s {peak / 1e6:7.1f} MB  {made['rows']:>10,} rows  "
          f"{made['bytes'] / 1e6:8.1f} MB kept", flush=True)


def measure(name, post, folder):
    """Sends it to a server of its own; what came of it, and a short training's metrics where `train`."""
    with Server("--max-body", "64G", folder=folder) as server:
        begin = time.monotonic()
        answer, sent = post(server)
        seconds = time.monotonic() - begin
        if answer.status != 201:
            raise SystemExit(f"{name}: {answer}")
        made, peak = answer.json, server.peak_bytes()
        say(name, sent, seconds, peak, made)
        result = {"name": name, "bytes": sent, "seconds": seconds, "peak_bytes": peak, "rows": made["rows"],
                  "sha256": made["sha256"]}
        if name.startswith("mnist"):
            state = server.wait(server.submit({**JOB, "dataset": made["id"]}))
            result["metrics"] = {key: value for key, value in (state["metrics"] or {}).items() if "second" not in key}
        return result


def size_of(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def check(results):
    wrong = [f"{r['name']}: {r['peak_bytes'] / 1e6:.1f} MB are not under 100 MB" for r in results if r["peak_bytes"] >= LIMIT]
    split = [r for r in results if "metrics" in r and r["name"] != "mnist, lines"]
    for r in split[1:]:
        for same in ("sha256", "metrics"):
            if r[same] != split[0][same]:
                wrong.append(f"{r['name']}: another {same} than {split[0]['name']}: {r[same]}, {split[0][same]}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv-bytes", type=size_of, default=5 << 30, metavar="BYTES", help="0: none (5G)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=", ".join([*FORMS, "csv"]))
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    given = parser.parse_args()
    results = []
    for name, make in FORMS.items():
        if not given.only or name in given.only:
            body, content_type = make()
            post = lambda server: (server.post("/v1/datasets", body, headers={"Content-Type": content_type}), len(body))
            with tempfile.TemporaryDirectory() as folder:
                results.append(measure(name, post, folder))
            del body
    if given.csv_bytes and (not given.only or "csv" in given.only):
        with tempfile.TemporaryDirectory() as folder:
            if shutil.disk_usage(folder).free < 3 * given.csv_bytes:
                raise SystemExit(f"{folder} has no room for 3 times {given.csv_bytes} bytes: give fewer --csv-bytes")
            pieces, length, rows = csv_pieces(given.csv_bytes)
            post = lambda server: (server.post_pieces("/v1/datasets?target=level", pieces, length, "text/csv"), length)
            results.append(measure("csv", post, folder))
            if results[-1]["rows"] != rows:
                raise SystemExit(f"csv: {results[-1]['rows']} rows, not {rows}")
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    wrong = check(results)
    print("\n".join(wrong) if wrong else f"{len(results)} of {len(results)} under 100 MB, one archive for all forms of a split")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

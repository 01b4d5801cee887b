"""How long a training step of an MLP takes, beside PyTorch on the same machine where Debian's python3-torch is installed.

    ./dev bench [--threads 1]

Both train the same shapes on the same random rows with Adam: forward, loss, backward, update. For backpropd that is
`backpropd train`, which records every layer's gradient norms as it goes; its start (reading the rows) is taken out by the
difference of a long run and a short one. For PyTorch it is the loop that a user would write.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# name, inputs, hidden units, classes, batch size, steps of the long run
SHAPES = [
    ("tiny 4-16-3, batch 16", 4, [16], 3, 16, 60000),
    ("digits 64-128-64-10, batch 32", 64, [128, 64], 10, 32, 10000),
    ("mnist 784-256-128-10, batch 64", 784, [256, 128], 10, 64, 2000),
    ("wide 784-1024-1024-10, batch 128", 784, [1024, 1024], 10, 128, 200),
]

TORCH = """
import sys, time
import torch
threads, inputs, classes, batch, steps = map(int, sys.argv[1:6])
hidden = [int(n) for n in sys.argv[6].split(",")]
torch.set_num_threads(threads)
layers, width = [], inputs
for units in hidden:
    layers += [torch.nn.Linear(width, units), torch.nn.ReLU()]
    width = units
net = torch.nn.Sequential(*layers, torch.nn.Linear(width, classes))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
loss = torch.nn.CrossEntropyLoss()
x, y = torch.randn(8, batch, inputs), torch.randint(classes, (8, batch))
def step(i):
    optimizer.zero_grad()
    loss(net(x[i % 8]), y[i % 8]).backward()
    optimizer.step()
for i in range(20): step(i)
begin = time.perf_counter()
for i in range(steps): step(i)
print((time.perf_counter() - begin) / steps * 1e6)
"""


def train_seconds(folder, shape, steps, threads):
    _, inputs, hidden, classes, batch, _ = shape
    job = {
        "model": {"layers": [{"type": "dense", "units": n, "activation": "relu"} for n in hidden]
                  + [{"type": "dense", "units": classes}]},
        "training": {"steps": steps, "batch_size": batch, "validation_split": 0,
                     "optimizer": {"type": "adam", "learning_rate": 1e-4}},
    }
    path = os.path.join(folder, "job.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(job, file)
    run = subprocess.run([os.path.join(ROOT, "build", "backpropd"), "train", path, "--json", "--threads", str(threads),
                          "--dataset", os.path.join(folder, "rows.json")], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])["seconds"]


def backpropd_step(shape, threads):
    """Microseconds a step: the median of three differences."""
    _, inputs, _, classes, batch, steps = shape
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = 8 * batch
        with open(os.path.join(folder, "rows.json"), "w", encoding="utf-8") as file:
            json.dump({"inputs": [[round(chance.gauss(0, 1), 3) for _ in range(inputs)] for _ in range(rows)],
                       "targets": [f"c{i % classes}" for i in range(rows)]}, file)
        short = steps // 10
        times = [(train_seconds(folder, shape, steps, threads) - train_seconds(folder, shape, short, threads)) / (steps - short)
                 for _ in range(3)]
    return sorted(times)[1] * 1e6


def torch_python():
    """An interpreter that has torch, or None."""
    for python in ("/usr/bin/python3", sys.executable):
        if shutil.which(python) and subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def torch_step(python, shape, threads):
    _, inputs, hidden, classes, batch, steps = shape
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    # Torch meets the same mistaken processor as backpropd (docs of OpenBLAS bug 4267): give it the same help.
    if " avx512f " in open("/proc/cpuinfo", encoding="ascii").read():
        environment.setdefault("OPENBLAS_CORETYPE", "SKYLAKEX")
    times = []
    for _ in range(3):
        run = subprocess.run([python, "-c", TORCH, str(threads), str(inputs), str(classes), str(batch), str(max(steps // 10, 50)),
                              ",".join(map(str, hidden))], capture_output=True, text=True, env=environment, check=True)
        times.append(float(run.stdout))
    return sorted(times)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    threads = parser.parse_args().threads
    python = torch_python()
    begin = time.monotonic()
    print(f"{'microseconds a step, ' + str(threads) + ' thread(s)':36} {'backpropd':>10} {'PyTorch':>10} {'times':>7}")
    for shape in SHAPES:
        ours = backpropd_step(shape, threads)
        theirs = torch_step(python, shape, threads) if python else None
        print(f"{shape[0]:36} {ours:10.1f} " + (f"{theirs:10.1f} {theirs / ours:6.1f}x" if theirs else f"{'–':>10}"), flush=True)
    if not python:
        print("PyTorch is not here (Debian: apt-get install python3-torch), so there is nothing beside it.")
    print(f"{time.monotonic() - begin:.0f} s; medians of three runs; the machine should be idle")


if __name__ == "__main__":
    main()

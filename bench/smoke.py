#!/usr/bin/env python3
"""smoke.py STEP CEILING: every workload's job is accepted and trains a few steps; a product's rate is measured. No time is asserted."""
import json
import pathlib
import subprocess
import sys
import tempfile

from workloads import WORKLOADS, write

STEPS = {"cnn_bn_res": 1}  # slow ones


def check_workloads(program):
    with tempfile.TemporaryDirectory() as folder:
        for name, workload in WORKLOADS.items():
            job, data = write(workload, pathlib.Path(folder) / name, batches=1)
            made = subprocess.run([program, "--make", data, job.parent], capture_output=True, text=True, check=True)
            steps = STEPS.get(name, 3)
            run = subprocess.run([program, job, made.stdout.strip()], input=f"{steps}\n{steps}\n", capture_output=True, text=True,
                                 check=True)
            ready, *windows = map(json.loads, run.stdout.splitlines())
            assert ready["ready"] and ready["parameters"] > 0, (name, ready)
            assert len(windows) == 2, (name, windows)
            for window in windows:
                assert window["steps"] == steps and window["seconds"] > 0 and window["memory_bytes"] > 0, (name, window)
                assert 0 < window["loss"] < 100, (name, window)
            print(name, ready["parameters"], flush=True)


def check_ceiling(program):
    run = subprocess.run([program], input="0 0 8 5 3\n1 0 5 3 8\n", capture_output=True, text=True, check=True)
    peak, *products = map(json.loads, run.stdout.splitlines())
    assert peak["peak"] >= 0 and len(products) == 2, run.stdout
    assert all(product["rate"] > 0 for product in products), run.stdout
    assert subprocess.run([program], input="0 0 8 0 3\n", capture_output=True, text=True, check=False).returncode != 0


if __name__ == "__main__":
    check_workloads(sys.argv[1])
    check_ceiling(sys.argv[2])

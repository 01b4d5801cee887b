"""smoke.py STEP: every workload's job is accepted, trains a few steps and counts its parameters as its products say. No time is
asserted."""
import json
import pathlib
import subprocess
import sys
import tempfile

from workloads import WORKLOADS, write

STEPS = {"cnn_bn_res": 1}  # slow ones


def main(program):
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


if __name__ == "__main__":
    main(sys.argv[1])

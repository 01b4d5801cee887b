"""What `./dev bench` runs; README.md says what each command measures.

    bench.py [steps] [--threads 1,2] [NAME…]
"""
import argparse
import pathlib
import sys

import contender
import steps
from workloads import WORKLOADS


def counts(text):
    return [int(count) for count in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="workloads: " + " ".join(WORKLOADS))
    parser.add_argument("--threads", type=counts, default=[1, 2])
    parser.add_argument("--windows", type=int, default=7, help="quiet windows that each contender needs")
    parser.add_argument("--seconds", type=float, default=0.5, help="of a window")
    parser.add_argument("--most-seconds", type=float, default=60, help="of a workload, quiet or not")
    parser.add_argument("--lock", help="a file to hold during each window, where several measure on one machine")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in WORKLOADS]
    if unknown:
        parser.error(f"no such workload: {' '.join(unknown)}")
    build = contender.ROOT / "build"
    options.program = build / "bench" / "step"
    options.folder = build / "bench-data"
    options.folder.mkdir(exist_ok=True)
    return steps.run(options)


if __name__ == "__main__":
    sys.exit(main())

"""Measures this tree; README.md says what and how.

    ./dev bench [steps] [--threads 1,2] [NAME…]     training steps, beside PyTorch's
    ./dev bench --against REV [NAME…]               training steps, beside another revision's; exits 1 where this one is slower
    ./dev bench where [NAME…]                       where a step's time goes, by source file (needs perf)
    ./dev bench watching [NAME…]                    what per-layer statistics cost
    ./dev bench neighbour [NAME…]                   training steps while another process is busy
    ./dev bench growth [--large]                    time and memory against depth, width, batch, length, rows, jobs
    ./dev bench serving                             predictions over HTTP, beside ONNX Runtime's

NAME is a workload; without one all are measured, and the command's section of docs/performance.md is written.
"""
import argparse
import sys

import contender
from against import against
from growth import growth
from serving import serving
from steps import neighbour, steps, watching
from where import where
from workloads import WORKLOADS

COMMANDS = {"steps": steps, "watching": watching, "neighbour": neighbour, "growth": growth, "serving": serving,
            "where": where}
# How many quiet windows each program needs, and of how many seconds: what is told apart by little takes many short ones.
WINDOWS, SECONDS = {"watching": 200, "steps": 15}, {"watching": 0.05}


def counts(text):
    return [int(count) for count in text.split(",")]


def main(words):
    command = words.pop(0) if words and words[0] in COMMANDS else "steps"
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(WORKLOADS))
    parser.add_argument("--threads", type=counts, default=[1, 2], help="1,2")
    parser.add_argument("--against", metavar="REV")
    parser.add_argument("--large", action="store_true", help="growth: ten million rows, ten thousand jobs")
    parser.add_argument("--windows", type=int, default=WINDOWS.get(command, 7), help="quiet windows that each program needs (%(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS.get(command, 0.5), help="of a window (%(default)s)")
    parser.add_argument("--most-seconds", type=float, default=60, help="of a workload, quiet or not (%(default)s)")
    parser.add_argument("--lock", help="a file to hold during each window, where several measure on one machine")
    options = parser.parse_args(words)
    unknown = [name for name in options.names if name not in WORKLOADS]
    if unknown:
        parser.error(f"no such workload: {' '.join(unknown)}")
    build = contender.ROOT / "build"
    options.program, options.ceiling = build / "bench" / "step", build / "bench" / "ceiling"
    options.folder = build / "bench-data"
    options.folder.mkdir(exist_ok=True)
    return against(options) if options.against else COMMANDS[command](options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/python3
"""Writes TOPIC.txt for each topic: what PyTorch says of nets, losses, optimizers and schedules.

    /usr/bin/python3 tests/golden/make_golden.py [TOPIC…]    (Debian: apt install python3-torch; made with 1.13)

PyTorch computes in double precision from inputs that are exact in single precision; test_golden.c compares at 1e-5.
A topic is a module of this folder with make(), which calls what golden.py offers; the format of its file stands there.
"""
import importlib
import os
import sys

import golden

TOPICS = ["attention", "convolutions", "graphs", "layers", "losses", "norms", "optimizers", "pools", "recurrent", "schedules", "training"]


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    for topic in sys.argv[1:] or TOPICS:
        golden.begin()
        importlib.import_module(topic).make()
        with open(os.path.join(folder, topic + ".txt"), "w", encoding="ascii") as file:
            file.write("\n".join(golden.lines) + "\n")
        print(f"{topic}.txt: {len(golden.lines)} lines", file=sys.stderr)


main()

"""For how long a server holds each connection of a process, as the kernel's table has it.

    held.py PORT PID [--every 0.25]

A line `SEEN NOW` each time it looks: connections of the process that there were, and those that the server still has. When the standard
input ends, a last line: a list of the seconds that each was held. What an attacker says of itself is not taken: slowhttptest goes on calling
a connection connected that was reset under it. It is a program of its own, as its looking takes time that the others are measured by.
"""
import argparse
import json
import os
import re
import select
import subprocess
import sys
import time

ENDED = {"06", "07"}  # TIME_WAIT, CLOSE: nothing of the server's is bound any more


def sockets_of(pid):
    """The kernel's numbers of a process's sockets."""
    found = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            match = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}"))
            if match:
                found.add(match[1])
    except OSError:  # the process has just ended, or the descriptor has
        pass
    return found


class Table:
    def __init__(self, port, pid):
        self.port, self.pid = port, pid
        self.first, self.last, self.now = {}, {}, set()  # of the client's ports

    def look(self):
        theirs, held, inodes = set(), set(), sockets_of(self.pid)
        with open("/proc/net/tcp", encoding="ascii") as table:
            next(table)
            for line in table:
                _, local, remote, state, *rest = line.split()
                local, remote = (int(end.split(":")[1], 16) for end in (local, remote))
                if remote == self.port and rest[5] in inodes:
                    theirs.add(local)
                if local == self.port and remote and state not in ENDED:
                    held.add(remote)
        at = time.monotonic()
        for port in theirs:
            self.first.setdefault(port, at)
        self.now = held & self.first.keys()
        self.last.update((port, at) for port in self.now)

    def lives(self):
        return [at - self.first[port] for port, at in self.last.items()]


class Held:
    """This program beside the caller: `seen` and `now` are what it last told, `lives` what it said in the end."""

    def __init__(self, port, pid, every=0.25):
        self.seen, self.now, self.lives = 0, 0, []
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), str(port), str(pid), "--every", str(every)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait(self):
        """Until it has looked once more."""
        self.seen, self.now = map(int, self.process.stdout.readline().split())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        rest, _ = self.process.communicate()
        self.lives = json.loads(rest.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int)
    parser.add_argument("--every", type=float, default=0.25)
    options = parser.parse_args()
    table = Table(options.port, options.pid)
    while not select.select([sys.stdin], [], [], options.every)[0]:
        table.look()
        print(len(table.last), len(table.now), flush=True)
    print(json.dumps(table.lives()))


if __name__ == "__main__":
    main()

"""Hours of everything that clients do, after which the server stands as it stood: memory, descriptors, threads, files and their size.

    soak.py [--hours 1] [--growth 10]

The first tenth is for what is kept for good (readers, loaded models, SQLite's caches). What lies on the disk is bounded by what the
workload keeps; the database may keep free pages. Fails where a figure at the end is beyond that after the first tenth by more than
`growth` per cent and a small constant.
"""
import argparse
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))
from harness import Server  # noqa: E402
from torture import integrity, resident  # noqa: E402
from workload import Workload  # noqa: E402

SLACK = {"KiB of memory": 8192, "descriptors": 24, "threads": 4, "KiB on disk": 65536, "files": 60}


def figures(server):
    pid, size, files = server.process.pid, 0, 0
    for folder, _, names in os.walk(server.folder):
        for name in names:
            if name != "server.log":
                try:
                    size += os.stat(os.path.join(folder, name)).st_blocks * 512
                    files += 1
                except OSError:
                    pass
    return {"KiB of memory": resident(pid), "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(os.listdir(f"/proc/{pid}/task")), "KiB on disk": size // 1024, "files": files}


def highest(server, seconds):
    """The highest of each figure over so many seconds."""
    most, until = {}, time.monotonic() + seconds
    while True:
        for name, value in figures(server).items():
            most[name] = max(most.get(name, 0), value)
        if time.monotonic() > until:
            return most
        time.sleep(min(1.0, seconds / 4))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--growth", type=float, default=10)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    seconds, failures = options.hours * 3600, []
    with Server("--workers", "2") as server:
        with Workload(server, options.threads) as load:
            time.sleep(seconds / 10)
            before = highest(server, seconds / 10)
            print(f"after {seconds / 5:.0f} s: {before}", flush=True)
            for part in range(4):
                after = highest(server, seconds / 5)
                print(f"after {seconds / 5 * (part + 2):.0f} s: {after}", flush=True)
        failures += load.mistakes
        for name, value in after.items():
            if value > before[name] * (1 + options.growth / 100) + SLACK[name]:
                failures.append(f"{name}: from {before[name]} to {value}")
        if server.process.poll() is not None or server.stop() != 0:
            failures.append("the server did not last")
        elif integrity(server) != "ok":
            failures.append("integrity_check")
    print("\n".join(failures[:50]))
    print(f"{options.hours:g} hours, {sum(load.counts.values())} acts, from {before} to {after}; {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

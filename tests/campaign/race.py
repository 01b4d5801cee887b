"""The server and its workers under ThreadSanitizer, with everything that clients do at once (P12): 0 reports.

    race.py [--seconds 300]

`./dev race` builds into build-race and points BACKPROPD_BUILD there. Libraries that are not instrumented (libmicrohttpd, SQLite, OpenBLAS)
are seen by their locks and by what they do through the C library; their own memory is not.
"""
import argparse
import glob
import os
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "http"))
from harness import Server  # noqa: E402
from workload import Workload  # noqa: E402


def reports(folder):
    texts = []
    for path in sorted(glob.glob(os.path.join(folder, "tsan.*"))):
        with open(path, encoding="utf-8", errors="replace") as file:
            texts.append(file.read())
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="race-") as logs:
        environment = {"TSAN_OPTIONS": f"log_path={logs}/tsan halt_on_error=0 second_deadlock_stack=1 history_size=4 "
                                       f"suppressions={HERE}/race.txt"}
        with Server("--workers", "2", environment=environment) as server:
            mapped = open(f"/proc/{server.process.pid}/maps", encoding="ascii").read()
            assert "tsan" in mapped, "this server was not built with -Db_sanitize=thread: ./dev race builds one"
            killed = 0
            with Workload(server, options.threads) as load:
                until = time.monotonic() + options.seconds
                while time.monotonic() < until and server.process.poll() is None:
                    time.sleep(min(5, options.seconds / 4))
                    workers = server.workers()
                    if workers:
                        os.kill(workers[0], signal.SIGKILL)
                        killed += 1
            status = server.process.poll()
            stopped = server.stop()  # the drain, with jobs running, is part of it
            texts = reports(logs)
            print("\n".join(texts + load.mistakes))
            print(f"{sum(load.counts.values())} acts in {options.seconds:.0f} s ({load.counts}), {killed} workers killed, "
                  f"{len(load.mistakes)} mistakes, exit {stopped}, "
                  f"{sum(text.count('WARNING: ThreadSanitizer') for text in texts)} reports")
            # 66 is how ThreadSanitizer ends a process that it has reported on.
            return 1 if texts or load.mistakes or status is not None or stopped != 0 else 0


if __name__ == "__main__":
    sys.exit(main())

"""Two revisions of ours, step by step in turns: `./dev bench --against REV [NAME…]` exits 1 where this tree is slower."""
import contextlib
import subprocess
import sys

import contender
from steps import milliseconds, prepared
from workloads import WORKLOADS

SLOWER = 1.10  # beyond this it is a regression


def git(*words, **more):
    return subprocess.run(["git", "-C", contender.ROOT, *words], check=True, capture_output=True, **more)


def build(revision, options):
    """bench/step of another revision, built once in a folder of its own. A revision without one gets this tree's."""
    commit = git("rev-parse", "--verify", revision + "^{commit}", text=True).stdout.strip()
    folder = options.folder.parent / "bench-against" / commit[:12]
    source, output = folder / "source", folder / "build"
    if not source.exists():
        source.mkdir(parents=True)
        subprocess.run(["tar", "-x", "-C", source], input=git("archive", commit).stdout, check=True)
        if not (source / "bench" / "step.c").exists():
            with open(source / "meson.build", "a", encoding="utf-8") as file:
                file.write("subdir('bench')\n")
            subprocess.run(["cp", "-rT", contender.ROOT / "bench", source / "bench"], check=True)
    if not (output / "build.ninja").exists():
        subprocess.run(["meson", "setup", output, source], check=True, stdout=sys.stderr)
    subprocess.run(["ninja", "-C", output, "bench/step"], check=True, stdout=sys.stderr)
    return output / "bench" / "step"


def against(options):
    machine = contender.Machine(options.lock)
    revision = options.against
    program = build(revision, options)
    slow = []
    print("workload", "threads", f"{revision}, ms", "this tree, ms", "times as long", sep=" | ", flush=True)
    for name in options.names or WORKLOADS:
        with prepared(name, options) as (folder, job, dataset), contextlib.ExitStack() as stack:
            theirs = contender.archive(program, folder / "data.json", folder)
            stack.callback(theirs.unlink)
            for threads in options.threads:
                with contender.ours(program, job, theirs, threads, "before") as before, \
                        contender.ours(options.program, job, dataset, threads, "now") as now:
                    results = contender.compare([before, now], machine, options, even=True)
                    ratio = contender.slower(now, before)
                # Both must say so: one disturbed round is not a regression.
                mark = ""
                if ratio > SLOWER and results["now"]["step"] / results["before"]["step"] > SLOWER:
                    slow.append(f"{name}, {threads} threads")
                    mark = " SLOWER"
                print(name, threads, milliseconds(results["before"]), milliseconds(results["now"]), f"{ratio:.3f}{mark}",
                      sep=" | ", flush=True)
    if slow:
        print(f"more than {SLOWER - 1:.0%} slower than {revision}: {'; '.join(slow)}")
    return 1 if slow else 0

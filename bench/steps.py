"""How long a training step takes: beside PyTorch's, with and without per-layer statistics, beside a busy neighbour."""
import contextlib
import json
import signal
import subprocess
import sys

import contender
import page
from ceilings import Ceilings
from workloads import WORKLOADS, write

WHO = ("backpropd", "PyTorch")


@contextlib.contextmanager
def prepared(name, options, program=None):
    """Folder, job and archive of a workload."""
    program = program or options.program
    folder = options.folder / name
    job, data = write(WORKLOADS[name], folder)
    dataset = contender.archive(program, data, folder)
    try:
        yield folder, job, dataset
    finally:
        dataset.unlink()


# ---- steps ----

def measure(name, options, machine, python):
    """{label: result} of one workload, all contenders in one run."""
    with prepared(name, options) as (_, job, dataset), contextlib.ExitStack() as stack:
        running = []
        for threads in options.threads:
            running.append(stack.enter_context(contender.ours(options.program, job, dataset, threads)))
            if python:
                running.append(stack.enter_context(contender.torch(python, name, threads, running[0].ready["blas"])))
        return contender.compare(running, machine, options)


def fastest(results, who):
    return min((result for label, result in results.items() if label.startswith(who)), key=lambda result: result["step"],
               default=None)


def milliseconds(result):
    if result is None:
        return "–"
    return f"{result['step'] * 1e3:#.3g}".rstrip(".") + ("" if result["quiet"] >= contender.QUIET_WINDOWS else "~")


def times_faster(ours, theirs):
    return f"{theirs['step'] / ours['step']:#.3g}".rstrip(".") if ours and theirs else "–"


def share(workload, results, threads, ceiling_seconds):
    result = results.get(f"backpropd {threads}")
    if workload.sparse or result is None:
        return "–"
    return f"{ceiling_seconds / threads / result['step']:.0%}"


def row(name, results, threads, ceiling_seconds):
    """The cells of a workload's line."""
    workload, ours, theirs = WORKLOADS[name], fastest(results, WHO[0]), fastest(results, WHO[1])

    def each(cell):
        return " / ".join(cell(count) for count in threads)

    def both(field, scale, form):
        return " / ".join(format(min(result[field] for label, result in results.items() if label.startswith(who)) * scale, form)
                          for who in WHO if fastest(results, who))

    return [name, *(each(lambda count, who=who: milliseconds(results.get(f"{who} {count}"))) for who in WHO),
            each(lambda count: times_faster(results.get(f"{WHO[0]} {count}"), results.get(f"{WHO[1]} {count}"))),
            times_faster(ours, theirs), f"{workload.operations / ours['step'] / 1e9:#.3g}".rstrip("."),
            each(lambda count: share(workload, results, count, ceiling_seconds)),
            both("memory_bytes", 2**-20, ".0f"), both("start_seconds", 1, ".2f")]


def header(threads):
    counts = "/".join(map(str, threads))
    return ["workload", f"backpropd ms ({counts} threads)", f"PyTorch ms ({counts})", f"times faster ({counts})", "best to best",
            "GFLOP/s", f"of the ceiling ({counts})", "MiB, ours / PyTorch's", "start s, ours / PyTorch's"]


STEPS_TEXT = """Milliseconds of a training step: rows gathered, forward, loss, backward, clipping, optimizer; ours with its records and
reports too. All programs of a line ran in turns, in one run. {rival}

{table}

Operations are three times those of the forward pass, for both; GFLOP/s are our faster thread count's. The ceiling is the time that the
step's matrix products alone would take, each at the best rate that this processor reaches at its shape ({peak:.0f} GFLOP/s a core is the
peak of its multiply-adds). gcn_cora has none: its inputs are mostly zeros, which ours skips and PyTorch multiplies by. Memory is the
peak of the process. Start is from the process's start to the end of its first step.

{measured}"""


def steps(options):
    machine = contender.Machine(options.lock)
    python, version = contender.torch_python()
    blas = contender.openmp_blas() if python else None
    rival = "PyTorch is not here (Debian: python3-torch)." if not python else (
        f"PyTorch {version} has the OpenBLAS kernels that fit the processor and " +
        ("OpenBLAS's OpenMP build, one pool of threads." if blas else "OpenBLAS's usual build, which fights its threads."))
    names = options.names or list(WORKLOADS)
    results, rows = {}, []
    print(rival, *header(options.threads), sep=" | ", flush=True)
    with Ceilings(options.ceiling) as ceilings:
        for name in names:
            results[name] = measure(name, options, machine, python)
            with machine:
                rows.append(row(name, results[name], options.threads, ceilings.seconds(WORKLOADS[name])))
            print(*rows[-1], sep=" | ", flush=True)
        peak = ceilings.peak
    (options.folder / "steps.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    if names == list(WORKLOADS):
        every = [result for run in results.values() for result in run.values()]
        page.write("Training steps", STEPS_TEXT.format(rival=rival, table=page.table(header(options.threads), rows), peak=peak,
                                                       measured=page.measured(every)))
    return 0


# ---- watching ----

WATCHING_TEXT = """What per-layer statistics cost: a step's time with them every 10 steps (as a job of 20,000 steps has it by
default) and at every step, against none but each step's loss and gradient norm. One thread; three programs in turns, the median of
their ratios.

{table}

{measured}"""
EVERY = {"none": 10**9, "every 10 steps": 10, "every step": 1}


def watching(options):
    machine = contender.Machine(options.lock)
    heads = ["workload", "none, ms", "every 10 steps", "every step"]
    names = options.names or list(WORKLOADS)
    rows, every = [], []
    print(*heads, sep=" | ", flush=True)
    for name in names:
        with prepared(name, options) as (folder, _, dataset), contextlib.ExitStack() as stack:
            running = []
            for label, record_every in EVERY.items():
                job = folder / f"job-{record_every}.json"
                job.write_text(json.dumps(WORKLOADS[name].job(record_every)), encoding="utf-8")
                running.append(stack.enter_context(contender.ours(options.program, job, dataset, 1, label)))
            results = contender.compare(running, machine, options, period=10, even=True)
            every += results.values()
            rows.append([name, milliseconds(results["none"]),
                         *(f"{contender.slower(other, running[0]) - 1:+.1%}" for other in running[1:])])
        print(*rows[-1], sep=" | ", flush=True)
    if names == list(WORKLOADS):
        page.write("Watching", WATCHING_TEXT.format(table=page.table(heads, rows), measured=page.measured(every)))
    return 0


# ---- a busy neighbour ----

NEIGHBOUR_TEXT = """A step's time on {cores} cores while another process keeps one of them busy, against the time without it, in turns.

{table}

{measured}"""


class Neighbour:
    """A process that counts for ever, while it is let."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        self.pause()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go(self):
        self.process.send_signal(signal.SIGCONT)


def neighbour(options):
    machine = contender.Machine(options.lock)
    python, _ = contender.torch_python()
    heads = ["workload", "program", "threads", "alone, ms", "beside it, ms", "times as long"]
    rows, every = [], []
    print(*heads, sep=" | ", flush=True)
    for name in options.names or ["mlp_mnist", "cnn_lenet", "lstm", "transformer"]:
        with prepared(name, options) as (_, job, dataset), contextlib.ExitStack() as stack:
            beside = stack.enter_context(Neighbour())
            running = []
            for threads in options.threads:
                running.append(stack.enter_context(contender.ours(options.program, job, dataset, threads)))
                if python:
                    running.append(stack.enter_context(contender.torch(python, name, threads, running[0].ready["blas"])))
            results = contender.compare_beside(running, beside, machine, options)
        for label, (alone, disturbed) in results.items():
            who, threads = label.split()
            every.append(alone)
            rows.append([name, who, threads, milliseconds(alone), f"{disturbed * 1e3:#.3g}".rstrip("."),
                         f"{disturbed / alone['step']:.2f}"])
            print(*rows[-1], sep=" | ", flush=True)
    if not options.names:
        page.write("Beside a busy neighbour", NEIGHBOUR_TEXT.format(cores=contender.CORES, table=page.table(heads, rows),
                                                                    measured=page.measured(every)))
    return 0

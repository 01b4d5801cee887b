"""Programs that train in windows of steps and wait in between, so that several take turns on one machine.

A contender speaks as step.c says. `compare` runs windows of all in turn until each has enough quiet ones: windows during which
the rest of the machine left it its cores.
"""
import fcntl
import json
import os
import pathlib
import platform
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "backpropd-bench"
CORES = len(os.sched_getaffinity(0))
TICKS = os.sysconf("SC_CLK_TCK")
QUIET_WINDOWS = 3  # fewer say nothing


def processor_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        lines = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    name = fields.get("model name", platform.machine())
    if "cpu family" in fields:
        name += f" (family {fields['cpu family']}, model {fields['model']})"
    return name


def busy_seconds():
    """Of all processors since boot."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, interrupt, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + interrupt + softirq + steal) / TICKS


def processor_seconds(processes, ended_children=False):
    """Of processes, or of their children that have ended."""
    total = 0
    for process in processes:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            times = file.read().rpartition(")")[2].split()[11:15]  # utime, stime, cutime, cstime
        total += sum(map(int, times[2:] if ended_children else times[:2])) / TICKS
    return total


class Machine:
    """Whose turn it is: with a lock file, windows wait for those of other measurements on the machine."""

    def __init__(self, lock=None):
        self.file = open(lock, "a", encoding="ascii") if lock else None  # pylint: disable=consider-using-with

    def __enter__(self):
        if self.file:
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        if self.file:
            fcntl.flock(self.file, fcntl.LOCK_UN)


class Contender:
    def __init__(self, label, command, threads, environment):
        self.label, self.threads, self.windows = label, threads, []
        begin = time.monotonic()
        self.process = subprocess.Popen(list(map(str, command)), env={**os.environ, **environment}, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = self.read()
        self.start_seconds = time.monotonic() - begin
        self.steps = 0  # of a window; 0: not known yet

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.label} ended with status {self.process.wait()}")
        return json.loads(line)

    def run(self, steps):
        """A window of so many steps, with `others`: how many cores anything else used meanwhile."""
        busy, begin = busy_seconds(), time.monotonic()
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        window = self.read()
        seconds = time.monotonic() - begin
        window["others"] = (busy_seconds() - busy - window["cpu_seconds"]) / max(seconds, 1 / TICKS)
        window["step"] = window["seconds"] / window["steps"]
        return window

    def warm(self, machine, seconds, period=1):
        """Runs until it is warm, and learns how many steps take `seconds`: a multiple of `period`, or of 10 where there are many."""
        with machine:
            spent = steps = 0
            while spent < 0.3 or steps < 3:
                window = self.run(max(1, steps))
                spent, steps = spent + window["seconds"], steps + window["steps"]
        steps = max(2, round(seconds / window["step"]))
        unit = max(period, 10 if steps > 10 else 1)
        self.steps = max(unit, steps - steps % unit)

    def measure(self, machine):
        with machine:
            self.windows.append(self.run(self.steps))

    def quiet(self):
        room = 0.1 + 0.5 * max(0, CORES - self.threads)
        return [window for window in self.windows if window["others"] <= room]

    def result(self):
        """The step time is the median of the quiet windows. Where there are too few it is what others disturb least: the lower
        quartile of the processor time with one thread, the fastest window with more."""
        quiet = self.quiet()
        if len(quiet) >= QUIET_WINDOWS:
            step = statistics.median(window["step"] for window in quiet)
        elif self.threads == 1:
            step = statistics.quantiles([cost(window, 1) for window in self.windows], n=4, method="inclusive")[0]
        else:
            step = min(window["step"] for window in self.windows)
        last = self.windows[-1]
        return {"threads": self.threads, "step": step, "windows": len(self.windows), "quiet": len(quiet), "steps": self.steps,
                "memory_bytes": last["memory_bytes"], "start_seconds": self.start_seconds,
                "parameters": self.ready["parameters"], "loss": last["loss"]}


def cost(window, threads):
    """Seconds a step that suffer least from other processes: one thread never waits, so its processor time is its time."""
    return window["cpu_seconds"] / window["steps"] if threads == 1 else window["step"]


def slower(contender, reference):
    """How many times as long a step takes as the reference's: the median over the rounds, in each of which both ran."""
    return statistics.median(cost(mine, contender.threads) / cost(theirs, reference.threads)
                             for mine, theirs in zip(contender.windows, reference.windows))


def rounds(contenders, machine, options):
    """Windows of all in turn until each has enough quiet ones or the time is over; at least three rounds. Yields after each."""
    begin, number = time.monotonic(), 0
    while number < 3 or (time.monotonic() - begin < options.most_seconds
                         and any(len(contender.quiet()) < options.windows for contender in contenders)):
        # Each goes first in turn: what the one before leaves in the caches falls on all alike.
        for i in range(len(contenders)):
            contenders[(number + i) % len(contenders)].measure(machine)
        number += 1
        yield number


def compare(contenders, machine, options, period=1, even=False):
    """{label: result}, once all have enough quiet windows. `even`: windows of as many steps for all."""
    for contender in contenders:
        contender.warm(machine, options.seconds, period)
    if even:
        least = min(contender.steps for contender in contenders)
        for contender in contenders:
            contender.steps = least
    for _ in rounds(contenders, machine, options):
        pass
    return {contender.label: contender.result() for contender in contenders}


def compare_beside(contenders, neighbour, machine, options):
    """{label: (result alone, seconds a step beside the neighbour)}: each window is followed by one beside it."""
    for contender in contenders:
        contender.warm(machine, options.seconds)
    disturbed = {contender.label: [] for contender in contenders}
    for _ in rounds(contenders, machine, options):
        neighbour.go()
        for contender in contenders:
            with machine:
                disturbed[contender.label].append(contender.run(contender.steps)["step"])
        neighbour.pause()
    return {contender.label: (contender.result(), statistics.median(disturbed[contender.label])) for contender in contenders}


# ---- ours ----

def archive(program, data, folder):
    made = subprocess.run([program, "--make", data, folder], capture_output=True, text=True, check=True)
    return pathlib.Path(made.stdout.strip())


def ours(program, job, dataset, threads, label=None):
    return Contender(label or f"backpropd {threads}", [program, job, dataset, "--threads", threads], threads, {})


# ---- PyTorch ----

def torch_python():
    """Debian's interpreter where it has torch, else None."""
    python = "/usr/bin/python3"
    found = subprocess.run([python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, check=False)
    return (python, found.stdout.strip()) if found.returncode == 0 else (None, None)


def openmp_blas():
    """The folder of OpenBLAS's OpenMP build, which shares PyTorch's threads instead of fighting them; None where it cannot be
    had."""
    def find(top):
        return next((path.parent for path in sorted(top.glob("usr/lib/*/openblas-openmp/libblas.so.3"))), None)
    folder = find(pathlib.Path("/")) or find(CACHE)
    if folder is None:
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["apt-get", "download", "-qq", "libopenblas0-openmp"], cwd=CACHE, check=True)
            for package in CACHE.glob("libopenblas0-openmp_*.deb"):
                subprocess.run(["dpkg", "-x", package, CACHE], check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        folder = find(CACHE)
    return folder


def torch_environment(threads, core):
    """As fast as PyTorch can be had from Debian: the kernels that fit the processor, one pool of threads."""
    environment = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    if core:
        environment["OPENBLAS_CORETYPE"] = core
    blas = openmp_blas()
    if blas:
        environment["LD_LIBRARY_PATH"] = ":".join(filter(None, [str(blas), os.environ.get("LD_LIBRARY_PATH")]))
    return environment


def torch(python, name, threads, core):
    return Contender(f"PyTorch {threads}", [python, ROOT / "bench" / "torch_step.py", name, threads], threads,
                     torch_environment(threads, core))

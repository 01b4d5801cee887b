"""How time and memory grow: `./dev bench growth [--large]`."""
import contextlib
import http.client
import json
import math
import random
import statistics
import sys
import threading
import time

import contender
import page
import workloads

sys.path.insert(0, str(contender.ROOT / "tests" / "http"))
from harness import Server  # noqa: E402

STEPS_TEXT = """One thread. A step's time and the peak memory of its process, and the exponents of their growth from each value to the
next: time ∝ valueᵉ.

{table}

{measured}"""
SERVER_TEXT = """Datasets of 20 columns and two classes, sent as CSV, and one epoch of a 20-64-2 net on them with batches of 1,024 and one
thread. Memory is the most that the server, and the job's worker, held of their own: the dataset's file is mapped, not copied. On a
shared machine seconds of the processor say more than those of the clock.

{rows}

Jobs that wait behind a long one: what a submission takes, a page of the list, and a restart with all of them; then how many of them
end in a second, two at a time. Processor ms are the server's.

{jobs}

{measured}"""


def sweep():
    """(what grows, values, the workload of a value)"""
    mlp, adam = workloads.mlp, workloads.ADAM
    yield "depth: dense layers of 128, batch 64", [4, 8, 16, 32, 64], lambda n: mlp([128] * n + [10], 64, adam)
    yield "width: 2 dense layers, batch 64", [128, 256, 512, 1024, 2048], lambda n: mlp([n, n, n, 10], 64, adam)
    yield "batch: 256-256-256-10", [32, 128, 512, 2048], lambda n: mlp([256, 256, 256, 10], n, adam)
    yield "length: gru of 128, batch 16", [16, 64, 256, 1024], lambda n: workloads.characters("gru", 3, 16, n, 128)
    yield "length: 2 transformer blocks of 128, batch 4", [32, 64, 128, 256, 512, 1024], lambda n: workloads.transformer(
        2, 4, 128, n, 4)


def exponent(values, results):
    """From each value to the next; the last says most."""
    return ", ".join(f"{math.log(b / a) / math.log(y / x):.2f}"
                     for x, y, a, b in zip(values, values[1:], results, results[1:]))


def grow_steps(options):
    machine = contender.Machine(options.lock)
    head = ["what grows", "values", "ms", "exponents", "MiB", "exponents"]
    rows, every = [], []
    print(*head, sep=" | ", flush=True)
    for what, values, make in sweep():
        with contextlib.ExitStack() as stack:
            running = []
            for value in values:
                folder = options.folder / f"growth-{what.split(':')[0]}-{what.split()[1]}-{value}"
                job, data = workloads.write(make(value), folder, batches=2)
                dataset = contender.archive(options.program, data, folder)
                stack.callback(dataset.unlink)
                running.append(stack.enter_context(contender.ours(options.program, job, dataset, 1, str(value))))
            results = list(contender.compare(running, machine, options).values())
        every += results
        times, memory = [r["step"] * 1e3 for r in results], [r["memory_bytes"] / 2**20 for r in results]
        rows.append([what, ", ".join(map(str, values)), ", ".join(f"{t:#.3g}".rstrip(".") for t in times),
                     exponent(values, times), ", ".join(f"{m:.0f}" for m in memory), exponent(values, memory)])
        print(*rows[-1], sep=" | ", flush=True)
    page.write("Growth", STEPS_TEXT.format(table=page.table(head, rows), measured=page.measured(every)))


# ---- rows ----

BLOCK = 10000  # rows


def csv_block():
    chance = random.Random(1)
    return "".join(",".join(["@", *(f"{chance.gauss(0, 1):.4f}" for _ in range(19)), chance.choice(("yes", "no"))]) + "\n"
                   for _ in range(BLOCK)).encode()


def csv_blocks(block, rows):
    """Each block's first column differs, always as long."""
    yield (",".join(f"x{i}" for i in range(20)) + ",answer\n").encode()
    for i in range(rows // BLOCK):
        yield block.replace(b"@", b"%.5f" % (1 + i / 100000))


def status_bytes(process, field):
    """A line of /proc/PID/status; 0 where the process is gone."""
    try:
        with open(f"/proc/{process}/status", encoding="ascii") as status:
            return next((int(line.split()[1]) * 1024 for line in status if line.startswith(field + ":")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Peak(threading.Thread):
    """The most memory of its own that a process, or each of those that `processes` tells, has held: without mapped files, which
    the kernel takes back when it likes."""

    def __init__(self, processes):
        super().__init__(daemon=True)
        self.processes, self.bytes, self.over = processes, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.005):
            self.bytes = max([self.bytes, *(status_bytes(process, "RssAnon") for process in self.processes())])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def send(server, block, rows):
    """(bytes, the dataset's id)"""
    length = sum(map(len, csv_blocks(block, rows)))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=3600)
    connection.request("POST", "/v1/datasets?target=answer", csv_blocks(block, rows),
                       {"Content-Type": "text/csv", "Content-Length": str(length)})
    answer = connection.getresponse()
    dataset = json.load(answer)
    connection.close()
    assert answer.status == 201 and dataset["rows"] == rows, dataset
    return length, dataset["id"]


def processor_of_ended(server):
    """Seconds of all workers that were, once none is: a job has succeeded a little before its worker has ended."""
    while server.workers():
        time.sleep(0.01)
    time.sleep(0.1)  # until the server has taken in the last one's end
    return contender.processor_seconds([server.process.pid], ended_children=True)


def timed(what, processor):
    """(what it returns, "seconds (of the processor)")"""
    before, begin = processor(), time.monotonic()
    result = what()
    return result, f"{time.monotonic() - begin:.2f} ({processor() - before:.2f})"


def mebibytes(peak):
    return f"{peak.bytes / 2**20:.0f}"


def grow_rows(counts):
    """A row of the table for each."""
    block = csv_block()
    for rows in counts:
        with Server("--workers", "1", "--max-body", "16G") as server:
            own = [server.process.pid]
            with Peak(lambda: own) as taking:
                (length, dataset), taken = timed(lambda: send(server, block, rows), lambda: contender.processor_seconds(own))
            job = {"dataset": dataset, "threads": 1, "training": {"epochs": 1, "batch_size": 1024, "seed": 1},
                   "model": {"layers": [{"type": "dense", "units": 64, "activation": "relu"}, {"type": "dense", "units": 2}]}}
            with Peak(server.workers) as training:
                state, epoch = timed(lambda: server.wait(server.submit(job), seconds=3600),
                                     lambda: processor_of_ended(server))
            assert state["status"] == "succeeded", state
            yield [f"{rows:,}", f"{length / 1e6:.0f}", taken, mebibytes(taking), epoch, mebibytes(training)]


# ---- jobs ----

SMALL = {"layers": [{"type": "dense", "units": 3}]}


def busy_server(server):
    """(a dataset, a job on it that runs until it is ended)"""
    dataset = server.upload("iris", "species")
    return dataset, server.submit({"dataset": dataset, "model": SMALL, "priority": 10, "training": {"steps": 10**9}})


def submit_many(server, dataset, count):
    """Seconds of each submission, on one connection."""
    body = json.dumps({"dataset": dataset, "threads": 1, "model": SMALL, "training": {"epochs": 1, "seed": 1}})
    connection, times = server.connection(), []
    for _ in range(count):
        begin = time.monotonic()
        connection.request("POST", "/v1/jobs", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 202, answer.status
        times.append(time.monotonic() - begin)
    connection.close()
    return times


def list_seconds(server):
    times = []
    for _ in range(20):
        begin = time.monotonic()
        assert len(server.get("/v1/jobs").json["items"]) == 50
        times.append(time.monotonic() - begin)
    return times


def median_and_processor(server, what):
    """(seconds of each, "median ms (of the processor, mean)")"""
    before = contender.processor_seconds([server.process.pid])
    times = sorted(what())
    processor = (contender.processor_seconds([server.process.pid]) - before) / len(times)
    return times, f"{statistics.median(times) * 1e3:.2f} ({processor * 1e3:.2f})"


def grow_jobs(counts):
    """A row of the table for each."""
    for count in counts:
        with Server("--workers", "1") as server:
            dataset, long = busy_server(server)
            times, submitting = median_and_processor(server, lambda: submit_many(server, dataset, count))
            _, listing = median_and_processor(server, lambda: list_seconds(server))
            memory = status_bytes(server.process.pid, "VmHWM")
            server.stop()
            server.flags = ("--workers", "2")
            server.start()
            server.wait_for(long, lambda state: state["status"] == "running")
            server.post(f"/v1/jobs/{long}/cancel")
            yield [f"{count:,}", submitting, f"{times[int(count * 0.99)] * 1e3:.2f}", listing, f"{memory / 2**20:.0f}",
                   f"{server.start_seconds:.2f}", f"{jobs_per_second(server, count):.0f}"]


def jobs_per_second(server, count):
    """Of those that end within ten seconds, or of all."""
    begin, ended = time.monotonic(), 0
    while ended < count and time.monotonic() - begin < 10:
        time.sleep(0.5)
        ended = count - server.get("/v1/status").json["queue"]["queued"]
    return ended / (time.monotonic() - begin)


def shown(head, rows):
    """The table, printed row by row as they come."""
    print(*head, sep=" | ", flush=True)
    kept = []
    for row in rows:
        kept.append(row)
        print(*row, sep=" | ", flush=True)
    return page.table(head, kept)


def growth(options):
    grow_steps(options)
    rows = shown(["rows", "MB of CSV", "taken in, s (processor)", "server MiB", "an epoch, s (processor)", "worker MiB"],
                 grow_rows([10**4, 10**5, 10**6] + [10**7] * options.large))
    jobs = shown(["jobs", "submit, median ms (processor)", "submit, p99 ms", "list, median ms (processor)", "server MiB",
                  "restart, s", "jobs ended a second"], grow_jobs([100, 1000] + [10000] * options.large))
    page.write("Growth: rows and jobs", SERVER_TEXT.format(rows=rows, jobs=jobs, measured=page.measured()))
    return 0

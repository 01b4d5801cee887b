"""Where a step's time goes: samples of one thread, by the source file whose code was running."""
import collections
import os
import re
import shutil
import subprocess

import contender
import page
from ceilings import Ceilings
from steps import milliseconds, prepared
from workloads import WORKLOADS

SECONDS, LEAST_SHARE = 3, 0.02
LINE = re.compile(r"\s*([\d.]+)%\s+(\S+)\s+\[[.k]\] (.*)")
PRODUCTS = ("tensor/panel", "tensor/product", "tensor/slide", "libopenblas")

TEXT = """Where the time of a step on one thread goes, by the source file (of `core/`) or library whose code ran when a profiler looked, a
thousand times a second; what has less than {least:.0%} is left out. Products are {products}. Their rate is what the step's matrix products
would take at the best rate that the processor reaches at each shape, as a share of the time that they take here: what is missing to 100 %
is lost in packing, in edges of blocks and in memory. The rest is what no faster product would save.

{table}

{measured}"""
HEADS = ["workload", "ms", "products", "their rate", "where the time goes"]


def files_of_symbols(program):
    """{symbol: source file of the core, without its ending; the folder alone where several files have such a symbol}."""
    listed = subprocess.run(["nm", "--line-numbers", program], capture_output=True, text=True, check=True).stdout
    files = collections.defaultdict(set)
    for symbol, place in re.findall(r"^\S+ [tTiW] (\S+)\t(\S+)$", listed, re.M):
        if match := re.search(r"/(?:core|bench)/(\S+?)\.[ch]:", place):
            files[symbol].add(match[1])
    return {symbol: os.path.commonpath(places) or "elsewhere" for symbol, places in files.items()}


def profile(program, job, dataset, steps, record):
    """{file or library: share of the samples}."""
    subprocess.run(["perf", "record", "--quiet", "-e", "cpu-clock", "-F", "1000", "-o", record, program, job, dataset, "--threads", "1"],
                   input=f"{steps}\n", text=True, stdout=subprocess.DEVNULL, check=True)
    report = subprocess.run(["perf", "report", "--stdio", "--no-children", "-i", record, "-F", "overhead,dso,sym", "-w", "0,0,200"],
                            capture_output=True, text=True, check=True).stdout
    files, shares = files_of_symbols(program), collections.Counter()
    for percent, library, symbol in filter(None, (LINE.match(line) and LINE.match(line).groups() for line in report.splitlines())):
        ours = library == program.name
        shares[files.get(symbol.strip(), "elsewhere") if ours else library.split(".")[0].strip("[]")] += float(percent) / 100
    return shares


def cells(name, options, machine, ceilings):
    with prepared(name, options) as (folder, job, dataset):
        with contender.ours(options.program, job, dataset, 1) as ours:
            result = contender.compare([ours], machine, options)["backpropd 1"]
        with machine:
            shares = profile(options.program, job, dataset, max(1, round(SECONDS / result["step"])), folder / "perf.data")
            ceiling = ceilings.seconds(WORKLOADS[name])
    products = sum(share for place, share in shares.items() if place.startswith(PRODUCTS))
    rate = "–" if WORKLOADS[name].sparse else f"{ceiling / (products * result['step']):.0%}"
    places = ", ".join(f"{place} {share:.0%}" for place, share in shares.most_common() if share >= LEAST_SHARE)
    return result, [name, milliseconds(result), f"{products:.0%}", rate, places]


def where(options):
    if shutil.which("perf") is None:
        print("perf is not here (Debian: linux-perf)")
        return 1
    machine = contender.Machine(options.lock)
    names = options.names or list(WORKLOADS)
    print(*HEADS, sep=" | ", flush=True)
    results, rows = [], []
    with Ceilings(options.ceiling) as ceilings:
        for name in names:
            result, row = cells(name, options, machine, ceilings)
            results.append(result)
            rows.append(row)
            print(*row, sep=" | ", flush=True)
    if names == list(WORKLOADS):
        page.write("Where the time goes", TEXT.format(least=LEAST_SHARE, products=", ".join(PRODUCTS), table=page.table(HEADS, rows),
                                                      measured=page.measured(results)))
    return 0

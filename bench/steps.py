"""How long a training step takes, beside PyTorch's: `./dev bench [--threads 1,2] [NAME…]`."""
import contextlib
import json

import contender
from workloads import WORKLOADS, write


def measure(name, options, machine, python):
    """{contender: result} of one workload, all contenders in one run."""
    workload = WORKLOADS[name]
    folder = options.folder / name
    job, data = write(workload, folder)
    dataset = contender.archive(options.program, data, folder)
    with contextlib.ExitStack() as stack:
        running = []
        for threads in options.threads:
            running.append(stack.enter_context(contender.ours(options.program, job, dataset, threads)))
            core = running[0].ready["blas"]
            if python:
                running.append(stack.enter_context(contender.torch(python, name, threads, core)))
        results = contender.compare(running, machine, options.windows, options.seconds, options.most_seconds)
    dataset.unlink()
    return results


def fastest(results, who):
    return min((result for label, result in results.items() if label.startswith(who)), key=lambda result: result["step"],
               default=None)


def milliseconds(results, who, threads):
    result = results.get(f"{who} {threads}")
    if result is None:
        return "–"
    return f"{result['step'] * 1e3:.3g}" + ("" if result["quiet"] >= 3 else "~")


def ratio(ours, theirs):
    return f"{theirs['step'] / ours['step']:.2f}" if ours and theirs else "–"


def row(name, results, threads):
    """The cells of a workload's line."""
    ours, theirs = fastest(results, "backpropd"), fastest(results, "PyTorch")
    cells = [name]
    for who in ("backpropd", "PyTorch"):
        cells.append(" / ".join(milliseconds(results, who, count) for count in threads))
    cells.append(f"{WORKLOADS[name].operations / ours['step'] / 1e9:.3g}")
    cells.append(" / ".join(ratio(results.get(f"backpropd {count}"), results.get(f"PyTorch {count}")) for count in threads))
    cells.append(ratio(ours, theirs))
    for field, scale, form in (("memory_bytes", 2**-20, ".0f"), ("start_seconds", 1, ".2f")):
        values = [min(result[field] for label, result in results.items() if label.startswith(who)) * scale
                  for who in ("backpropd", "PyTorch") if fastest(results, who)]
        cells.append(" / ".join(format(value, form) for value in values))
    return cells


def header(threads):
    counts = "/".join(map(str, threads))
    return ["workload", f"backpropd, {counts} threads, ms", f"PyTorch, {counts} threads, ms", "GFLOP/s",
            "times faster, by threads", "best to best", "memory MiB, ours / PyTorch", "start s, ours / PyTorch"]


def run(options):
    machine = contender.Machine(options.lock)
    python, version = contender.torch_python()
    print("beside " + (f"PyTorch {version}" if python else "nothing: Debian's python3-torch is not here"), flush=True)
    print(" | ".join(header(options.threads)), flush=True)
    results = {}
    for name in options.names or WORKLOADS:
        results[name] = measure(name, options, machine, python)
        print(" | ".join(row(name, results[name], options.threads)), flush=True)
    (options.folder / "steps.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0

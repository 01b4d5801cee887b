"""probes.py: what a probe (`?dry_run=true&probe=true`) says of the healthy and the faulty jobs before they run.

Asks the server of build/backpropd for each job of cases.py and held_out.py, once, and counts those with a finding of severity warning or
worse. Jobs whose data is not there, and those whose output is as wide as a corpus's vocabulary, are left out.
"""
import pathlib
import sys

import cases
import held_out

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "http"))
from harness import Server  # noqa: E402


def warned(server, datasets, stored, dataset, job):
    """The codes of what hurts, or None where the job is left out."""
    if dataset not in stored:
        try:
            stored[dataset] = server.post("/v1/datasets", datasets[dataset]()).json["id"]
        except OSError:
            return None
    if job["model"]["layers"][-1].get("units") == 0:
        return None
    answer = server.post("/v1/jobs?dry_run=true&probe=true", {**job, "dataset": stored[dataset]})
    assert answer.status == 200, answer
    return [finding["code"] for finding in answer.json["findings"] if finding["severity"] != "info"]


def main():
    with Server() as server:
        for title, jobs in (("healthy", lambda module: [(n, d, j) for n, d, j, _ in module.healthy()]),
                            ("faulty", lambda module: [(n, d.split(" → ")[-1], j) for n, d, _, j, _, _ in module.faults()])):
            counted = told = 0
            for module in (cases, held_out):
                datasets, stored = module.datasets(), {}
                for name, dataset, job in jobs(module):
                    codes = warned(server, datasets, stored, dataset, job)
                    if codes is None:
                        continue
                    counted += 1
                    told += bool(codes)
                    print(f"{title} {name}: {', '.join(codes) or 'nothing'}", flush=True)
            print(f"{title}: {told} of {counted} with a warning or worse", flush=True)


if __name__ == "__main__":
    main()

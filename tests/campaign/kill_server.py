"""kill -9 of the server, again and again, while jobs are submitted and trained; then every acknowledged job is accounted for.

    kill_server.py [--kills 20] [--jobs 10] [--seed 1]

The client keeps a ledger of what was acknowledged (202). In the end: each of those jobs has succeeded, with one model and one
`end` event; every step's loss is there once; jobs of the same seed have the same weights; `PRAGMA integrity_check` says ok.
Idempotency keys make a retry after a cut connection safe: a job that was accepted without its answer arriving is not doubled.
"""
import argparse
import http.client
import os
import random
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from harness import Server, example  # noqa: E402


def submit_again(server, job, key):
    """The id once it is acknowledged, or None where the server went away meanwhile."""
    try:
        answer = server.post("/v1/jobs", job, headers={"Idempotency-Key": key}, timeout=5)
        if answer.status == 202:
            return answer.json["id"]
        if answer.status not in (409, 503):
            raise AssertionError(f"{key}: {answer}")
    except (OSError, http.client.HTTPException):
        pass
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    failures, ledger, slowest_start = [], {}, 0.0

    with Server("--workers", "2") as server:
        dataset = server.upload("digits", "digit")
        job = example("digits", dataset=dataset, threads=1)
        job["training"].update(epochs=200, checkpoint_seconds=0.2)
        waiting = [f"job-{n}" for n in range(options.jobs)]
        for kill in range(options.kills):
            # Submissions are spread over the kills, so that some are cut while they are under way.
            deadline = time.monotonic() + chance.uniform(0.05, 1.0)
            while time.monotonic() < deadline:
                if waiting and chance.random() < 0.3:
                    key = waiting[0]
                    number = int(key.split("-")[1])
                    job["training"]["seed"] = number % 3
                    job["name"] = key
                    accepted = submit_again(server, job, key)
                    if accepted:
                        ledger[accepted] = number
                        waiting.pop(0)
                time.sleep(0.01)
            server.kill()
            server.start()
            slowest_start = max(slowest_start, server.start_seconds)
            print(f"kill {kill + 1}: {len(ledger)} acknowledged, ready again in {server.start_seconds * 1000:.0f} ms", flush=True)

        while waiting:
            key = waiting.pop(0)
            number = int(key.split("-")[1])
            job["training"]["seed"], job["name"] = number % 3, key
            ledger[submit_again(server, job, key)] = number

        shas = {}
        for accepted, number in ledger.items():
            ended = server.wait(accepted, 300)
            if ended["status"] != "succeeded":
                failures.append(f"{accepted}: {ended['status']}: {ended['error']}")
                continue
            names = [name for _, name, _ in server.events(accepted)]
            if names.count("end") != 1:
                failures.append(f"{accepted}: {names.count('end')} ends")
            loss = server.get(f"/v1/jobs/{accepted}/metrics?points=all&series=train_loss").json["series"]["train_loss"]
            if loss["step"] != list(range(1, ended["plan"]["steps"] + 1)):
                failures.append(f"{accepted}: steps are missing or doubled")
            shas.setdefault(number % 3, set()).add(server.get(f"/v1/models/{ended['model']}").json["sha256"])
        failures += [f"seed {seed}: {len(found)} different weights" for seed, found in shas.items() if len(found) != 1]
        listed = server.get("/v1/jobs?limit=500").json["items"]
        models = server.get("/v1/models?limit=500").json["items"]
        if len(listed) != options.jobs or len(models) != options.jobs or len(ledger) != options.jobs:
            failures.append(f"{len(ledger)} acknowledged, {len(listed)} jobs, {len(models)} models")
        if server.stop() != 0:
            failures.append("SIGTERM did not end in 0")
        with sqlite3.connect(os.path.join(server.folder, "backpropd.db")) as database:
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            failures.append(f"integrity_check: {verdict}")

    print("\n".join(failures) or "every acknowledged job ended once, integrity_check ok")
    print(f"{options.kills} kills, {len(ledger)} jobs, slowest start {slowest_start * 1000:.0f} ms, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

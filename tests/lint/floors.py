"""The floors of the house, as docs and headers promise them: who may include whom.

    floors.py          prints every breach with file and line; exits 1 where there is one

A file may include its own folder and folders of lower floors; folders of one floor do not include each other; the core
includes nothing of the server; a foreign library's header has one folder. Local includes name their path from the root.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CORE = [["base"], ["tensor", "tokens", "activations", "inits", "schedules", "optimizers"], ["ops"], ["graph"],
        ["layers", "losses"], ["model"], ["diagnose"], ["train"], ["catalog"]]
SERVER = [["base"], ["json", "store", "http"], ["data", "jobs"], ["routes"], ["main"]]
# The server stands on the whole core.
FLOOR = {f"core/{name}": level for level, names in enumerate(CORE) for name in names}
FLOOR.update({f"server/{name}": 100 + level for level, names in enumerate(SERVER) for name in names})

FOREIGN = {"cblas.h": "core/tensor", "openblas_config.h": "core/tensor", "cJSON.h": "server/json",
           "sqlite3.h": "server/store", "microhttpd.h": "server/http"}
# What the core must never do: it has no JSON, SQL, HTTP, printing or exiting.
CORE_CALLS = re.compile(r"\b(printf|puts|fprintf|perror|exit|abort|_exit)\s*\(")

LINES_MAX = 700
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def sources():
    for top in ("core", "server"):
        for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def folder_of(path):
    return "/".join(path.split("/")[:2])


def include_breach(path, bracket, target):
    """Why `path` may not include `target`, or None."""
    here = folder_of(path)
    home = FOREIGN.get(os.path.basename(target))
    if home:
        return None if here == home else f"{target} has one folder, {home}/"
    if bracket == "<":
        return None
    there = folder_of(target)
    if there == "web" or target.endswith(".inc"):
        return None  # made by the build
    if there not in FLOOR:
        return f'"{target}" does not name its path from the root'
    if there == here or FLOOR[there] < FLOOR[here]:
        return None
    return f"{there}/ is on the same floor" if FLOOR[there] == FLOOR[here] else f"{there}/ is above"


def breaches():
    """(path, line, what) of every breach."""
    for path in sources():
        if folder_of(path) not in FLOOR:
            yield path, 1, f"{folder_of(path)}/ is on no floor: list it in tests/lint/floors.py"
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            lines = file.read().splitlines()
        if len(lines) > LINES_MAX:
            yield path, len(lines), f"has more than {LINES_MAX} lines: two things in one?"
        for number, line in enumerate(lines, 1):
            include = INCLUDE.match(line)
            if include:
                what = include_breach(path, *include.groups())
                if what:
                    yield path, number, what
            elif path.startswith("core/") and CORE_CALLS.search(line.split("//")[0]):
                yield path, number, "the core neither prints nor exits"


def main():
    found = list(breaches())
    for path, line, what in found:
        print(f"{path}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

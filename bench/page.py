"""docs/performance.md: each command rewrites its own section and leaves the others."""
import datetime
import os
import platform

import contender

PATH = contender.ROOT / "docs" / "performance.md"
HEAD = """# Performance

Measured by `./dev bench …`, which rewrites these sections; what is measured, and how, is in [bench/](../bench/README.md).
"""
LOAD = os.getloadavg()[1]  # before the measuring, which adds its own
ORDER = ["Training steps", "Where the time goes", "Watching", "Beside a busy neighbour", "Growth", "Growth: rows and jobs", "Serving"]


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def measured(results=()):
    """Where and when, and whether it was quiet there."""
    words = (f"{datetime.date.today().isoformat()}, {contender.processor_name()}, {contender.CORES} cores, "
             f"Linux {platform.release()}; load average of the five minutes before {LOAD:.1f}")
    results = list(results)
    disturbed = sum(result["quiet"] < contender.QUIET_WINDOWS for result in results)
    if disturbed:
        words += (f". The machine was shared: {disturbed} of {len(results)} measurements (marked ~) never had three quiet windows; "
                  "they are processor time with one thread, the fastest window with two. Two threads suffer most on such a machine, "
                  "and PyTorch's above all: they spin while they wait for each other")
    return words + "."


def write(title, text):
    sections = dict.fromkeys(ORDER)
    if PATH.exists():
        for part in PATH.read_text(encoding="utf-8").split("\n## ")[1:]:
            name, _, body = part.partition("\n")
            sections[name] = body.strip()
    sections[title] = text.strip()
    PATH.write_text(HEAD + "".join(f"\n## {name}\n\n{body}\n" for name, body in sections.items() if body), encoding="utf-8")
    print(f"{PATH}: {title}")

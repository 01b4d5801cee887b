"""doctor.py PROGRAM [--set NAME] [--only TEXT] [--page FILE] [--verbose]: how often the doctor is right, cries wolf, and heals.

Every fault runs beside its healthy twin of the same seed; three more seeds tell the spread. A run counts as struck when it failed, or when its validation metric
(accuracy, R², minus the loss of a language model) lies below its twin's by twice the spread of three and a margin: faults strike some seeds and
not others, and a run that came out well is none to be healed. Of struck runs: is the finding that stands first one of those that
name the fault (recall), and does the first remedy of that finding, applied as it is, bring the run to its twin's metric less that
spread (healed)? Of the healthy runs: how many have a finding of severity warning or worse (false alarms)?

There are three sets of jobs: those that the rules were fitted to (cases.py), those held out (held_out.py), and the latter over other data
and seeds (drawn_again.py). Each is counted by itself, and only its own section of the page is written anew.
"""
import argparse
import collections
import concurrent.futures
import importlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

SETS = {"cases": "Jobs that the rules were fitted to", "held_out": "Jobs held out", "drawn_again": "Jobs held out, drawn again"}
HEAD = """# The doctor, measured

Made by `./dev doctor`; [bench/doctor](../bench/README.md) says what counts. Faulty jobs run beside healthy twins; a run counts as
struck by its outcome, not by its spec. Each set of jobs is counted by itself.

"""
MARGIN = {"accuracy": 0.03, "r2": 0.05, "loss": 0.05}
TOLERANCE = {"accuracy": 0.02, "r2": 0.03, "loss": 0.05}
TWIN_SEEDS = (11, 12, 13)


def merge(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merge(target.get(key), value)
    return target


class Bench:
    def __init__(self, program, folder, cases):
        self.program, self.folder, self.cases = program, folder, cases
        self.datasets, self.missing, self.known = {}, set(), {}

    def dataset(self, name):
        """The file of a dataset and its vocabulary, or None where its source is not there."""
        if name in self.missing:
            return None
        if name not in self.datasets:
            try:
                made = self.cases.datasets()[name]()
            except OSError:
                self.missing.add(name)
                return None
            path = self.folder / f"{name.replace(' ', '_')}.json"
            path.write_text(json.dumps(made))
            self.datasets[name] = (path, len(set(made["text"])) if "text" in made else 0)
        return self.datasets[name]

    def run(self, dataset, job, seed):
        """{"status", "value", "kind", "findings"} of one training."""
        path, vocabulary = self.dataset(dataset)
        job = merge(job, {"training": {"seed": seed}})
        if job["model"]["layers"][-1].get("units") == 0:
            job["model"]["layers"][-1] = {**job["model"]["layers"][-1], "units": vocabulary}
        text = json.dumps(job, sort_keys=True)
        key = (dataset, text)
        if key not in self.known:
            self.known[key] = self.train(path, text)
        return self.known[key]

    def train(self, path, text):
        with tempfile.NamedTemporaryFile("w", suffix=".json", dir=self.folder, delete=False) as file:
            file.write(text)
        done = subprocess.run([self.program, "train", file.name, "--dataset", str(path), "--threads", "1", "--json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        ends = [e for e in events if e.get("event") == "end"]
        if not ends:
            raise SystemExit(f"{text}\n{done.stdout}{done.stderr}")
        end, diagnoses = ends[-1], [e for e in events if e.get("event") == "diagnosis"]
        source = end["best"] if '"restore_best": true' in text and "best" in end else end
        metrics = {key[4:]: value for key, value in source.items() if key.startswith("val_")}
        language = '"return_sequences": true' in text
        kind = "loss" if language else "accuracy" if "accuracy" in metrics else "r2" if "r2" in metrics else "loss"
        value = metrics.get(kind, "NaN")
        value = float("nan") if isinstance(value, str) else float(value)
        return {"status": end["status"], "value": -value if kind == "loss" else value, "kind": kind, "spec": json.loads(text),
                "outcome": diagnoses[-1].get("outcome") if diagnoses else None,
                "findings": diagnoses[-1]["findings"] if diagnoses else []}


def judge_fault(bench, fault, seed):
    name, dataset, twin, faulty, codes, _ = fault
    twin_data, faulty_data = (dataset.split(" → ") * 2)[:2]
    if bench.dataset(twin_data) is None or bench.dataset(faulty_data) is None:
        return {"name": name, "missing": True}
    of_data = name.startswith(bench.cases.OF_DATA)
    run = bench.run(faulty_data, faulty, seed)
    result = {"name": name, "seed": seed, "value": run["value"], "findings": run["findings"], "of_data": of_data,
              "outcome": run["outcome"]}
    if of_data:
        result["struck"] = True
    else:
        base = "friedman" if twin_data in ("large targets", "large inputs") else twin_data
        values = [bench.run(base, twin, s)["value"] for s in TWIN_SEEDS]
        # The same seed has the same split: that twin is the one to equal, and the others tell the spread.
        mean, spread = bench.run(base, twin, seed)["value"], statistics.stdev(values)
        bar = mean - max(2 * spread, MARGIN[run["kind"]])
        result.update(mean=mean, spread=spread, struck=run["status"] != "succeeded" or not run["value"] >= bar)
    if result["struck"]:
        first = run["findings"][0] if run["findings"] else None
        result["right"] = first is not None and first["code"] in codes and first["severity"] != "info"
        if first and first["remedies"] and not of_data:
            patch = first["remedies"][0]["patch"]
            healed = bench.run(faulty_data, merge(run["spec"], patch), seed)
            result.update(remedy=first["remedies"][0]["code"], healed_value=healed["value"],
                          healed=healed["value"] >= mean - max(spread, TOLERANCE[run["kind"]]))
        elif not of_data:
            result["healed"] = False
    return result


def judge_healthy(bench, case, seed):
    name, dataset, job, _ = case
    if bench.dataset(dataset) is None:
        return {"name": name, "missing": True}
    run = bench.run(dataset, job, seed)
    alarms = [f["code"] for f in run["findings"] if f["severity"] != "info"]
    return {"name": name, "seed": seed, "value": run["value"], "alarms": alarms, "outcome": run["outcome"]}


def short(result):
    findings = " ".join(f["code"] + ("" if f["severity"] != "info" else "(i)") for f in result["findings"][:4])
    twin = f"twin {result['mean']:.3f}±{result['spread']:.3f} " if "mean" in result else ""
    heal = f" | {result.get('remedy')}: {result['healed_value']:.3f} {'healed' if result['healed'] else 'NOT HEALED'}" \
        if "healed_value" in result else ""
    verdict = "not struck" if not result["struck"] else "right" if result["right"] else "WRONG"
    return f"{verdict:10} {result['name']} #{result['seed']}: {result['value']:.3f} {twin}[{findings}]{heal} {result['outcome'] or ''}"


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "–"


def section(title, faults, healthy, missing):
    struck = [r for r in faults if r["struck"]]
    healable = [r for r in struck if not r["of_data"]]
    alarms = [r for r in healthy if r["alarms"]]
    lines = [f"## {title}", "",
             "| | runs | |", "|---|---|---|",
             f"| faulty runs | {len(faults)}, of them struck {len(struck)} | |",
             f"| an acceptable code stands first (recall) | {sum(r['right'] for r in struck)} of {len(struck)} | {percent(sum(r['right'] for r in struck), len(struck))} |",
             f"| healed by the first remedy | {sum(r['healed'] for r in healable)} of {len(healable)} | {percent(sum(r['healed'] for r in healable), len(healable))} |",
             f"| healthy runs with a warning or worse (false alarms) | {len(alarms)} of {len(healthy)} | {percent(len(alarms), len(healthy))} |", "",
             "| family | runs | struck | right | healed |", "|---|---|---|---|---|"]
    families = collections.defaultdict(list)
    for result in faults:
        families[result["name"].split(":")[0]].append(result)
    for family, results in families.items():
        hit = [r for r in results if r["struck"]]
        mended = [r for r in hit if not r["of_data"]]
        lines.append(f"| {family} | {len(results)} | {len(hit)} | {sum(r['right'] for r in hit)} | "
                     f"{sum(r['healed'] for r in mended) if mended else '–'} |")
    wrong = [r for r in struck if not r["right"]]
    ill = [r for r in healable if not r["healed"]]
    lines += ["", "Named wrongly: " + ("; ".join(f"{r['name']} (seed {r['seed']}: {r['findings'][0]['code'] if r['findings'] else 'nothing'})"
                                                for r in wrong) or "none") + ".",
              "", "Not healed: " + ("; ".join(f"{r['name']} (seed {r['seed']}, {r.get('remedy', 'no remedy')})" for r in ill) or "none") + ".",
              "", "False alarms: " + ("; ".join(f"{r['name']} (seed {r['seed']}: {', '.join(r['alarms'])})" for r in alarms) or "none") + "."]
    if missing:
        lines += ["", "Left out, because their data was not there: " + "; ".join(sorted(missing)) + "."]
    return "\n".join(lines) + "\n"


def write_section(path, title, text):
    """In place of the section with this title; what else stands in the page stays."""
    old = path.read_text().split("\n## ")[1:] if path.exists() else []
    sections = {part.split("\n")[0]: "## " + part.rstrip("\n") + "\n" for part in old}
    sections[title] = text
    order = [known for known in SETS.values() if known in sections] + [known for known in sections if known not in SETS.values()]
    path.write_text(HEAD + "\n".join(sections[known] for known in order))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--set", choices=SETS, action="append", help="which jobs (all)")
    parser.add_argument("--only", help="cases whose name has this text")
    parser.add_argument("--page", help="file to write the table to")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    for name in options.set or SETS:
        text = count(importlib.import_module(name), SETS[name], options)
        print(text)
        if options.page:
            write_section(pathlib.Path(options.page), SETS[name], text)


def count(cases, title, options):
    first = getattr(cases, "SEEDS_FROM", 1)
    faults = [(f, seed) for f in cases.faults() for seed in range(first, first + f[5]) if not options.only or options.only in f[0]]
    sound = [(h, seed) for h in cases.healthy() for seed in range(first, first + h[3]) if not options.only or options.only in "healthy " + h[0]]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        bench = Bench(options.program, pathlib.Path(folder), cases)
        for name in {part for f, _ in faults for part in f[1].split(" → ")} | {h[1] for h, _ in sound} | ({"friedman"} & set(cases.datasets())):
            bench.dataset(name)
        fault_results, sound_results, missing = [], [], set()
        for result in pool.map(lambda item: judge_fault(bench, *item), faults):
            if "missing" in result:
                missing.add(result["name"])
                continue
            fault_results.append(result)
            if options.verbose or result["struck"] and not (result["right"] and result.get("healed", True)):
                print(short(result), flush=True)
        for result in pool.map(lambda item: judge_healthy(bench, *item), sound):
            if "missing" in result:
                missing.add(result["name"])
                continue
            sound_results.append(result)
            if options.verbose or result["alarms"]:
                print(f"healthy {result['name']} #{result['seed']}: {result['value']:.3f} {result['alarms']} {result['outcome']}", flush=True)
    return section(title, fault_results, sound_results, missing)


if __name__ == "__main__":
    sys.exit(main())

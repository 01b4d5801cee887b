"""Runs the test suites named on the command line, all where none is named, and counts every single test.

The last line is "N passed, N failed" over all of them; the exit status is 1 where anything failed. A suite that ends
without telling how many tests it ran has failed once.

BACKPROPD_BUILD is the build folder (default: build).
"""
import glob
import json
import os
import re
import subprocess
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BACKPROPD_BUILD", "build"))
SANITIZED = "BACKPROPD_SANITIZED" in os.environ


def unit():
    """Criterion's programs, through meson; other programs of the suite count as one test each."""
    command = ["meson", "test", "-C", BUILD, "--no-rebuild", "--print-errorlogs",
               "--timeout-multiplier", "10" if SANITIZED else "2"]
    subprocess.run(command, cwd=ROOT, check=False)
    passed = failed = 0
    with open(os.path.join(BUILD, "meson-logs", "testlog.json"), encoding="utf-8") as log:
        for program in map(json.loads, log):
            text = re.sub(r"\x1b\[[0-9;]*m", "", program.get("stdout", "") + program.get("stderr", ""))
            count = re.search(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)", text)
            if program["result"] == "SKIP":
                continue
            if count:
                passing, bad = int(count[2]), int(count[3]) + int(count[4])
            else:
                passing, bad = (1, 0) if program["result"] == "OK" else (0, 1)
            # A program that failed as a whole has at least one failure in it.
            if program["result"] != "OK" and bad == 0:
                bad = 1
            passed, failed = passed + passing, failed + bad
    return passed, failed


def python_tests(folder, pattern="test_*.py"):
    path = os.path.join(ROOT, "tests", folder)
    tests = unittest.TestLoader().discover(path, pattern, top_level_dir=path)
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    return result.testsRun - failed - len(result.skipped), failed


def floors():
    return python_tests("lint")


def http():
    return python_tests("http")


def campaigns():
    """The campaigns of tests/campaign in short."""
    return python_tests("campaign")


def install_page_packages():
    """What the page's tests have from npm, unless it is there as the lock file has it."""
    folder = os.path.join(ROOT, "tests", "web")
    wanted, installed = os.path.join(folder, "package-lock.json"), os.path.join(folder, "node_modules", ".package-lock.json")
    if not os.path.exists(installed) or os.path.getmtime(installed) < os.path.getmtime(wanted):
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)


def web():
    """The page in headless Chromium, by node's own test runner."""
    install_page_packages()
    folder = os.path.join(ROOT, "tests", "web")
    files = sorted(glob.glob(os.path.join(folder, "*.test.mjs")) + glob.glob(os.path.join(folder, "test_*.mjs")))
    run = subprocess.run(["node", "--test", "--test-reporter=tap", *files], cwd=folder, text=True,
                         stdout=subprocess.PIPE, check=False)
    counts = dict(re.findall(r"^# (pass|fail|cancelled) (\d+)$", run.stdout, re.M))
    passed, failed = int(counts.get("pass", 0)), int(counts.get("fail", 0)) + int(counts.get("cancelled", 0))
    if failed or run.returncode:
        print(run.stdout)
    if run.returncode and not failed:
        failed = 1
    return passed, failed


SUITES = {"unit": unit, "floors": floors, "http": http, "campaigns": campaigns, "web": web}


def main(names):
    if any(name not in SUITES for name in names):
        sys.exit("suites: " + " ".join(SUITES))
    os.chdir(ROOT)
    results = []
    for name in names or SUITES:
        print(f"\n== {name}", flush=True)
        begin = time.monotonic()
        try:
            passed, failed = SUITES[name]()
            if passed + failed == 0:
                print(f"{name}: ran no test")
                failed = 1
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            print(f"{name}: {error}")
            passed, failed = 0, 1
        results.append((name, passed, failed, time.monotonic() - begin))
    print()
    for name, passed, failed, seconds in results:
        print(f"{name:9} {passed:5} passed {failed:5} failed  {seconds:6.1f} s")
    total = sum(passed for _, passed, _, _ in results), sum(failed for _, _, failed, _ in results)
    sys.stdout.flush()
    sys.stderr.flush()
    print(f"{total[0]} passed, {total[1]} failed", flush=True)
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
